# SPDX-License-Identifier: Apache-2.0
"""Questions of the hot pages, compiled once and put to the plain driver."""

import asyncio
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any, Generic, Protocol, TypeVar

import asyncpg
from sqlalchemy import BindParameter, Boolean, Dialect, Select, bindparam, inspect, select
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.types import TypeEngine

from storage.among import as_json
from storage.base import Base, Identifier, UtcDateTime, storable
from storage.detached import layout

T = TypeVar("T")
R = TypeVar("R", bound=Base)
Values = Sequence[Any]
MOST_IDLE = 8
MOST_OPEN = 16
BUSY_SECONDS = 0.25
# Of each connection on SQLite: an index of a million posts is walked from pages at hand.
CACHE_KB = 16_000


def given(name: str, kind: TypeEngine[Any] = Identifier) -> BindParameter[Any]:
    """A parameter of a question: an id, unless `kind` says otherwise."""
    return bindparam(name, None, type_=kind)


class Question(Generic[T]):
    """A SELECT of named parameters, and what is made of each of its rows.

    SQLAlchemy writes the SQL, once for each kind of database; asking it then costs no more
    than the driver does. `row` is given what was selected in order: columns, and whole tables
    as rows that belong to no session. Every question must be answered from an index within
    well under a millisecond: on SQLite it is asked in the event loop.
    """

    def __init__(self, statement: Select[*tuple[Any, ...]], row: Callable[..., T]) -> None:
        self.statement = statement
        self.row = row
        self._known: dict[str, _Compiled] = {}

    def compiled(self, dialect: Dialect) -> "_Compiled":
        """The SQL for a kind of database."""
        found = self._known.get(dialect.name)
        if found is None:
            found = self._known[dialect.name] = _compile(self.statement, dialect)
        return found


@dataclass(frozen=True)
class _Compiled:
    sql: str
    names: tuple[str, ...]
    fixed: dict[str, Any]
    read: tuple[tuple[int, Callable[[Any], Any]], ...]
    put_together: Callable[[Values], Iterable[Any]] | None

    def values(self, given: dict[str, Any], *, is_sqlite: bool) -> list[Any]:
        """The parameters in the order in which the SQL names them."""
        values = [given[name] if name in given else self.fixed[name] for name in self.names]
        return [_written(value) if is_sqlite else _storable(value) for value in values]


def _compile(statement: Select[*tuple[Any, ...]], dialect: Dialect) -> _Compiled:
    compiled = statement.compile(dialect=dialect, compile_kwargs={"render_postcompile": True})
    read: list[tuple[int, Callable[[Any], Any]]] = []
    if dialect.name == "sqlite":
        for index, column in enumerate(statement.selected_columns):
            if isinstance(column.type, UtcDateTime):
                read.append((index, _moment))
            elif isinstance(column.type, Boolean):
                read.append((index, bool))
    fixed = {name: value for name, value in compiled.params.items() if value is not None}
    names = tuple(compiled.positiontup or ())
    return _Compiled(compiled.string, names, fixed, tuple(read), layout(statement))


def _written(value: Any) -> Any:
    """A parameter as SQLite is given it."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")
    value = _storable(value)
    return as_json(value) if isinstance(value, list) else value


def _storable(value: Any) -> Any:
    if isinstance(value, str):
        return storable(value)
    return [_storable(one) for one in value] if isinstance(value, list) else value


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text + "+00:00")


class Snapshot(Protocol):
    """The database as it is at one moment, from the first question on until `close`."""

    is_sqlite: bool

    async def fetch(self, sql: str, values: Values) -> Sequence[Sequence[Any]]: ...

    async def close(self) -> None: ...


class Plain(Protocol):
    """One database, asked once or for a snapshot; `asked` counts the questions."""

    is_sqlite: bool
    asked: int

    async def fetch(self, sql: str, values: Values) -> Sequence[Sequence[Any]]: ...

    def snapshot(self, *, planned_once: bool = False) -> Snapshot: ...

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

    def snapshot(self, *, planned_once: bool = False) -> "_SqliteSnapshot":
        return _SqliteSnapshot(self)

    async def fetch(self, sql: str, values: Values) -> Sequence[Sequence[Any]]:
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

    async def fetch(self, sql: str, values: Values) -> Sequence[Sequence[Any]]:
        if self._connection is None:
            self._connection = self._plain.take()
            self._connection.execute("BEGIN")
        self._plain.asked += 1
        return self._connection.execute(sql, values).fetchall()

    async def close(self) -> None:
        if self._connection is not None:
            connection, self._connection = self._connection, None
            connection.execute("COMMIT")
            self._plain.give_back(connection)


_BEGIN = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
# To plan takes longer than to answer, the more the larger the tables are. Not for what depends on
# a member: which of their forums hold most is not known until they are named.
_PLANNED_ONCE = f"{_BEGIN}; SET LOCAL plan_cache_mode = force_generic_plan"


class _Postgres:
    """A few connections of our own, at most MOST_OPEN in use."""

    is_sqlite = False

    def __init__(self, url: URL) -> None:
        self._address = address(url)
        self._idle: list[asyncpg.Connection] = []
        self._room = asyncio.Semaphore(MOST_OPEN)
        self.asked = 0

    def snapshot(self, *, planned_once: bool = False) -> "_PostgresSnapshot":
        return _PostgresSnapshot(self, _PLANNED_ONCE if planned_once else _BEGIN)

    async def fetch(self, sql: str, values: Values) -> Sequence[Sequence[Any]]:
        connection = await self.take()
        sound = False
        try:
            self.asked += 1
            found: Sequence[Sequence[Any]] = await connection.fetch(sql, *values)
            sound = True
        finally:
            self.give_back(connection, sound=sound)
        return found

    async def take(self) -> asyncpg.Connection:
        await self._room.acquire()
        try:
            while self._idle:
                connection = self._idle.pop()
                if not connection.is_closed():
                    return connection
            return await asyncpg.connect(self._address)
        except BaseException:
            self._room.release()
            raise

    def give_back(self, connection: asyncpg.Connection, *, sound: bool) -> None:
        self._room.release()
        if sound and len(self._idle) < MOST_IDLE:
            self._idle.append(connection)
        else:
            connection.terminate()

    async def close(self) -> None:
        while self._idle:
            with suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
                await self._idle.pop().close(timeout=5)


class _PostgresSnapshot:
    is_sqlite = False

    def __init__(self, plain: _Postgres, begin: str) -> None:
        self._plain = plain
        self._begin = begin
        self._connection: asyncpg.Connection | None = None

    async def fetch(self, sql: str, values: Values) -> Sequence[Sequence[Any]]:
        if self._connection is None:
            self._connection = await self._plain.take()
            await self._connection.execute(self._begin)
        self._plain.asked += 1
        found: Sequence[Sequence[Any]] = await self._connection.fetch(sql, *values)
        return found

    async def close(self) -> None:
        if self._connection is not None:
            connection, self._connection = self._connection, None
            sound = False
            try:
                await connection.execute("COMMIT")
                sound = True
            finally:
                self._plain.give_back(connection, sound=sound)


async def ask(session: AsyncSession, question: Question[T], **values: Any) -> list[T]:
    """The answer to a question; beside a deed (no snapshot there) it is asked as any other."""
    row = question.row
    snapshot: Snapshot | None = session.sync_session.info.get("snapshot")
    if snapshot is None:
        answered = await session.execute(question.statement, values)
        return [row(*found) for found in answered]
    compiled = question.compiled(session.get_bind().dialect)
    is_sqlite = snapshot.is_sqlite
    rows = await snapshot.fetch(compiled.sql, compiled.values(values, is_sqlite=is_sqlite))
    put_together = compiled.put_together
    if not compiled.read and put_together is None:
        return [row(*found) for found in rows]
    made = []
    for found in rows:
        cells = [*found]
        for index, read in compiled.read:
            cell = cells[index]
            if cell is not None:
                cells[index] = read(cell)
        made.append(row(*cells) if put_together is None else row(*put_together(cells)))
    return made


async def give_back(session: AsyncSession) -> None:
    """Hold no connection of the driver's until the next question, which sees a later moment.

    For who asks in further sessions meanwhile: a connection held while another is waited for
    would be the end of both, once all are held so.
    """
    snapshot: Snapshot | None = session.sync_session.info.get("snapshot")
    if snapshot is not None:
        await snapshot.close()


def whole(row: R) -> R:
    """The row of a question that selects one table, as it is."""
    return row


@cache
def _by_key(table: type[R]) -> Question[R]:
    keys = inspect(table).primary_key
    where = (column == given(f"k{n}", column.type) for n, column in enumerate(keys))
    return Question(select(table).where(*where), whole)


async def found(session: AsyncSession, table: type[R], *key: Any) -> R | None:
    """The row of a table with this key, or None; beside a deed the one that the deed has."""
    if session.sync_session.info.get("snapshot") is None:
        return await session.get(table, key if len(key) > 1 else key[0])
    named = {f"k{n}": part for n, part in enumerate(key)}
    rows = await ask(session, _by_key(table), **named)
    return rows[0] if rows else None
