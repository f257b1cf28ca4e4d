# SPDX-License-Identifier: Apache-2.0
"""Appended rows take turns with deeds, and fail in two ways."""

import asyncio

import pytest
from sqlalchemy import select, text

from storage.appends import NotStored, Unwell
from storage.database import Database
from storage.inbox import InboxRow
from tests.storage.test_writer import UNIQUE, _count, _row


async def test_a_flood_of_deeds_leaves_room_for_appends(database: Database) -> None:
    ended: list[str] = []

    async def deed() -> None:
        async with database.writer.transaction() as session:
            await session.execute(text("SELECT 1"))
        ended.append("deed")

    async def append() -> None:
        await database.writer.append(InboxRow, _row(1), unique=UNIQUE)
        ended.append("append")

    await asyncio.gather(*(deed() for _ in range(20)), append())
    if database.is_sqlite:
        assert ended.index("append") <= 2
    assert len(ended) == 21


async def test_a_flood_of_appends_leaves_room_for_deeds(database: Database) -> None:
    appends = [
        asyncio.create_task(database.writer.append(InboxRow, _row(n), unique=UNIQUE))
        for n in range(1, 1001)
    ]
    await asyncio.sleep(0)
    async with database.writer.transaction() as session:
        await session.execute(text("SELECT 1"))
    if database.is_sqlite:
        assert database.writer.waiting >= 400
    assert await asyncio.gather(*appends) == [True] * 1000
    assert database.writer.waiting == 0


async def test_a_database_that_takes_nothing_says_so_and_recovers(database: Database) -> None:
    async with database.writer.transaction() as session:
        await session.execute(text("ALTER TABLE inbox RENAME TO elsewhere"))
    answers = await asyncio.gather(
        *(database.writer.append(InboxRow, _row(n), unique=UNIQUE) for n in range(1, 4)),
        return_exceptions=True,
    )
    assert [type(answer) for answer in answers] == [Unwell] * 3
    async with database.writer.transaction() as session:
        await session.execute(text("ALTER TABLE elsewhere RENAME TO inbox"))
    assert await database.writer.append(InboxRow, _row(1), unique=UNIQUE)
    assert await _count(database) == 1


async def test_an_id_given_out_twice_is_no_repeat(database: Database) -> None:
    assert await database.writer.append(InboxRow, _row(1), unique=UNIQUE)
    with pytest.raises(NotStored):
        await database.writer.append(InboxRow, _row(2, identifier=1), unique=UNIQUE)
    assert await database.writer.append(InboxRow, _row(2), unique=UNIQUE)


async def test_what_is_stored_comes_back_as_through_a_session(database: Database) -> None:
    given = _row(1, body='{"a": "\u00e9 \U0001f600"}', note="a\x00b")
    async with database.writer.transaction() as session:
        session.add(InboxRow(**given))
    await database.writer.append(InboxRow, given | _row(2, body=None), unique=UNIQUE)
    await database.writer.append(
        InboxRow, given | {"id": 3, "activity_id": "https://b.example/3"}, unique=UNIQUE
    )
    columns = [getattr(InboxRow, name) for name in given if name not in {"id", "activity_id"}]
    question = select(*columns).where(InboxRow.id.in_([1, 3]))
    async with database.reading() as session:
        rows = (await session.execute(question)).all()
    assert len(rows) == 2
    assert rows[0] == rows[1]
    assert rows[0].note == "a\ufffdb"
