# SPDX-License-Identifier: Apache-2.0
"""What is held in memory is never older than the question."""

import asyncio
import subprocess
import sys
from datetime import UTC, datetime

from sqlalchemy import delete, select, update

from storage.changes import Kept, Rows
from storage.database import Database
from storage.peers import PolicyRule

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
QUESTION = select(PolicyRule.pattern, PolicyRule.expires).order_by(PolicyRule.pattern)


def kept(database: Database) -> tuple[Kept[dict[str, datetime | None]], list[int]]:
    """The rules by pattern, and how often they were made from rows."""
    made: list[int] = []

    def make(rows: Rows) -> dict[str, datetime | None]:
        made.append(len(rows))
        return {pattern: expires for pattern, expires in rows}

    return database.kept(QUESTION, make), made


async def add(database: Database, number: int, expires: datetime | None = None) -> None:
    async with database.writer.transaction() as session:
        session.add(
            PolicyRule(
                id=number,
                pattern=f"{number}.example",
                verdict="deny",
                added_by="x",
                added=NOON,
                expires=expires,
            )
        )


async def test_every_commit_is_seen_by_the_next_question(
    database: Database, database_url: str
) -> None:
    rules, _ = kept(database)
    other = Database(database_url)
    assert await rules.current() == {}
    for number in range(1, 9):
        await add(database if number % 2 else other, number)
        assert len(await rules.current()) == number
    async with other.writer.transaction() as session:
        await session.execute(update(PolicyRule).where(PolicyRule.id == 3).values(expires=NOON))
    assert (await rules.current())["3.example"] == NOON
    async with other.writer.transaction() as session:
        await session.execute(delete(PolicyRule).where(PolicyRule.id != 3))
    assert await rules.current() == {"3.example": NOON}
    await other.close()


async def test_all_that_ask_at_once_see_what_was_committed_before(
    database: Database, database_url: str
) -> None:
    rules, _ = kept(database)
    other = Database(database_url)
    early = [asyncio.create_task(rules.current()) for _ in range(5)]
    await asyncio.sleep(0)
    await add(other, 1)
    late = await asyncio.gather(*(rules.current() for _ in range(20)))
    assert late == [{"1.example": None}] * 20
    await asyncio.gather(*early)
    await other.close()


async def test_commits_elsewhere_make_nothing_anew(database: Database) -> None:
    rules, made = kept(database)
    await add(database, 1)
    for number in range(3):
        assert await rules.current() == {"1.example": None}
        async with database.writer.transaction() as session:
            await session.execute(update(PolicyRule).values(reason=f"for reason {number}"))
    assert await rules.current() == {"1.example": None}
    assert made == [1]


async def test_one_that_gives_up_spoils_it_for_nobody(database: Database) -> None:
    rules, _ = kept(database)
    tasks = [asyncio.create_task(rules.current()) for _ in range(3)]
    await asyncio.sleep(0)
    tasks[0].cancel()
    assert await asyncio.gather(*tasks[1:]) == [{}, {}]


async def test_another_process_is_seen_without_waiting(database: Database) -> None:
    if not database.is_sqlite:
        assert database.glance.mark() is None
        return
    rules, _ = kept(database)
    assert rules.at_once() == {}
    sql = (
        "INSERT INTO policy_rules (id, pattern, verdict, reason, added_by, added)"
        " VALUES (1, 'evil.example', 'deny', '', '', '2026-11-23 12:00:00.000000')"
    )
    code = f"import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.execute({sql!r}); c.commit()"
    command = [sys.executable, "-c", code, str(database.url.database)]
    await asyncio.to_thread(subprocess.run, command, check=True)
    assert rules.at_once() == {"evil.example": None}
