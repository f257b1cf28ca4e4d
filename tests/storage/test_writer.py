# SPDX-License-Identifier: Apache-2.0
"""The one way rows are written."""

import asyncio
import contextlib
import shutil
import sqlite3
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from storage import hops, metering, writer
from storage.appends import Unwell
from storage.base import held
from storage.database import Database
from storage.faults import passes
from storage.inbox import InboxRow, InboxState
from storage.log import Lane

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
UNIQUE = ("signer", "activity_id")


def _row(number: int, *, identifier: int | None = None, **changes: Any) -> dict[str, Any]:
    return {
        "id": identifier or number,
        "signer": "https://lakeside.example.gov/u/marek",
        "activity_id": f"https://lakeside.example.gov/u/marek#like-{number}",
        "kind": "Like",
        "key_id": "https://lakeside.example.gov/u/marek#main-key",
        "request_digest": "d" * 64,
        "body": "{}",
        "received": NOON,
        "state": InboxState.WAITING,
        "attempts": 0,
        "next_try": NOON,
        "note": "",
        **changes,
    }


async def _count(database: Database) -> int:
    async with database.reading() as session:
        return (await session.execute(select(func.count(InboxRow.id)))).scalar_one()


@pytest.fixture
async def lane(database: Database) -> int:
    """A lane that has delivered nothing."""
    async with database.writer.transaction() as session:
        session.add(
            Lane(id=7, inbox="https://b.example/inbox", peer="b.example", created=NOON, delivered=0)
        )
    return 7


async def test_deeds_that_count_at_once_lose_no_count(database: Database, lane: int) -> None:
    async def count() -> None:
        async with database.writer.transaction() as session:
            row = await held(session, Lane, lane)
            seen = row.delivered
            await asyncio.sleep(0)
            row.delivered = seen + 1

    await asyncio.gather(*(count() for _ in range(20)))
    async with database.reading() as session:
        assert (await session.get_one(Lane, lane)).delivered == 20


async def test_a_row_taken_again_keeps_what_this_deed_changed(
    database: Database, lane: int
) -> None:
    async with database.writer.transaction() as session:
        row = await held(session, Lane, lane)
        row.delivered += 3
        assert (await held(session, Lane, lane)).delivered == 3
        row.delivered += 1
    async with database.reading() as session:
        assert (await session.get_one(Lane, lane)).delivered == 4


async def test_a_deed_that_fails_leaves_nothing(database: Database, lane: int) -> None:
    async def fail() -> None:
        async with database.writer.transaction() as session:
            (await session.get_one(Lane, lane)).delivered = 5
            await session.flush()
            raise RuntimeError("changed its mind")

    with pytest.raises(RuntimeError, match="changed its mind"):
        await fail()
    async with database.reading() as session:
        assert (await session.get_one(Lane, lane)).delivered == 0
    async with database.writer.transaction() as session:
        (await session.get_one(Lane, lane)).delivered = 6
    async with database.reading() as session:
        assert (await session.get_one(Lane, lane)).delivered == 6


async def test_many_rows_share_a_few_commits(database: Database) -> None:
    before = database.writer.commits
    stored = await asyncio.gather(
        *(database.writer.append(InboxRow, _row(n), unique=UNIQUE) for n in range(1, 151))
    )
    assert stored == [True] * 150
    assert await _count(database) == 150
    assert 1 <= database.writer.commits - before <= 3


async def test_more_than_a_batch_is_stored_as_well(database: Database) -> None:
    before = database.writer.commits
    stored = await asyncio.gather(
        *(database.writer.append(InboxRow, _row(n), unique=UNIQUE) for n in range(1, 451))
    )
    assert sum(stored) == 450
    assert await _count(database) == 450
    assert 3 <= database.writer.commits - before <= 6


async def test_a_row_is_there_before_its_sender_hears_of_it(
    database: Database, database_url: str
) -> None:
    # Seen through a connection of another process, which knows only what was committed.
    other = Database(database_url)
    for number in range(1, 4):
        assert await database.writer.append(InboxRow, _row(number), unique=UNIQUE)
        assert await _count(other) == number
    await other.close()


async def test_rows_wait_for_the_deed_before_them_and_a_deed_sees_them(database: Database) -> None:
    async with database.writer.transaction() as session:
        task = asyncio.create_task(database.writer.append(InboxRow, _row(1), unique=UNIQUE))
        await asyncio.sleep(0.05)
        if database.is_sqlite:
            assert not task.done()
        assert (await session.execute(select(func.count(InboxRow.id)))).scalar_one() in {0, 1}
    assert await task
    async with database.writer.transaction() as session:
        assert (await session.execute(select(func.count(InboxRow.id)))).scalar_one() == 1


async def test_a_repeat_is_told_from_a_first_time(database: Database) -> None:
    assert await database.writer.append(InboxRow, _row(1), unique=UNIQUE)
    assert not await database.writer.append(InboxRow, _row(1, identifier=2), unique=UNIQUE)
    at_once = await asyncio.gather(
        *(
            database.writer.append(InboxRow, _row(2, identifier=100 + n), unique=UNIQUE)
            for n in range(10)
        )
    )
    assert sorted(at_once) == [False] * 9 + [True]
    assert await _count(database) == 2


async def test_a_row_that_cannot_be_stored_does_not_take_its_neighbours_along(
    database: Database,
) -> None:
    rows = [_row(n) for n in range(1, 8)]
    rows[3] = _row(4, kind=None)
    answers = await asyncio.gather(
        *(database.writer.append(InboxRow, row, unique=UNIQUE) for row in rows),
        return_exceptions=True,
    )
    assert isinstance(answers[3], SQLAlchemyError)
    assert [answer for n, answer in enumerate(answers) if n != 3] == [True] * 6
    assert await _count(database) == 6
    assert await database.writer.append(InboxRow, _row(4), unique=UNIQUE)


async def test_a_sender_that_goes_away_does_not_stop_the_others(database: Database) -> None:
    async with database.writer.transaction():
        tasks = [
            asyncio.create_task(database.writer.append(InboxRow, _row(n), unique=UNIQUE))
            for n in range(1, 6)
        ]
        await asyncio.sleep(0)
        tasks[2].cancel()
    answers = await asyncio.gather(*tasks, return_exceptions=True)
    assert isinstance(answers[2], asyncio.CancelledError)
    assert [answers[n] for n in (0, 1, 3, 4)] == [True] * 4
    assert await _count(database) >= 4


async def test_closing_waits_for_what_is_queued(database: Database, database_url: str) -> None:
    task = asyncio.create_task(database.writer.append(InboxRow, _row(1), unique=UNIQUE))
    await asyncio.sleep(0)
    await database.close()
    assert await task
    again = Database(database_url)
    assert await _count(again) == 1
    await again.close()


async def test_who_stands_in_line_behind_a_lock_of_others_is_told_at_once(
    tmp_path: Path, empty_database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One finds out that somebody else holds the database; the rest need not, one by one."""
    file = tmp_path / "held.db"
    shutil.copy(empty_database, file)
    database = Database(f"sqlite:///{file}")
    monkeypatch.setattr(writer, "PATIENCE", 0.0)

    async def deed() -> None:
        async with database.writer.transaction() as session:
            await session.execute(select(Lane))

    # What is waited for is otherwise 5 s.
    monkeypatch.setattr(hops, "PATIENCE", 50)
    with contextlib.closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        ends = await asyncio.gather(*(deed() for _ in range(6)), return_exceptions=True)
        assert [type(end) for end in ends] == [OperationalError] + [Unwell] * 5
        assert all(isinstance(end, BaseException) and passes(end) for end in ends)
        other.execute("ROLLBACK")
    await deed()
    await database.close()


async def test_who_writes_beside_a_busy_process_gets_a_turn(
    tmp_path: Path, empty_database: Path
) -> None:
    """It pauses for two thousandths of a second after each of its transactions."""
    file = tmp_path / "busy.db"
    shutil.copy(empty_database, file)
    is_held, is_enough = threading.Event(), threading.Event()

    def busy() -> None:
        with contextlib.closing(sqlite3.connect(file, isolation_level=None)) as other:
            while not is_enough.is_set():
                other.execute("BEGIN IMMEDIATE")
                is_held.set()
                is_enough.wait(0.15)
                other.execute("COMMIT")
                is_enough.wait(0.002)

    database = Database(f"sqlite:///{file}")
    async with asyncio.TaskGroup() as group:
        group.create_task(asyncio.to_thread(busy))
        try:
            await asyncio.to_thread(is_held.wait)
            for _ in range(3):
                async with database.writer.transaction() as session:
                    await session.execute(select(Lane))
        finally:
            is_enough.set()
    assert database.writer.commits == 3
    await database.close()


class Counted:
    """A meter that has room for a hundred bytes."""

    total = 0

    def must_have_room(self, size: int) -> None:
        if size > 100 - self.total:
            raise OverflowError

    def kept(self, size: int) -> None:
        self.total += size


async def test_what_a_deed_stores_is_counted_in_bytes_once_it_is_committed(
    database: Database, lane: int
) -> None:
    meter = Counted()

    async def renamed(name: str) -> None:
        async with database.writer.transaction() as session:
            (await held(session, Lane, lane)).peer = name
            await session.flush()
            if name == "back":
                raise RuntimeError

    with metering.metered(meter):
        await renamed("ascii.example")
        await renamed("\u5e02.example")
        with pytest.raises(RuntimeError):
            await renamed("back")
        assert meter.total == len("ascii.example") + 3 + len(".example")
        with pytest.raises(OverflowError):
            await renamed("\u5e02" * 30)
    await renamed("x" * 90)
    assert meter.total == 24


async def test_a_deed_whose_connection_was_lost_ends_as_it_was_ended(database: Database) -> None:
    """A server that stops in the middle of a statement tells of no crash."""

    async def cut_off() -> None:
        async with database.writer.transaction() as session:
            await (await session.connection()).invalidate()
            raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        await cut_off()
