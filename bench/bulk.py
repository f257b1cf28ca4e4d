# SPDX-License-Identifier: Apache-2.0
"""Filling tables quickly, by the bare drivers, indexes last."""

import sqlite3
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol, cast

import asyncpg
from sqlalchemy import Column, Table
from sqlalchemy.dialects import postgresql as postgresql_words
from sqlalchemy.dialects import sqlite as sqlite_words
from sqlalchemy.schema import CreateIndex, DropIndex

from storage.endorsements import Endorsement
from storage.posts import Post, PostTag
from storage.search import INDEX as SEARCH

__all__ = ["SEARCH", "Filler", "fill", "megabytes"]

TABLES = [cast(Table, model.__table__) for model in (Post, PostTag, Endorsement)]
SEARCH_COLUMNS = ("rowid", "title", "body")
COUNTERS = "UPDATE forums SET thread_count = {}, post_count = {}, bumped = {} WHERE id = {}"


class Filler(Protocol):
    """What gives the rows."""

    def chunks(self) -> Iterable[dict[Any, list[dict[str, Any]]]]: ...

    def forums(self) -> list[dict[str, Any]]: ...


def _plain(column: "Column[Any]") -> Any:
    """What the product puts into a column it is not told of."""
    default = column.default
    return default.arg if default is not None and default.is_scalar else None  # type: ignore[attr-defined]


def _columns(table: Any) -> list[tuple[str, Any]]:
    if table is SEARCH:
        return [(name, None) for name in SEARCH_COLUMNS]
    return [(column.name, _plain(column)) for column in table.columns]


def _tuples(table: Any, rows: Sequence[dict[str, Any]], *, sqlite: bool) -> list[tuple[Any, ...]]:
    columns = _columns(table)
    found = [tuple(row.get(name, plain) for name, plain in columns) for row in rows]
    if not sqlite:
        return found
    return [tuple(_for_sqlite(value) for value in row) for row in found]


def _for_sqlite(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")
    return value


async def fill(url: str, filler: Filler) -> None:
    """Put all rows in; what the search index keeps beside them is made here too."""
    if url.startswith("sqlite"):
        _fill_sqlite(url.removeprefix("sqlite:///"), filler)
    else:
        await _fill_postgresql(url, filler)


def _fill_sqlite(path: str, filler: Filler) -> None:
    connection = sqlite3.connect(path, isolation_level=None)
    # Nothing here must survive a crash, so no journal is written; the product turns it on again.
    for pragma in ("journal_mode = OFF", "synchronous = OFF", "cache_size = -400000"):
        connection.execute(f"PRAGMA {pragma}")
    indexes = [
        index for table in TABLES for index in sorted(table.indexes, key=lambda i: str(i.name))
    ]
    dialect = sqlite_words.dialect()
    for index in indexes:
        connection.execute(str(DropIndex(index).compile(dialect=dialect)))
    connection.execute("BEGIN IMMEDIATE")
    for chunk in filler.chunks():
        for table, rows in chunk.items():
            names = [name for name, _ in _columns(table)]
            marks = ", ".join("?" * len(names))
            statement = f"INSERT INTO {table.name} ({', '.join(names)}) VALUES ({marks})"  # noqa: S608
            connection.executemany(statement, _tuples(table, rows, sqlite=True))
    statement = COUNTERS.format("?", "?", "?", "?")
    for forum in filler.forums():
        bumped = _for_sqlite(forum["bumped"])
        connection.execute(statement, (forum["threads"], forum["posts"], bumped, forum["id"]))
    for index in indexes:
        connection.execute(str(CreateIndex(index).compile(dialect=dialect)))
    connection.execute("COMMIT")
    connection.close()


async def _fill_postgresql(url: str, filler: Filler) -> None:
    connection = await asyncpg.connect(url)
    dialect = postgresql_words.dialect()  # type: ignore[no-untyped-call]
    indexes = [
        index for table in TABLES for index in sorted(table.indexes, key=lambda i: str(i.name))
    ]
    # No trigger looks up the forum and the author of each row: we know that they are there.
    await connection.execute("SET session_replication_role = replica; DROP INDEX ix_search_index")
    await connection.execute("SET synchronous_commit = off")
    for index in indexes:
        await connection.execute(str(DropIndex(index).compile(dialect=dialect)))
    for chunk in filler.chunks():
        for table, rows in chunk.items():
            await connection.copy_records_to_table(
                table.name,
                records=_tuples(table, rows, sqlite=False),
                columns=[name for name, _ in _columns(table)],
            )
    statement = COUNTERS.format("$1", "$2", "$3", "$4")
    for forum in filler.forums():
        bumped = forum["bumped"]
        await connection.execute(statement, forum["threads"], forum["posts"], bumped, forum["id"])
    for index in indexes:
        await connection.execute(str(CreateIndex(index).compile(dialect=dialect)))
    await connection.execute("CREATE INDEX ix_search_index ON search_index USING GIN (document)")
    # What the server does by itself within minutes.
    await connection.execute("VACUUM ANALYZE")
    await connection.close()


async def megabytes(url: str) -> float:
    """How much room the database takes."""
    if url.startswith("sqlite"):
        return Path(url.removeprefix("sqlite:///")).stat().st_size / 1e6  # noqa: ASYNC240
    connection = await asyncpg.connect(url)
    try:
        size = await connection.fetchval("SELECT pg_database_size(current_database())")
    finally:
        await connection.close()
    return float(size) / 1e6
