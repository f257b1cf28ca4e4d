# SPDX-License-Identifier: Apache-2.0
"""Questions of the hot pages, compiled once and put to the plain driver."""

import sqlite3
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any, Generic, TypeVar

from sqlalchemy import BindParameter, Boolean, Dialect, Select, bindparam, inspect, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.types import TypeEngine

from storage import hops
from storage.among import as_json
from storage.base import Base, Identifier, UtcDateTime, storable
from storage.detached import layout
from storage.joined import Joined, Part, join
from storage.snapshots import Rows, Snapshot, Values

T = TypeVar("T")
R = TypeVar("R", bound=Base)


def given(name: str, kind: TypeEngine[Any] = Identifier) -> BindParameter[Any]:
    """A parameter of a question: an id, unless `kind` says otherwise."""
    return bindparam(name, None, type_=kind)


def as_it_is(*cells: Any) -> Any:
    """A row of a question with nothing made of it."""
    return cells


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


async def ask(session: AsyncSession, question: Question[T], **values: Any) -> list[T]:
    """The answer to a question; within a deed (no snapshot there) as the deed has left things.

    There a whole table is a row that belongs to the deed, as with any other question.
    """
    snapshot: Snapshot | None = session.sync_session.info.get("snapshot")
    if snapshot is None:
        return await _ask_within(session, question, values)
    compiled = question.compiled(session.get_bind().dialect)
    if snapshot.held:
        asked, rows = snapshot.held.get(question, ({}, ()))
        if asked == values and question in snapshot.held:
            return _made(question, compiled, rows)
    is_sqlite = snapshot.is_sqlite
    rows = await snapshot.fetch(compiled.sql, compiled.values(values, is_sqlite=is_sqlite))
    return _made(question, compiled, rows)


_AT_HAND = "the deed's connection"


async def _ask_within(
    session: AsyncSession, question: Question[T], values: dict[str, Any]
) -> list[T]:
    """The answer within a deed: on SQLite in the event loop, but for rows of whole tables."""
    dialect = session.get_bind().dialect
    if dialect.name == "sqlite":
        compiled = question.compiled(dialect)
        connection = None if compiled.put_together else await _at_hand(session)
        if connection is not None:
            if session.new or session.dirty or session.deleted:
                await session.flush()
            rows = connection.execute(compiled.sql, compiled.values(values, is_sqlite=True))
            return _made(question, compiled, rows.fetchall())
    answered = await session.execute(question.statement, values)
    return [question.row(*found) for found in answered]


async def _at_hand(session: AsyncSession) -> sqlite3.Connection | None:
    """The connection of a deed, its transaction begun; None where it may not be asked here."""
    sync = session.sync_session
    known, found = sync.info.get(_AT_HAND, (None, None))
    if known is None or known is not sync.get_transaction():
        raw = await (await session.connection()).get_raw_connection()
        found = hops.at_hand(raw.driver_connection)
        sync.info[_AT_HAND] = sync.get_transaction(), found
    connection: sqlite3.Connection | None = found
    return connection


def _made(question: Question[T], compiled: _Compiled, rows: Rows) -> list[T]:
    row, put_together = question.row, compiled.put_together
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


Put = tuple[Question[Any], dict[str, Any]]
"""A question with what it is asked with."""
# As many as there are kinds of pages and of viewers.
_JOINED: dict[tuple[Question[Any], ...], Joined] = {}


async def ask_ahead(session: AsyncSession, *put: Put) -> None:
    """Have the answers to questions that a page is about to ask, as one statement.

    Only where each question is a round trip. `ask` gives these answers to the same questions,
    asked with the same values; whatever else it is asked is of the same moment (or `Moved`).
    What turns out not to be asked costs no more than its answer.
    """
    snapshot: Snapshot | None = session.sync_session.info.get("snapshot")
    if snapshot is None or snapshot.is_sqlite or not put:
        return
    questions = tuple(question for question, _ in put)
    dialect = session.get_bind().dialect
    compiled = [question.compiled(dialect) for question in questions]
    joined = _JOINED.get(questions)
    if joined is None:
        kinds = (_kinds(question.statement, dialect) for question in questions)
        parts = zip(compiled, kinds, strict=True)
        joined = join([Part(one.sql, len(one.names), names) for one, names in parts])
        _JOINED[questions] = joined
    values = [
        value
        for one, (_, given) in zip(compiled, put, strict=True)
        for value in one.values(given, is_sqlite=False)
    ]
    answers = joined.parted(await snapshot.fetch_ahead(joined.sql, values))
    snapshot.held = {
        question: (given, rows) for (question, given), rows in zip(put, answers, strict=True)
    }


def _kinds(statement: Select[*tuple[Any, ...]], dialect: Dialect) -> list[str]:
    """The type of each column, as SQL names it."""
    name = dialect.type_compiler_instance.process
    return [name(column.type) for column in statement.selected_columns]


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
