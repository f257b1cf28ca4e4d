# SPDX-License-Identifier: Apache-2.0
"""The plain driver gives the rows that SQLAlchemy gives."""

import asyncio
from datetime import UTC, datetime

import pytest
from sqlalchemy import and_, func, inspect, select, text, union_all
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from server.instance import Instance
from storage.among import among
from storage.base import Base
from storage.database import Database
from storage.peers import PolicyRule
from storage.plain import Put, Question, ask, ask_ahead, found, give_back, given
from storage.pool import MOST_OPEN
from storage.posts import Post
from storage.practices import PracticeAncestor, PracticeNotice
from storage.snapshots import Moved

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


def several() -> tuple[Put, ...]:
    """Questions with rows of other kinds, in orders of their own; one is asked in vain."""
    rules = select(PolicyRule.expires, PolicyRule.pattern, PolicyRule.id)
    return (
        (Question(rules.order_by(PolicyRule.id.desc()), lambda *cells: cells), {}),
        (Question(select(func.count()).where(PolicyRule.id > given("least")), int), {"least": 1}),
        (Question(select(PracticeNotice), lambda row: (row.uri, row.active, row.at)), {}),
        (Question(select(PolicyRule.id).where(PolicyRule.id == given("id")), int), {"id": 9}),
    )


async def test_what_is_asked_ahead_is_answered_as_by_itself(database: Database) -> None:
    await fill(database)
    put = several()
    async with database.reading() as session:
        expected = [await ask(session, question, **asked) for question, asked in put]
    assert [len(answer) for answer in expected] == [2, 1, 1, 0]
    for steady in (False, True):
        async with database.reading(planned_once=True, steady=steady) as session:
            before = database.plain.asked
            await ask_ahead(session, *put)
            found = [await ask(session, question, **asked) for question, asked in put]
            assert found == expected
            assert database.plain.asked - before == (len(put) if database.is_sqlite else 1)
            # The same question with another value is another one.
            assert await ask(session, put[1][0], least=0) == [2]


async def test_what_was_asked_ahead_and_what_follows_are_of_one_moment(database: Database) -> None:
    """On SQLite nothing is asked ahead, and the first question begins the moment."""
    await fill(database)
    put = several()
    all_rules, count = put[0][0], put[1][0]

    async def seen(*, steady: bool) -> tuple[int, int]:
        async with database.reading(steady=steady) as session:
            await ask_ahead(session, *put)
            rules = len(await ask(session, all_rules))
            async with database.writer.transaction() as deed:
                await deed.delete(await deed.get_one(PolicyRule, rules))
            return rules, (await ask(session, count, least=0))[0]

    if database.is_sqlite:
        assert await seen(steady=False) == (2, 2)
    else:
        with pytest.raises(Moved):
            await seen(steady=False)
    assert await seen(steady=True) == (1, 1)


async def test_who_looks_while_it_changes_looks_once_more(instance: Instance) -> None:
    await fill(instance.database)
    put = several()
    looks = 0

    async def look(session: AsyncSession) -> tuple[int, int]:
        nonlocal looks
        looks += 1
        rules = len(await ask(session, put[0][0]))
        if looks == 1:
            async with instance.transaction() as tx:
                await tx.session.delete(await tx.session.get_one(PolicyRule, 2))
        return rules, (await ask(session, put[1][0], least=0))[0]

    seen = await instance.looked(look, put)
    assert (looks, seen) == ((1, (2, 2)) if instance.database.is_sqlite else (2, (1, 1)))
