# SPDX-License-Identifier: Apache-2.0
"""The plain driver gives the rows that SQLAlchemy gives."""

import asyncio
from datetime import UTC, datetime

import pytest
from sqlalchemy import and_, inspect, select, text, union_all
from sqlalchemy.orm import aliased

from storage.among import among
from storage.base import Base
from storage.database import Database
from storage.peers import PolicyRule
from storage.plain import MOST_OPEN, Question, ask, found, give_back, given
from storage.posts import Post
from storage.practices import PracticeAncestor, PracticeNotice

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


OTHER = aliased(PracticeNotice)


def shown(row: Base) -> dict[str, object]:
    return {name: getattr(row, name) for name in inspect(type(row)).columns.keys()}  # noqa: SIM118


async def fill(database: Database) -> None:
    async with database.writer.transaction() as session:
        for number, expires in ((1, NOON), (2, None)):
            session.add(
                PolicyRule(
                    id=number, pattern=f"{number}.example", verdict="deny", added_by="Zoë",
                    added=NOON, expires=expires,
                )
            )  # fmt: skip
        session.add(
            PracticeNotice(
                uri="1.example", kind="advisory", words="Mind the gap.", url="", active=False,
                given=NOON, at=NOON,
            )
        )  # fmt: skip
        session.add(PracticeAncestor(uri="1.example", above="2.example"))


async def test_whole_tables_come_as_rows_that_belong_to_no_session(database: Database) -> None:
    await fill(database)
    question = Question(
        select(PracticeNotice.kind, PolicyRule, OTHER, PracticeNotice.words)
        .outerjoin(
            PracticeNotice,
            and_(PracticeNotice.uri == PolicyRule.pattern, PolicyRule.id == given("joined")),
        )
        .outerjoin(OTHER, OTHER.uri == PracticeNotice.uri)
        .where(among(PolicyRule.pattern, "names", PolicyRule.pattern.type))
        .order_by(PolicyRule.id),
        lambda *cells: cells,
    )
    # What no database can hold is looked for as it would have been stored.
    asked = {"joined": 1, "names": ["1.example", "2.example", "\0\ud800", "ß"]}
    async with database.reading() as session:
        first, second = await ask(session, question, **asked)
        known = {row.id: row for row in (await session.execute(select(PolicyRule))).scalars()}
        notice = await session.get_one(PracticeNotice, "1.example")
        assert (first[0], first[3]) == ("advisory", "Mind the gap.")
        assert (second[0], second[2], second[3]) == (None, None, None)
        for row, other in ((first[1], known[1]), (second[1], known[2]), (first[2], notice)):
            assert shown(row) == shown(other)
            assert row is not other
            assert inspect(row).detached
            assert inspect(row).identity == getattr(inspect(other), "identity", None)
        assert first[2].active is False


async def test_a_row_is_found_by_its_key_beside_a_deed_as_well(database: Database) -> None:
    await fill(database)
    for opened in (database.reading, database.writer.transaction):
        async with opened() as session:
            rule = await found(session, PolicyRule, 2)
            assert rule is not None
            assert (rule.pattern, rule.added) == ("2.example", NOON)
            assert await found(session, PolicyRule, 3) is None
            link = await found(session, PracticeAncestor, "1.example", "2.example")
            assert link is not None
            assert await found(session, PracticeAncestor, "2.example", "1.example") is None
    async with database.writer.transaction() as session:
        rule = await session.get_one(PolicyRule, 2)
        rule.reason = "changed in this deed"
        assert await found(session, PolicyRule, 2) is rule


async def test_what_cannot_be_put_together_is_refused(database: Database) -> None:
    async with database.reading() as session:
        for columns in ((PolicyRule, PolicyRule), (PolicyRule.id, PolicyRule)):
            with pytest.raises(TypeError, match="selected twice"):
                await ask(session, Question(select(*columns), lambda *cells: cells))


async def test_several_values_are_found_by_an_index(database: Database) -> None:
    """Of a million posts a few: on SQLite a condition said to be a Boolean reads them all."""
    if not database.is_sqlite:
        return
    one = aliased(Post)
    led_to = union_all(
        select(one.id).where(among(one.uri, "names", one.uri.type)),
        select(one.id).where(among(one.id, "ids")),
    )
    question = select(Post.html).where(Post.id.in_(led_to), ~among(Post.id, "ids"))
    async with database.reading() as session:
        sql = str(question.compile(dialect=session.get_bind().dialect))
        plan = await session.execute(text(f"EXPLAIN QUERY PLAN {sql.replace('?', 'NULL')}"))
        steps = [row[-1] for row in plan if "json_each" not in row[-1]]
    assert [step for step in steps if step.startswith("SCAN")] == []
    assert [step for step in steps if step.startswith("SEARCH posts")]


async def test_who_asks_in_further_sessions_gives_back_what_they_hold(database: Database) -> None:
    await fill(database)
    question = Question(select(PolicyRule.id).order_by(PolicyRule.id), int)
    all_hold, held = asyncio.Event(), 0

    async def one() -> list[int]:
        nonlocal held
        async with database.reading() as session:
            first = await ask(session, question)
            await give_back(session)
            held += 1
            if held > MOST_OPEN:
                all_hold.set()
            await all_hold.wait()
            async with database.reading() as further:
                second = await ask(further, question)
            return [*first, *second, *await ask(session, question)]

    async with asyncio.timeout(60):
        answers = await asyncio.gather(*(one() for _ in range(MOST_OPEN + 1)))
    assert answers == [[1, 2] * 3] * (MOST_OPEN + 1)
