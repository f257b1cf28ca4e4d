# SPDX-License-Identifier: Apache-2.0
"""SQLite statements that go to their thread once, and not four times."""

import sqlite3
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any, cast

import aiosqlite

Answer = tuple[deque[Any], Any, int, int | None]
BEGIN_TO_WRITE = "BEGIN IMMEDIATE"
# Milliseconds for which SQLite asks for a lock again and again, and all of a wait.
ASKED_FOR, PATIENCE = 20, 5_000


class OneHopCursor:
    """A cursor that is opened, asked, read to its end and closed in one visit to the thread.

    The driver's own goes there for each of these, which costs more than most statements do.
    It has what SQLAlchemy asks of a cursor (PEP 249), as coroutines.
    """

    def __init__(self, connection: aiosqlite.Connection) -> None:
        self._connection = connection
        self._rows: deque[Any] = deque()
        self.description: Any = None
        self.rowcount = -1
        self.lastrowid: int | None = None
        self.arraysize = 1

    async def __aenter__(self) -> "OneHopCursor":
        return self

    async def execute(self, sql: str, parameters: Sequence[Any] | None = None) -> "OneHopCursor":
        """Run a statement, and have all its rows."""
        if sql == BEGIN_TO_WRITE:
            return await self._run(_begin_to_write)
        return await self._run(lambda cursor: cursor.execute(sql, parameters or ()))

    async def executemany(self, sql: str, rows: Iterable[Sequence[Any]]) -> "OneHopCursor":
        """Run a statement once for each row."""
        return await self._run(lambda cursor: cursor.executemany(sql, rows))

    async def _run(self, work: Callable[[sqlite3.Cursor], object]) -> "OneHopCursor":
        connection: Any = self._connection
        raw: sqlite3.Connection = connection._conn
        begins = connection.is_about_to_begin
        connection.is_about_to_begin = False

        def visit() -> Answer:
            cursor = raw.cursor()
            try:
                if begins:
                    cursor.execute("BEGIN")
                work(cursor)
                rows = deque(cursor.fetchall() if cursor.description else ())
                # Counted only once all rows of a RETURNING were read.
                return rows, cursor.description, cursor.rowcount, cursor.lastrowid
            finally:
                cursor.close()

        answer: Answer = await connection._execute(visit)
        self._rows, self.description, self.rowcount, self.lastrowid = answer
        return self

    async def fetchone(self) -> Any:
        return self._rows.popleft() if self._rows else None

    async def fetchmany(self, size: int | None = None) -> list[Any]:
        count = min(size or self.arraysize, len(self._rows))
        return [self._rows.popleft() for _ in range(count)]

    async def fetchall(self) -> list[Any]:
        rows, self._rows = list(self._rows), deque()
        return rows

    async def close(self) -> None:
        """It is closed already; rows that were not fetched are let go of."""
        self._rows.clear()


def _begin_to_write(cursor: sqlite3.Cursor) -> None:
    """Begin as soon as another process leaves a moment for it.

    SQLite waits longer and longer before it asks for the lock again, a tenth of a second in the
    end. Beside a process that writes all the time, whose pauses are far shorter, it would ask in
    vain for all of its five seconds; so it is made to begin its waiting anew.
    """
    end = time.monotonic() + PATIENCE / 1_000
    cursor.execute(f"PRAGMA busy_timeout = {ASKED_FOR}")
    try:
        while True:
            try:
                cursor.execute(BEGIN_TO_WRITE)
                return
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > end:
                    raise
    finally:
        cursor.execute(f"PRAGMA busy_timeout = {PATIENCE}")


def connect(*arguments: Any, **options: Any) -> Any:
    """A connection of the driver, with cursors of ours; for SQLAlchemy's `async_creator_fn`."""
    connection: Any = aiosqlite.connect(*arguments, **options)
    if isinstance(connection, aiosqlite.Connection):
        thread: Any = connection._thread
        # A process that ends does not wait for it.
        thread.daemon = True
        _give_cursors(connection, is_for_any_thread=options.get("check_same_thread") is False)
    return connection


def at_hand(connection: Any) -> sqlite3.Connection | None:
    """What may be asked in the event loop itself, as long as nothing else is asked of it.

    For whoever has the connection to themselves and waits for each of its answers; None where
    only its own thread may touch it.
    """
    if not isinstance(connection, aiosqlite.Connection):
        return None
    ours: Any = connection
    return ours._conn if ours.is_for_any_thread else None


def begin_with_the_next(connection: Any) -> bool:
    """Have a transaction that only reads begin in the visit of its first question.

    SQLite takes its moment at the first read and not at BEGIN, so nothing is seen otherwise.
    False where the connection is not one of ours.
    """
    if not isinstance(connection, aiosqlite.Connection):
        return False
    cast(Any, connection).is_about_to_begin = True
    return True


def end_without_waiting(connection: Any) -> None:
    """Have transactions that only read end on their thread while their reader goes on.

    What the connection is asked next comes behind it in line; that there is nothing to lose,
    and nobody to be told, is so for those who read only.
    """
    if isinstance(connection, aiosqlite.Connection):
        ours: Any = connection
        ours.commit = ours.rollback = partial(_end, ours)


async def _end(connection: Any) -> None:
    if connection.is_about_to_begin:
        connection.is_about_to_begin = False
    else:
        connection._tx.put_nowait((None, connection._conn.rollback))


def _give_cursors(connection: Any, *, is_for_any_thread: bool) -> None:
    connection.is_about_to_begin = False
    connection.is_for_any_thread = is_for_any_thread
    connection.cursor = lambda: OneHopCursor(connection)
