# SPDX-License-Identifier: Apache-2.0
"""One database through its plain driver: asked once, or for one moment."""

import asyncio
import sqlite3
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Protocol

import asyncpg
from sqlalchemy.engine import URL

Values = Sequence[Any]
Rows = Sequence[Sequence[Any]]
Held = dict[Any, tuple[dict[str, Any], Rows]]
"""Answers by their question, with what it was asked with."""
MOST_IDLE = 8
MOST_OPEN = 16
# Connections to PostgreSQL that stay open while nobody uses them.
KEPT_OPEN = 4
BUSY_SECONDS = 0.25
# Of each connection on SQLite: an index of a million posts is walked from pages at hand.
CACHE_KB = 16_000


class Moved(Exception):
    """What was asked ahead is not so any more in the moment that further questions see."""


class Snapshot(Protocol):
    """The database as it is at one moment, from the first question on until `close`.

    `held` are answers that were asked for ahead (`plain.ask_ahead`).
    """

    is_sqlite: bool
    held: Held

    async def fetch(self, sql: str, values: Values) -> Rows: ...

    async def fetch_ahead(self, sql: str, values: Values) -> Rows: ...

    async def close(self) -> None: ...


class Plain(Protocol):
    """One database, asked once or for a snapshot; `asked` counts the questions."""

    is_sqlite: bool
    asked: int

    async def fetch(self, sql: str, values: Values) -> Rows: ...

    def snapshot(self, *, planned_once: bool = False, steady: bool = False) -> Snapshot: ...

    async def close(self) -> None: ...


def address(url: URL) -> str:
    """Where PostgreSQL is, as its driver takes it."""
    return url.set(drivername="postgresql").render_as_string(hide_password=False)


def plain(url: URL) -> Plain:
    """The plain driver of a database."""
    return _Sqlite(url) if url.get_backend_name() == "sqlite" else _Postgres(url)


class _Sqlite:
    """Connections that read in the event loop: a hop to a thread costs more than the answer."""

    is_sqlite = True

    def __init__(self, url: URL) -> None:
        self._path = url.database or ""
        self._idle: list[sqlite3.Connection] = []
        self.asked = 0

    def snapshot(self, *, planned_once: bool = False, steady: bool = False) -> "_SqliteSnapshot":
        return _SqliteSnapshot(self)

    async def fetch(self, sql: str, values: Values) -> Rows:
        connection = self.take()
        self.asked += 1
        found = connection.execute(sql, values).fetchall()
        self.give_back(connection)
        return found

    def take(self) -> sqlite3.Connection:
        if self._idle:
            return self._idle.pop()
        opened = sqlite3.connect(
            self._path, timeout=BUSY_SECONDS, isolation_level=None, cached_statements=256
        )
        opened.execute("PRAGMA query_only = ON")
        opened.execute(f"PRAGMA cache_size = -{CACHE_KB}")
        return opened

    def give_back(self, connection: sqlite3.Connection) -> None:
        if len(self._idle) < MOST_IDLE:
            self._idle.append(connection)
        else:
            connection.close()

    async def close(self) -> None:
        while self._idle:
            self._idle.pop().close()


class _SqliteSnapshot:
    is_sqlite = True

    def __init__(self, plain: _Sqlite) -> None:
        self._plain = plain
        self._connection: sqlite3.Connection | None = None
        self.held: Held = {}

    async def fetch(self, sql: str, values: Values) -> Rows:
        if self._connection is None:
            self._connection = self._plain.take()
            self._connection.execute("BEGIN")
        self._plain.asked += 1
        return self._connection.execute(sql, values).fetchall()

    async def fetch_ahead(self, sql: str, values: Values) -> Rows:
        return await self.fetch(sql, values)

    async def close(self) -> None:
        if self._connection is not None:
            connection, self._connection = self._connection, None
            connection.execute("COMMIT")
            self._plain.give_back(connection)


_BEGIN = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
# Answers of an index need neither other processes nor compiled code, whatever is guessed of them.
_SET_UP = "SET max_parallel_workers_per_gather = 0; SET jit = off"
# To plan takes longer than to answer, the more the larger the tables are. Not for what depends on
# a member: which of their forums hold most is not known until they are named.
_PLANNED_ONCE = f"{_SET_UP}; SET plan_cache_mode = force_generic_plan"


class _Postgres:
    """A few connections of our own, at most MOST_OPEN in use; some go by one plan a question."""

    is_sqlite = False

    def __init__(self, url: URL) -> None:
        self._address = address(url)
        self._idle: dict[bool, list[asyncpg.Connection]] = {True: [], False: []}
        self._room = asyncio.Semaphore(MOST_OPEN)
        # In use or idle.
        self._opened = 0
        self.asked = 0

    def snapshot(self, *, planned_once: bool = False, steady: bool = False) -> "_PostgresSnapshot":
        return _PostgresSnapshot(self, planned_once=planned_once, steady=steady)

    async def fetch(self, sql: str, values: Values, *, planned_once: bool = True) -> Rows:
        connection = await self.take(planned_once=planned_once)
        sound = False
        try:
            self.asked += 1
            found: Rows = await connection.fetch(sql, *values)
            sound = True
        finally:
            self.give_back(connection, sound=sound, planned_once=planned_once)
        return found

    async def take(self, *, planned_once: bool) -> asyncpg.Connection:
        await self._room.acquire()
        try:
            connection = self._unused(planned_once=planned_once)
            if connection is not None:
                return connection
            set_up = _PLANNED_ONCE if planned_once else _SET_UP
            # A server takes a hundred connections, of all our processes: rather than open one
            # more, one that plans otherwise is told to plan as this one should.
            if self._opened >= KEPT_OPEN:
                connection = self._unused(planned_once=not planned_once)
            if connection is None:
                # Questions that are joined are long, and would be prepared anew each time.
                connection = await asyncpg.connect(self._address, max_cacheable_statement_size=0)
                self._opened += 1
            try:
                await connection.execute(set_up)
            except BaseException:
                self._end(connection)
                raise
            return connection
        except BaseException:
            self._room.release()
            raise

    def give_back(self, connection: asyncpg.Connection, *, sound: bool, planned_once: bool) -> None:
        self._room.release()
        if sound and sum(map(len, self._idle.values())) < KEPT_OPEN:
            self._idle[planned_once].append(connection)
        else:
            self._end(connection)

    def _unused(self, *, planned_once: bool) -> asyncpg.Connection | None:
        """One that is open and that nobody uses, if there is any of this kind."""
        idle = self._idle[planned_once]
        while idle:
            connection = idle.pop()
            if not connection.is_closed():
                return connection
            self._opened -= 1
        return None

    def _end(self, connection: asyncpg.Connection) -> None:
        self._opened -= 1
        connection.terminate()

    async def close(self) -> None:
        for idle in self._idle.values():
            while idle:
                with suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
                    await idle.pop().close(timeout=5)


class _PostgresSnapshot:
    """One statement is one moment by itself; a transaction begins with the next one only.

    With `steady` it begins with the first.
    """

    is_sqlite = False

    def __init__(self, plain: _Postgres, *, planned_once: bool, steady: bool) -> None:
        self._plain = plain
        self._planned_once = planned_once
        self._steady = steady
        self._connection: asyncpg.Connection | None = None
        self._ahead: tuple[str, Values, Rows] | None = None
        self.held: Held = {}

    async def fetch(self, sql: str, values: Values) -> Rows:
        """The answer; Moved when what was asked ahead is answered otherwise by now."""
        connection = self._connection or await self._begin()
        self._plain.asked += 1
        found: Rows = await connection.fetch(sql, *values)
        return found

    async def fetch_ahead(self, sql: str, values: Values) -> Rows:
        """The answer to what is likely to be all that is asked."""
        if self._steady or self._connection is not None or self._ahead is not None:
            return await self.fetch(sql, values)
        found = await self._plain.fetch(sql, values, planned_once=self._planned_once)
        self._ahead = sql, values, found
        return found

    async def _begin(self) -> asyncpg.Connection:
        connection = await self._plain.take(planned_once=self._planned_once)
        self._connection = connection
        await connection.execute(_BEGIN)
        if self._ahead is not None:
            sql, values, before = self._ahead
            if await connection.fetch(sql, *values) != before:
                raise Moved
        return connection

    async def close(self) -> None:
        self.held.clear()
        self._ahead = None
        if self._connection is not None:
            connection, self._connection = self._connection, None
            sound = False
            try:
                await connection.execute("COMMIT")
                sound = True
            finally:
                self._plain.give_back(connection, sound=sound, planned_once=self._planned_once)
