# SPDX-License-Identifier: Apache-2.0
"""What fails in the worker, counted and kept for administrators."""

import asyncio
from collections import deque

import structlog

from server import crashes, text
from server.crashes import Crash
from server.instance import Instance

logger = structlog.get_logger("guildhall.worker")
TOLD = 3
WITHIN = 60.0


class Crashes:
    """The last failures of a process; the database has the last of each loop as soon as it can.

    `too_often` is set once three came within a minute that the database has no part in: while it
    is away a new process would fare no better.
    """

    def __init__(self, instance: Instance, process: str) -> None:
        self.too_often = asyncio.Event()
        self._instance = instance
        self._process = process
        self._times: deque[float] = deque(maxlen=TOLD)
        self._own: deque[float] = deque(maxlen=TOLD)
        # The last failure of each loop of this process.
        self.last: dict[str, Crash] = {}
        self._unwritten: set[str] = set()

    @property
    def are_few(self) -> bool:
        """False after three within a minute."""
        return not self._are_many(self._times)

    def note(self, name: str, error: BaseException) -> None:
        """A loop, or what it set going, has failed; whoever calls it begins anew."""
        logger.error("worker loop crashed", loop=name, exc_info=error)
        now = asyncio.get_running_loop().time()
        self._times.append(now)
        if not self._instance.database_passes(error):
            self._own.append(now)
            if self._are_many(self._own):
                self.too_often.set()
        self.tell(name, error)

    def tell(self, name: str, error: BaseException) -> None:
        """One thing a loop works on has failed, and the loop goes on: administrators are told.

        It is not counted: another process would fare no better with that one.
        """
        self.last[name] = Crash(name, self._instance.clock.now(), said(error), self._process)
        self._unwritten.add(name)

    async def write(self) -> None:
        """Have what is not yet in the database written there."""
        if not self._unwritten:
            return
        waiting = [self.last[name] for name in sorted(self._unwritten)]
        async with self._instance.transaction() as tx:
            for crash in waiting:
                await crashes.keep(tx, crash)
        self._unwritten -= {crash.loop for crash in waiting if self.last[crash.loop] is crash}

    @staticmethod
    def _are_many(times: deque[float]) -> bool:
        now = asyncio.get_running_loop().time()
        return len(times) == TOLD and now - times[0] <= WITHIN


def said(error: BaseException) -> str:
    """What an error says in its first line: those of a database go on with what was asked."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    lines = str(error).splitlines() or [""]
    return text.clean_line(f"{type(error).__name__}: {lines[0]}", crashes.LONGEST)
