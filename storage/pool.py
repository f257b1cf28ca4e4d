# SPDX-License-Identifier: Apache-2.0
"""Connections of the plain driver to PostgreSQL, kept while they are of use."""

import asyncio
from contextlib import suppress

import asyncpg

# A server takes a hundred connections, of all our processes.
MOST_OPEN = 16
# Of these for questions that stand alone: more at a time make the database switch, not hurry.
MOST_ALONE = 4
# Connections that stay open while nobody uses them.
KEPT_OPEN = 4
# Seconds after which one that was not needed in that time is closed.
LINGERS = 2.0
# Answers of an index need neither other processes nor compiled code, whatever is guessed of them.
_SET_UP = "SET max_parallel_workers_per_gather = 0; SET jit = off"
# To plan takes longer than to answer, the more the larger the tables are. Not for what depends on
# a member: which of their forums hold most is not known until they are named.
_PLANNED_ONCE = f"{_SET_UP}; SET plan_cache_mode = force_generic_plan"
# Said as well, since a connection may have gone by one plan before.
_PLANNED_ANEW = f"{_SET_UP}; SET plan_cache_mode = auto"


class Pool:
    """At most MOST_OPEN connections; some go by one plan for a question, others plan anew.

    To open one takes longer than to read many pages, and each has to plan for itself: what was
    needed a moment ago stays open. A question that stands alone waits for no one who holds a
    connection while they wait for another, so that it may be put beside one that is held.
    """

    def __init__(self, address: str) -> None:
        self._address = address
        self._idle: dict[bool, list[asyncpg.Connection]] = {True: [], False: []}
        self._alone = asyncio.Semaphore(MOST_ALONE)
        self._held = asyncio.Semaphore(MOST_OPEN - MOST_ALONE)
        # In use or idle.
        self._opened = 0
        # How many were idle at least, since it was last looked.
        self._unneeded = 0
        self._look: asyncio.TimerHandle | None = None

    def room(self, *, alone: bool) -> asyncio.Semaphore:
        """What is to be held while a connection is: for one question, or for a moment."""
        return self._alone if alone else self._held

    async def take(self, *, planned_once: bool, alone: bool) -> asyncpg.Connection:
        """A connection to be given back."""
        room = self.room(alone=alone)
        await room.acquire()
        try:
            return await self._ready(planned_once=planned_once)
        except BaseException:
            room.release()
            raise

    async def _ready(self, *, planned_once: bool) -> asyncpg.Connection:
        connection = self._unused(planned_once=planned_once)
        if connection is not None:
            return connection
        # Rather than open one more, one that plans otherwise is told to plan as this one should.
        if self._opened >= KEPT_OPEN:
            connection = self._unused(planned_once=not planned_once)
        if connection is None:
            # Questions that are joined are long, and would be prepared anew each time.
            connection = await asyncpg.connect(self._address, max_cacheable_statement_size=0)
            self._opened += 1
        try:
            await connection.execute(_PLANNED_ONCE if planned_once else _PLANNED_ANEW)
        except BaseException:
            self._end(connection)
            raise
        return connection

    def give_back(
        self, connection: asyncpg.Connection, *, sound: bool, planned_once: bool, alone: bool
    ) -> None:
        """Let others have it; one that is not `sound` is closed."""
        self.room(alone=alone).release()
        if not sound:
            self._end(connection)
            return
        self._idle[planned_once].append(connection)
        if self._look is None and self._count() > KEPT_OPEN:
            self._look_later()

    def _unused(self, *, planned_once: bool) -> asyncpg.Connection | None:
        """One that is open and that nobody uses, if there is any of this kind."""
        idle = self._idle[planned_once]
        found = None
        while idle and found is None:
            connection = idle.pop()
            if connection.is_closed():
                self._opened -= 1
            else:
                found = connection
        self._unneeded = min(self._unneeded, self._count())
        return found

    def _count(self) -> int:
        return sum(map(len, self._idle.values()))

    def _look_later(self) -> None:
        self._unneeded = self._count()
        self._look = asyncio.get_running_loop().call_later(LINGERS, self._close_unneeded)

    def _close_unneeded(self) -> None:
        """Close what nobody needed since it was last looked, but for a few."""
        self._look = None
        for _ in range(self._unneeded - KEPT_OPEN):
            longest = max(self._idle.values(), key=len)
            self._end(longest.pop(0))
        if self._count() > KEPT_OPEN:
            self._look_later()

    def _end(self, connection: asyncpg.Connection) -> None:
        self._opened -= 1
        connection.terminate()

    async def close(self) -> None:
        if self._look is not None:
            self._look.cancel()
        for idle in self._idle.values():
            while idle:
                with suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
                    await idle.pop().close(timeout=5)
