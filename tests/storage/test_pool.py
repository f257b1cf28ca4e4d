# SPDX-License-Identifier: Apache-2.0
"""Connections of the plain driver stay open while needed, and are shared."""

import asyncio

import asyncpg
import pytest
from sqlalchemy import func, select

from storage.database import Database
from storage.peers import PolicyRule
from storage.plain import Question, ask
from storage.pool import KEPT_OPEN, LINGERS, MOST_OPEN, Pool

pytestmark = pytest.mark.postgres


@pytest.fixture
async def asked(postgres_url: str) -> Database:
    return Database(postgres_url)


async def test_what_was_needed_a_moment_ago_stays_open_and_the_rest_is_closed(
    asked: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[object] = []
    connect = asyncpg.connect

    async def counted(*given: object, **options: object) -> object:
        opened.append(await connect(*given, **options))
        return opened[-1]

    monkeypatch.setattr(asyncpg, "connect", counted)
    question = Question(select(func.count()).select_from(PolicyRule), int)
    all_hold, held = asyncio.Event(), 0

    async def one(number: int) -> None:
        nonlocal held
        async with asked.reading(planned_once=number % 2 == 0) as session:
            assert await ask(session, question) == [0]
            held += 1
            if held == 10:
                all_hold.set()
            await all_hold.wait()
            # Beside one that is held: it waits for none of those who hold one.
            assert list(await asked.plain.fetch("SELECT 7", ())) == [(7,)]

    kept: Pool = asked.plain.pool  # type: ignore[attr-defined]
    try:
        async with asyncio.timeout(60):
            await asyncio.gather(*(one(number) for number in range(40)))
            many = len(opened)
            assert 10 < many <= MOST_OPEN
            held = 0
            all_hold.clear()
            await asyncio.gather(*(one(number) for number in range(40)))
        assert len(opened) == many
        # LINGERS after LINGERS, and none is needed.
        for _ in range(2):
            assert kept._look is not None
            assert kept._look.when() <= asyncio.get_running_loop().time() + LINGERS
            kept._look.cancel()
            kept._close_unneeded()
        assert kept._look is None
        assert sum(not one.is_closed() for one in opened) == KEPT_OPEN  # type: ignore[attr-defined]
        assert list(await asked.plain.fetch("SELECT 7", ())) == [(7,)]
        assert len(opened) == many
    finally:
        await asked.close()
    assert all(one.is_closed() for one in opened)  # type: ignore[attr-defined]


async def test_a_connection_plans_as_who_has_it_now_needs(postgres_url: str) -> None:
    pool = Pool(postgres_url)
    # As many as stay open, so that those who come next are given one of these.
    for once in (True, False, True):
        held = [await pool.take(planned_once=once, alone=False) for _ in range(KEPT_OPEN)]
        wanted = "force_generic_plan" if once else "auto"
        assert [await one.fetchval("SHOW plan_cache_mode") for one in held] == [wanted] * KEPT_OPEN
        for one in held:
            pool.give_back(one, sound=True, planned_once=once, alone=False)
    await pool.close()
