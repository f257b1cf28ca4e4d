# SPDX-License-Identifier: Apache-2.0
"""The base every table is made from, and its column types."""

import hashlib
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, TypeVar, cast

from sqlalchemy import (
    BigInteger,
    DateTime,
    Dialect,
    Integer,
    String,
    Table,
    TypeDecorator,
    func,
    select,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import DeclarativeBase, mapped_column

Identifier = BigInteger().with_variant(Integer(), "sqlite")
"""63-bit ids; on SQLite an INTEGER, so that the primary key is the rowid."""

_UNSTORABLE = re.compile("[\0\ud800-\udfff]")


def storable(value: str) -> str:
    """Text without what a database cannot hold, as `Characters` has it."""
    if value.isascii() and "\0" not in value:
        return value
    return _UNSTORABLE.sub("\ufffd", value)


class UtcDateTime(TypeDecorator[datetime]):
    """Aware UTC in, aware UTC out; SQLite alone would hand back naive values."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment without a time zone")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Characters(TypeDecorator[str]):
    """Text without what a database cannot hold: NUL, which PostgreSQL refuses, and lone surrogates.

    They become U+FFFD, when a row is looked for as well, so that nothing is found by them.
    """

    impl = String
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return storable(value) if value is not None else None


class Base(DeclarativeBase):
    """The one metadata of the database."""

    type_annotation_map = {  # noqa: RUF012 (SQLAlchemy reads it from the class)
        datetime: UtcDateTime(),
        str: Characters(),
        int: Identifier,
    }


Key = Annotated[int, mapped_column(Identifier, primary_key=True, autoincrement=False)]
Url = Annotated[str, mapped_column(Characters(2048))]
Word = Annotated[str, mapped_column(Characters(64))]


def insert(session: AsyncSession, table: type[Base]) -> sqlite.Insert:
    """An INSERT that knows ON CONFLICT, in the words of this session's database."""
    return upsert(session.get_bind().dialect.name, table)


def upsert(dialect: str, table: type[Base]) -> sqlite.Insert:
    """The same by the name of the database."""
    if dialect == "postgresql":
        # Both dialects' inserts share the on_conflict_* interface used here.
        return cast("sqlite.Insert", postgresql.insert(cast(Table, table.__table__)))
    return sqlite.insert(cast(Table, table.__table__))


Row = TypeVar("Row", bound=Base)


async def held(session: AsyncSession, table: type[Row], key: int) -> Row:
    """A row as it is now, kept from other writers until the commit; NoResultFound without it.

    Whoever counts something up or down reads it so; a forum before its posts, an opener before
    a reply, so that no two deeds wait for each other. On SQLite one deed writes at a time anyway.
    """
    await session.flush()
    if session.get_bind().dialect.name == "sqlite":
        return await session.get_one(table, key)
    # What was read of it before the lock was given may be out of date.
    return await session.get_one(
        table, key, populate_existing=True, with_for_update={"key_share": True}
    )


async def keep_from_others(session: AsyncSession, table: type[Row], key: int) -> None:
    """Keep a row from other writers until the commit, for whoever need not read it."""
    if session.get_bind().dialect.name != "sqlite":
        await held(session, table, key)


async def must_look_again(session: AsyncSession, name: str) -> bool:
    """Keep whoever else is about to add what has this name waiting until the commit.

    Whether somebody may have added it meanwhile: on SQLite one deed writes at a time anyway.
    """
    if session.get_bind().dialect.name == "sqlite":
        return False
    number = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], signed=True)
    await session.execute(select(func.pg_advisory_xact_lock(number)))
    return True


def in_batches(values: Sequence[Any], size: int = 400) -> list[Sequence[Any]]:
    """Slices of at most `size`, so that an IN list stays under SQLite's variable limit."""
    return [values[start : start + size] for start in range(0, len(values), size)]
