# SPDX-License-Identifier: Apache-2.0
"""Waiting for something to be seen, but not for ever."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

Seen = TypeVar("Seen")

SECONDS = 20.0


class TooLate(Exception):
    """It was not seen in time; the message says what was waited for."""


async def until(
    what: str, probe: Callable[[], Awaitable[Seen | None]], seconds: float = SECONDS
) -> Seen:
    """What `probe` finds, asked again and again until it finds something."""
    deadline = time.monotonic() + seconds
    pause = 0.05
    while True:
        seen = await probe()
        if seen is not None:
            return seen
        if time.monotonic() >= deadline:
            raise TooLate(f"{what} was not seen within {seconds:.0f} s")
        await asyncio.sleep(pause)
        pause = min(1.0, pause * 1.3)
