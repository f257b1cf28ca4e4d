# SPDX-License-Identifier: Apache-2.0
"""Stores many rows in one durable commit, by the drivers themselves."""

import asyncio
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property, lru_cache
from operator import itemgetter
from typing import Any, NamedTuple

import asyncpg
from sqlalchemy.dialects.postgresql.asyncpg import PGDialect_asyncpg
from sqlalchemy.dialects.sqlite.aiosqlite import SQLiteDialect_aiosqlite
from sqlalchemy.engine import Dialect
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.types import TypeEngine

from storage.base import Base, UtcDateTime
from storage.faults import FAULTS

_SQLITE = SQLiteDialect_aiosqlite()
_POSTGRES: Dialect = PGDialect_asyncpg()  # type: ignore[no-untyped-call]
# What is wrong with one row; anything else is wrong with the database.
_ROW_FAULTS = (
    sqlite3.IntegrityError,
    sqlite3.DataError,
    sqlite3.InterfaceError,
    sqlite3.ProgrammingError,
    OverflowError,
    TypeError,
    ValueError,
)
_POSTGRES_FAULTS = (
    asyncpg.IntegrityConstraintViolationError,
    asyncpg.DataError,
    OverflowError,
    TypeError,
    ValueError,
)
# Where the workers of other processes listen.
NOTIFY_CHANNEL = "guildhall"
# Rows to a statement on SQLite, which takes some 32,000 values.
AT_ONCE = 32


class NotStored(SQLAlchemyError):
    """This row cannot be stored, and its neighbours are not to blame."""


class Unwell(SQLAlchemyError):
    """The database took nothing: full, locked, gone; the same may work later."""


class Append(NamedTuple):
    """One row for a table; `unique` are the columns by which a repeat is known."""

    table: type[Base]
    unique: tuple[str, ...]
    row: Mapping[str, Any]


# For each row: whether it was new, or why it cannot be stored.
Ends = list[bool | NotStored]


@dataclass(frozen=True)
class _Shape:
    """A statement for a table, and what makes each column's value fit the driver."""

    sql: str
    columns: tuple[str, ...]
    key: int
    writers: tuple[Callable[[Any], Any] | None, ...]

    @cached_property
    def _take(self) -> Callable[[Mapping[str, Any]], tuple[Any, ...]]:
        return itemgetter(*self.columns)

    @cached_property
    def _converted(self) -> list[tuple[int, Callable[[Any], Any]]]:
        """The columns whose values the driver may not take as they are."""
        return [(place, write) for place, write in enumerate(self.writers) if write is not None]

    def values(self, row: Mapping[str, Any]) -> Sequence[Any]:
        values = list(self._take(row))
        for place, write in self._converted:
            value = values[place]
            if not (isinstance(value, str) and value.isascii() and "\0" not in value):
                values[place] = write(value)
        return values


def _writers(table: type[Base], dialect: Dialect) -> tuple[Callable[[Any], Any] | None, ...]:
    columns = table.__table__.columns
    return tuple(_writer(column.type, dialect) for column in columns)


def _writer(kind: TypeEngine[Any], dialect: Dialect) -> Callable[[Any], Any] | None:
    """What makes a value of a column fit; plain text fits wherever text does."""
    write = kind.dialect_impl(dialect).bind_processor(dialect)
    if write is not None and isinstance(kind, UtcDateTime):
        # Rows that come together were received in the same milliseconds.
        return lru_cache(maxsize=64)(write)
    return write


def _names(table: type[Base]) -> tuple[str, ...]:
    return tuple(column.name for column in table.__table__.columns)


def _key(table: type[Base]) -> int:
    """The place of the primary key, which is one column wherever rows are appended."""
    return _names(table).index(table.__table__.primary_key.columns[0].name)  # type: ignore[attr-defined]


@lru_cache(maxsize=64)
def _for_sqlite(table: type[Base], unique: tuple[str, ...], rows: int = 1) -> _Shape:
    """One statement for so many rows: the driver leaves the interpreter once for all of them."""
    names = _names(table)
    row = f"({', '.join('?' * len(names))})"
    sql = (
        f"INSERT INTO {table.__tablename__} ({', '.join(names)})"  # noqa: S608 (our own names)
        f" VALUES {', '.join([row] * rows)}"
        f" ON CONFLICT ({', '.join(unique)}) DO NOTHING"
    )
    return _Shape(sql, names, _key(table), _writers(table, _SQLITE))


def _in_runs(batch: Sequence[Append]) -> Iterator[Sequence[Append]]:
    """The batch in pieces of one table, of 1, 2, 4 … AT_ONCE rows: few statements to prepare."""
    begun = 0
    while begun < len(batch):
        first, size = batch[begun], AT_ONCE
        while size > 1 and (
            begun + size > len(batch)
            or any(
                one.table is not first.table or one.unique != first.unique
                for one in batch[begun : begun + size]
            )
        ):
            size //= 2
        yield batch[begun : begun + size]
        begun += size


@lru_cache(maxsize=64)
def _for_postgres(table: type[Base], unique: tuple[str, ...]) -> _Shape:
    names, columns = _names(table), table.__table__.columns
    # As text and not varchar(n): a cast would cut what is too long, the insert refuses it.
    kinds = (column.type.dialect_impl(_POSTGRES).compile(_POSTGRES) for column in columns)
    kinds = ("TEXT" if kind.startswith("VARCHAR") else kind for kind in kinds)
    arrays = ", ".join(f"${place}::{kind}[]" for place, kind in enumerate(kinds, 1))
    sql = (
        f"WITH fresh AS (INSERT INTO {table.__tablename__} ({', '.join(names)})"  # noqa: S608 (ours)
        f" SELECT * FROM unnest({arrays})"
        f" ON CONFLICT ({', '.join(unique)}) DO NOTHING RETURNING {names[_key(table)]} AS id)"
        # Who works on what comes in may be another process.
        f" SELECT array_agg(id), pg_notify('{NOTIFY_CHANNEL}', '') FROM fresh HAVING count(*) > 0"
    )
    return _Shape(sql, names, _key(table), _writers(table, _POSTGRES))


class SqliteAppends:
    """A connection and a thread of its own, so that a batch is one hop and one commit.

    The caller keeps other writers of this process away meanwhile.
    """

    def __init__(self, path: str, prepare: Callable[[sqlite3.Connection], None]) -> None:
        self._path = path
        self._prepare = prepare
        self._thread: ThreadPoolExecutor | None = None
        self._connection: sqlite3.Connection | None = None

    async def store(self, batch: Sequence[Append]) -> Ends:
        """Store them; Unwell if that is not possible at all."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._executor(), self._store, batch)

    def _executor(self) -> ThreadPoolExecutor:
        if self._thread is None:
            self._thread = ThreadPoolExecutor(1, "appends")
        return self._thread

    def _store(self, batch: Sequence[Append]) -> Ends:
        try:
            if self._connection is None:
                self._connection = sqlite3.connect(self._path, isolation_level=None)
                self._prepare(self._connection)
            self._connection.execute("BEGIN IMMEDIATE")
            ends: Ends = []
            for run in _in_runs(batch):
                ends += self._run(self._connection, run)
            self._connection.execute("COMMIT")
        except sqlite3.Error as error:
            self._forget()
            raise Unwell(str(error)) from error
        return ends

    def _run(self, connection: sqlite3.Connection, run: Sequence[Append]) -> Ends:
        """Store rows of one table; each by itself where not all of them can be stored."""
        shape = _for_sqlite(run[0].table, run[0].unique, len(run))
        if len(run) > 1:
            connection.execute("SAVEPOINT run")
            with suppress(*_ROW_FAULTS):
                values = [value for one in run for value in shape.values(one.row)]
                if connection.execute(shape.sql, values).rowcount == len(run):
                    connection.execute("RELEASE run")
                    return [True] * len(run)
            if not connection.in_transaction:
                raise sqlite3.OperationalError("The transaction was undone.")
            connection.execute("ROLLBACK TO run")
            connection.execute("RELEASE run")
        return [self._one(connection, one) for one in run]

    @staticmethod
    def _one(connection: sqlite3.Connection, append: Append) -> bool | NotStored:
        shape = _for_sqlite(append.table, append.unique)
        try:
            return connection.execute(shape.sql, shape.values(append.row)).rowcount == 1
        except _ROW_FAULTS as error:
            if not connection.in_transaction:
                # Undone with all that came before: what follows would be commits of their own.
                raise sqlite3.OperationalError(str(error)) from error
            return NotStored(str(error))

    def _forget(self) -> None:
        """Whatever state the connection is in, the next batch begins with a new one."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    async def close(self) -> None:
        """Leave the file; it is opened again should there be another batch."""
        await asyncio.get_running_loop().run_in_executor(self._executor(), self._forget)
        self._executor().shutdown()
        self._thread = None


class PostgresAppends:
    """A connection of its own; one statement for a batch, which is its own transaction.

    One question and one answer: nothing is begun, ended or told to other processes by itself.
    """

    def __init__(self, address: str) -> None:
        self._address = address
        self._connection: asyncpg.Connection | None = None

    async def store(self, batch: Sequence[Append]) -> Ends:
        """Store them; Unwell if that is not possible at all. One batch after the other."""
        ends: Ends = [False] * len(batch)
        shapes: dict[_Shape, list[int]] = {}
        for place, append in enumerate(batch):
            shapes.setdefault(_for_postgres(append.table, append.unique), []).append(place)
        sound = False
        try:
            connection = self._connection
            if connection is None or connection.is_closed():
                connection = self._connection = await asyncpg.connect(self._address)
            for shape, places in shapes.items():
                await self._insert(connection, shape, batch, places, ends)
            sound = True
        except FAULTS as error:
            raise Unwell(str(error)) from error
        finally:
            if not sound:
                self._forget()
        return ends

    async def _insert(
        self,
        connection: asyncpg.Connection,
        shape: _Shape,
        batch: Sequence[Append],
        places: list[int],
        ends: Ends,
    ) -> None:
        """Insert rows of one table; when one of them is refused, each by itself."""
        # In the order of their unique columns: two processes never wait for each other.
        places = sorted(places, key=lambda n: [str(batch[n].row[u]) for u in batch[n].unique])
        try:
            rows = [shape.values(batch[place].row) for place in places]
            fresh = await connection.fetchrow(shape.sql, *map(list, zip(*rows, strict=True)))
        except _POSTGRES_FAULTS as error:
            if len(places) == 1:
                ends[places[0]] = NotStored(str(error))
                return
            for place in places:
                await self._insert(connection, shape, batch, [place], ends)
            return
        ids = set() if fresh is None else set(fresh[0])
        for place, row in zip(places, rows, strict=True):
            ends[place] = row[shape.key] in ids

    def _forget(self) -> None:
        """Whatever state the connection is in, the next batch begins with a new one."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.terminate()

    async def close(self) -> None:
        """Hang up; the connection is made again should there be another batch."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(*FAULTS):
                await connection.close(timeout=5)
