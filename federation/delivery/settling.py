# SPDX-License-Identifier: Apache-2.0
"""How far lanes have come, written down for many of them at once."""

import asyncio
from collections.abc import Callable
from contextlib import suppress

import structlog

from federation.wire import Wire
from storage import lanes
from storage.lanes import Settled

logger = structlog.get_logger("guildhall.delivery")
AT_ONCE = 400
FEW, GATHERED_FOR = 50, 0.01
# A commit costs the same for one lane and for a hundred: where the last had that many at once,
# this one waits a little longer for as many.
BUSY, MANY, GATHERED_WHEN_BUSY = 8, AT_ONCE, 0.15
AGAIN_AFTER = 1.0


class Settling:
    """Collects while one commit runs, and writes what has gathered in the next one."""

    def __init__(self, wire: Wire, owner: str) -> None:
        self._wire = wire
        self._owner = owner
        self._waiting: list[tuple[Settled, Callable[[], None]]] = []
        self._writing: asyncio.Task[None] | None = None
        self._last = 0
        self._urgent = asyncio.Event()

    def put(self, settled: Settled) -> "asyncio.Future[None]":
        """Have it written down; the answer is done once it is durable."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.note(settled, lambda: None if done.done() else done.set_result(None))
        return done

    def note(self, settled: Settled, written: Callable[[], None]) -> None:
        """Have it written down; `written` is called once it is durable, and must not raise."""
        self._waiting.append((settled, written))
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write())

    async def _write(self) -> None:
        while self._waiting:
            await self._gather()
            batch, self._waiting = self._waiting[:AT_ONCE], self._waiting[AT_ONCE:]
            self._last = len(batch)
            try:
                async with self._wire.instance.transaction() as tx:
                    came = [settled for settled, _ in batch]
                    await lanes.settle(tx.session, came, self._owner, tx.now)
            except Exception as error:  # what was delivered must be noted, however long it takes
                logger.error("cursors not written", exc_info=error)
                self._waiting = batch + self._waiting
                await asyncio.sleep(AGAIN_AFTER)
                continue
            for _, written in batch:
                written()

    def hurry(self) -> None:
        """A lane can send no more until what it has put here is written down."""
        self._urgent.set()

    async def _gather(self) -> None:
        """Let some more come, unless there are many already or somebody waits."""
        if len(self._waiting) < FEW:
            await asyncio.sleep(GATHERED_FOR)
        if self._last < BUSY or len(self._waiting) >= MANY:
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(GATHERED_WHEN_BUSY):
                await self._urgent.wait()
        self._urgent.clear()

    async def close(self, seconds: float) -> None:
        """Wait for what is still to be written, at most this long."""
        if self._writing is not None and not self._writing.done():
            await asyncio.wait([self._writing], timeout=seconds)
            self._writing.cancel()
