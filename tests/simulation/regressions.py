# SPDX-License-Identifier: Apache-2.0
"""Seeds that once failed, and why; they are always run."""

# seed -> what it found
REGRESSIONS: dict[int, str] = {}
