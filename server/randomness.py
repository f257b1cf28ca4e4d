# SPDX-License-Identifier: Apache-2.0
"""Randomness, handed in so that a test can repeat it."""

import random
import secrets
from typing import Protocol


class Randomness(Protocol):
    """Whatever is unpredictable."""

    def token(self) -> str:
        """256 bits, URL-safe."""
        ...

    def bits(self, count: int) -> int:
        """A number of `count` bits."""
        ...

    def fraction(self) -> float:
        """A number in [0, 1)."""
        ...

    def salt(self) -> str:
        """128 bits, in hex, beside what is hashed."""
        ...


class SystemRandomness:
    """The operating system's."""

    def token(self) -> str:
        return secrets.token_urlsafe(32)

    def bits(self, count: int) -> int:
        return secrets.randbits(count)

    def fraction(self) -> float:
        return secrets.randbits(53) / (1 << 53)

    def salt(self) -> str:
        return secrets.token_hex(16)


class SeededRandomness:
    """The same sequence for the same seed; for tests and simulation only."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)  # noqa: S311 (repeatable on purpose)
        # A sequence of their own: nothing that happens depends on them.
        self._salts = random.Random(seed)  # noqa: S311

    def token(self) -> str:
        return f"{self._random.getrandbits(256):064x}"

    def bits(self, count: int) -> int:
        return self._random.getrandbits(count)

    def fraction(self) -> float:
        return self._random.random()

    def salt(self) -> str:
        return f"{self._salts.getrandbits(128):032x}"
