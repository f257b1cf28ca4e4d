# SPDX-License-Identifier: Apache-2.0
"""What is held in memory is never older than the question."""

import asyncio
import subprocess
import sys
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import delete, select, text, update

from storage.changes import AGAIN, Glance, Kept, Rows
from storage.database import Database
from storage.peers import PolicyRule
from storage.practices import PracticeAncestor
from storage.versions import POLICY

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
QUESTION = select(PolicyRule.pattern, PolicyRule.expires).order_by(PolicyRule.pattern)


def kept(
    database: Database, scope: int | None = None
) -> tuple[Kept[dict[str, datetime | None]], list[int]]:
    """The rules by pattern, and how often they were made from rows."""
    made: list[int] = []

    def make(rows: Rows) -> dict[str, datetime | None]:
        made.append(len(rows))
        return {pattern: expires for pattern, expires in rows}

    return database.kept(QUESTION, make, scope), made


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
    (rules, _), (counted, _) = kept(database), kept(database, POLICY)
    other = Database(database_url)

    async def seen() -> dict[str, datetime | None]:
        found = await rules.current()
        assert await counted.current() == found
        return found

    assert await seen() == {}
    for number in range(1, 9):
        await add(database if number % 2 else other, number)
        assert len(await seen()) == number
    async with other.writer.transaction() as session:
        await session.execute(update(PolicyRule).where(PolicyRule.id == 3).values(expires=NOON))
    assert (await seen())["3.example"] == NOON
    async with other.writer.transaction() as session:
        rule = await session.get_one(PolicyRule, 3)
        rule.pattern = "other.example"
    assert (await seen())["other.example"] == NOON
    async with other.writer.transaction() as session:
        await session.delete(await session.get_one(PolicyRule, 3))
    assert len(await seen()) == 7
    async with other.writer.transaction() as session:
        await session.execute(delete(PolicyRule).where(PolicyRule.id != 4))
    assert await seen() == {"4.example": None}
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


async def test_where_changes_are_counted_all_is_read_again_only_after_one(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    await add(database, 1)
    read: list[str] = []
    for reader in (Glance, type(database.plain)):
        name = "rows" if reader is Glance else "fetch"
        put = getattr(reader, name)

        def noted(self: object, sql: str, *values: Any, put: Any = put) -> Any:
            read.append(sql)
            return put(self, sql, *values)

        monkeypatch.setattr(reader, name, noted)

    rules, _ = kept(database, POLICY)

    def whole() -> int:
        return sum("FROM policy_rules" in sql for sql in read)

    assert await rules.current() == {"1.example": None}
    first = whole()
    async with database.writer.transaction() as session:
        session.add(PracticeAncestor(uri="1.example", above="2.example"))
    assert await rules.current() == {"1.example": None}
    assert whole() == first == 1
    await add(database, 2)
    assert len(await rules.current()) == 2
    assert whole() == 2
    # By hand, past all that counts.
    async with database.writer.transaction() as session:
        await session.execute(text("DELETE FROM policy_rules WHERE id = 1"))
    rules._again -= AGAIN
    async with database.writer.transaction() as session:
        session.add(PracticeAncestor(uri="1.example", above="3.example"))
    assert await rules.current() == {"2.example": None}


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
