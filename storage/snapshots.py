# SPDX-License-Identifier: Apache-2.0
"""One database through its plain driver: asked once, or for one moment."""

import sqlite3
from collections.abc import Sequence
from typing import Any, Protocol

import asyncpg
from sqlalchemy.engine import URL

from storage.pool import Pool

Values = Sequence[Any]
Rows = Sequence[Sequence[Any]]
Held = dict[Any, tuple[dict[str, Any], Rows]]
"""Answers by their question, with what it was asked with."""
MOST_IDLE = 8
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


class _Postgres:
    """Each question that stands alone takes a connection for itself, each moment one as well."""

    is_sqlite = False

    def __init__(self, url: URL) -> None:
        self.pool = Pool(address(url))
        self.asked = 0

    def snapshot(self, *, planned_once: bool = False, steady: bool = False) -> "_PostgresSnapshot":
        return _PostgresSnapshot(self, planned_once=planned_once, steady=steady)

    async def fetch(self, sql: str, values: Values, *, planned_once: bool = True) -> Rows:
        connection = await self.pool.take(planned_once=planned_once, alone=True)
        sound = False
        try:
            self.asked += 1
            found: Rows = await connection.fetch(sql, *values)
            sound = True
        finally:
            self.pool.give_back(connection, sound=sound, planned_once=planned_once, alone=True)
        return found

    async def close(self) -> None:
        await self.pool.close()


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
        connection = await self._plain.pool.take(planned_once=self._planned_once, alone=False)
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
                self._plain.pool.give_back(
                    connection, sound=sound, planned_once=self._planned_once, alone=False
                )
