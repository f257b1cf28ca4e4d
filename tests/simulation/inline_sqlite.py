# SPDX-License-Identifier: Apache-2.0
"""SQLite under asyncio without threads, and with crashes."""

import asyncio
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any, Protocol
from unittest import mock

import aiosqlite

from storage import database

BUSY_SECONDS = 5.0


class Machine(Protocol):
    """Whose database it is; told of what the connection does."""

    alive: bool

    def opened(self, connection: "InlineConnection") -> None: ...

    def begun(self, connection: "InlineConnection") -> None: ...

    def ended(self, connection: "InlineConnection") -> None: ...

    def committing(self, commit: Callable[[], None]) -> None: ...

    def dawdles(self) -> bool: ...


class InlineCursor:
    """A cursor whose methods are coroutines that never wait for a thread."""

    def __init__(self, owner: "InlineConnection", cursor: sqlite3.Cursor) -> None:
        self._owner = owner
        self._cursor = cursor

    async def __aenter__(self) -> "InlineCursor":
        return self

    async def execute(self, sql: str, parameters: Any = ()) -> "InlineCursor":
        """Run a statement; what somebody else has locked is waited for, by the loop's clock."""
        await self._owner.enter(sql)
        loop: Any = asyncio.get_running_loop()
        end = loop.time() + BUSY_SECONDS
        while True:
            try:
                self._cursor.execute(_softened(sql), parameters or ())
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or loop.time() >= end:
                    raise
            else:
                return self
            await loop.pause(0.5)

    async def executemany(self, sql: str, parameters: Any) -> "InlineCursor":
        await self._owner.enter(sql)
        self._cursor.executemany(sql, parameters)
        return self

    async def fetchone(self) -> Any:
        return self._cursor.fetchone()

    async def fetchmany(self, size: int | None = None) -> Any:
        return self._cursor.fetchmany(size or self._cursor.arraysize)

    async def fetchall(self) -> Any:
        return self._cursor.fetchall()

    async def close(self) -> None:
        self._cursor.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._cursor, name)


class InlineConnection:
    """What the database layer takes for a connection of aiosqlite."""

    def __init__(self, connect: Callable[[], sqlite3.Connection], machine: Machine) -> None:
        self._connect = connect
        self._machine = machine
        self._connection: sqlite3.Connection | None = None
        self._thread = SimpleNamespace(daemon=True)
        self._tx = SimpleNamespace(put_nowait=_at_once)
        self.writer: asyncio.Task[Any] | None = None

    def __await__(self) -> Any:
        return self._open().__await__()

    async def _open(self) -> "InlineConnection":
        self._must_live()
        self._connection = self._connect()
        self._machine.opened(self)
        return self

    def _must_live(self) -> None:
        if not self._machine.alive:
            raise sqlite3.OperationalError("the machine is off")

    @property
    def _conn(self) -> sqlite3.Connection:
        if self._connection is None:
            raise ValueError("no active connection")
        return self._connection

    async def enter(self, sql: str) -> None:
        """Before each statement: others may come first, and the machine may be off."""
        self._must_live()
        if self._machine.dawdles():
            await asyncio.sleep(0)
            self._must_live()
        if sql.startswith("BEGIN IMMEDIATE"):
            self._machine.begun(self)
            self.writer = asyncio.current_task()

    def cursor(self) -> InlineCursor:
        self._must_live()
        return InlineCursor(self, self._conn.cursor())

    async def execute(self, sql: str, parameters: Any = ()) -> InlineCursor:
        return await self.cursor().execute(sql, parameters)

    async def create_function(self, *args: Any, **kwargs: Any) -> None:
        self._conn.create_function(*args, **kwargs)

    async def commit(self) -> None:
        self._must_live()
        try:
            if self.writer is None:
                self._conn.commit()
            else:
                self._machine.committing(self._conn.commit)
        finally:
            self._end()

    async def rollback(self) -> None:
        if self._connection is not None:
            self._connection.rollback()
        self._end()

    def _end(self) -> None:
        if self.writer is not None:
            self.writer = None
            self._machine.ended(self)

    async def close(self) -> None:
        self.stop()

    def stop(self) -> None:
        """Close; what was not committed is gone, as after a crash."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        self._end()


def _at_once(item: tuple["asyncio.Future[Any]", Callable[[], Any]]) -> None:
    future, work = item
    future.set_result(work())


def _softened(sql: str) -> str:
    """A crash here is a rollback and never a loss of power: nothing is waited for on disk."""
    return sql.replace("synchronous = FULL", "synchronous = OFF")


_prepare = database._set_pragmas


def _impatient(connection: Any, **how: Any) -> None:
    """Who finds a database locked must not sleep, since no time would go by."""
    _prepare(connection, **how)
    cursor = connection.cursor()
    cursor.execute("PRAGMA busy_timeout = 0")
    cursor.close()


@contextmanager
def inline_sqlite(machine_of: Callable[[str], Machine]) -> Iterator[None]:
    """Have every connection opened meanwhile be inline; `machine_of` knows whose a file is."""

    def connect(path: str, **options: Any) -> InlineConnection:
        options.pop("iter_chunk_size", None)
        options["check_same_thread"] = False
        return InlineConnection(lambda: sqlite3.connect(path, **options), machine_of(str(path)))

    with (
        mock.patch.object(aiosqlite, "connect", connect),
        mock.patch.object(database, "_set_pragmas", _impatient),
    ):
        yield
