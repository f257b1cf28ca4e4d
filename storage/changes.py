# SPDX-License-Identifier: Apache-2.0
"""Small tables held in memory, never older than the question."""

import asyncio
import contextlib
import sqlite3
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, Generic, TypeVar

from sqlalchemy import Select
from sqlalchemy.dialects.sqlite.aiosqlite import SQLiteDialect_aiosqlite
from sqlalchemy.engine import URL

Rows = Sequence[tuple[Any, ...]]
Made = TypeVar("Made")
PATIENCE = 0.05
AGAIN = 5.0
_DIALECT = SQLiteDialect_aiosqlite()


class Glance:
    """A look at a SQLite file from inside the loop, without a hop to another thread.

    `PRAGMA data_version` of a connection that never writes differs as soon as any other, of this
    process or another, has committed, so that `mark` is exact and not a matter of time (3 µs).
    PostgreSQL has no such thing: there every answer is None, and one must ask.
    """

    def __init__(self, url: URL) -> None:
        is_file = url.get_backend_name() == "sqlite" and url.database not in {None, "", ":memory:"}
        self._path = url.database if is_file else None
        self._connection: sqlite3.Connection | None = None
        # Only numbers of one connection may be compared.
        self._opened = 0

    def mark(self) -> int | None:
        """Equal to an earlier mark only if nobody committed in between; None when not known."""
        rows = self.rows("PRAGMA data_version")
        return (self._opened << 40) + int(rows[0][0]) if rows else None

    def rows(self, sql: str, *values: str) -> Rows | None:
        """What a question about a few rows answers now, unconverted; None when not known."""
        if self._path is None:
            return None
        try:
            if self._connection is None:
                address = Path(self._path).absolute().as_uri()
                self._connection = sqlite3.connect(
                    f"{address}?mode=rw", uri=True, timeout=PATIENCE, isolation_level=None
                )
                self._connection.execute("PRAGMA query_only = ON")
                self._opened += 1
            return self._connection.execute(sql, values).fetchall()
        except sqlite3.Error:
            # Busy with a recovery, moved away, broken: whoever asks has the usual way as well.
            self.close()
            return None

    def close(self) -> None:
        if self._connection is not None:
            with contextlib.suppress(sqlite3.Error):
                self._connection.close()
        self._connection = None


class Kept(Generic[Made]):
    """What is made of a small table, made again only when its rows have changed.

    Every answer is as of a moment after it was asked for, whoever changed the rows and wherever:
    a rule that was committed before a request came in is obeyed by it. Where their changes are
    `counted` (SQL for the number), the rows are read again only when it has changed, or when they
    were last read AGAIN seconds ago: what somebody changes by hand, past all that counts, is in
    force then.
    """

    def __init__(
        self,
        glance: Glance,
        ask: Callable[[], Awaitable[Iterable[Iterable[Any]]]],
        question: Select[*tuple[Any, ...]],
        make: Callable[[Rows], Made],
        counted: str = "",
        count: Callable[[], Awaitable[Iterable[Iterable[Any]]]] | None = None,
    ) -> None:
        self._glance = glance
        self._rows = ask
        self._make = make
        self._sql = str(question.compile(dialect=_DIALECT))
        self._readers = [
            column.type.dialect_impl(_DIALECT).result_processor(_DIALECT, None)
            for column in question.selected_columns
        ]
        self._counted = counted
        self._ask_count = count
        self._count: Rows | None = None
        self._again = -AGAIN
        self._mark: int | None = None
        self._raw: Rows | None = None
        self._made: tuple[Rows, Made] | None = None
        self._next: asyncio.Future[Made] | None = None
        self._last: asyncio.Future[Made] | None = None

    def at_once(self, mark: int | None = None) -> Made | None:
        """The answer without waiting, where the database can be looked at; else None.

        With the `mark` of a moment ago, as of that moment or later.
        """
        mark = self._glance.mark() if mark is None else mark
        if mark is None:
            return None
        if mark != self._mark or self._raw is None or self._made is None:
            # The mark came first: what is read after it is at least as new. So does the number.
            count = self._glance.rows(self._counted) if self._counted else None
            if self._raw is None or self._made is None or not self._is_counted(count):
                raw = self._glance.rows(self._sql)
                if raw is None:
                    return None
                if raw != self._raw or self._made is None:
                    self._hold([self._read(row) for row in raw])
                self._raw = raw
                self._was_read(count)
            self._mark = mark
        return self._made[1] if self._made else None

    def _read(self, row: tuple[Any, ...]) -> tuple[Any, ...]:
        return tuple(
            value if reader is None else reader(value)
            for reader, value in zip(self._readers, row, strict=True)
        )

    def _is_counted(self, count: Rows | None) -> bool:
        """Whether the rows are as they were when last read, as far as changes are counted."""
        return count is not None and count == self._count and time.monotonic() < self._again

    def _was_read(self, count: Rows | None) -> None:
        """All rows were read, after their changes had been counted as this."""
        self._count, self._again = count, time.monotonic() + AGAIN

    def _hold(self, rows: Rows) -> Made:
        if self._made is None or self._made[0] != rows:
            self._made = (rows, self._make(rows))
        return self._made[1]

    async def current(self) -> Made:
        """The answer; of those that wait for PostgreSQL, all that came in time share a question."""
        found = self.at_once()
        if found is not None:
            return found
        if self._next is None:
            self._next = self._last = asyncio.ensure_future(self._ask(self._last))
        return await asyncio.shield(self._next)

    async def _ask(self, before: "asyncio.Future[Made] | None") -> Made:
        if before is not None:
            await asyncio.wait([before])
        # Whoever comes from here on must see more than this question may.
        self._next = None
        count = None if self._ask_count is None else [tuple(row) for row in await self._ask_count()]
        if self._made is not None and self._is_counted(count):
            return self._made[1]
        rows = [tuple(row) for row in await self._rows()]
        self._raw = None
        self._was_read(count)
        return self._hold(rows)
