# SPDX-License-Identifier: Apache-2.0
"""What every fact is."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Fact:
    """Something that is now true."""
