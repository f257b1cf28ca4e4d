# SPDX-License-Identifier: Apache-2.0
"""What nothing of ours can beat, in programs that never change."""
