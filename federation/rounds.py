# SPDX-License-Identifier: Apache-2.0
"""Many other servers asked, some at once, none of which stops the others."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress

import structlog

from federation.errors import WireError

logger = structlog.get_logger("guildhall.worker")
AT_ONCE = 8


async def ask_each(asking: Mapping[str, Callable[[], Awaitable[object]]], note: str) -> None:
    """Ask all of them, by name; who does not answer is no error.

    Each fault of our own is logged as `note`, and the first raised once all were asked.
    """
    room = asyncio.Semaphore(AT_ONCE)

    async def ask(asked: Callable[[], Awaitable[object]]) -> None:
        async with room:
            with suppress(WireError):
                await asked()

    ends = await asyncio.gather(*map(ask, asking.values()), return_exceptions=True)
    faults: list[BaseException] = []
    for name, end in zip(asking, ends, strict=True):
        if end is not None:
            faults.append(end)
            logger.error(note, asked=name, exc_info=end)
    if faults:
        raise faults[0]
