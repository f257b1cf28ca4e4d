# SPDX-License-Identifier: Apache-2.0
"""Connections that PostgreSQL has closed are handed to nobody."""

import asyncio
from contextlib import AsyncExitStack

import pytest
from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncSession

from storage import database as opening
from storage.database import Database


@pytest.fixture
def postgres(database: Database) -> Database:
    if database.is_sqlite:
        pytest.skip("a file closes no connections")
    return database


async def _backends(database: Database, wanted: int) -> list[int]:
    """Ask on so many connections at once; the number of the process behind each."""
    async with AsyncExitStack() as stack:
        sessions = [await stack.enter_async_context(database.reading()) for _ in range(wanted)]
        return [
            int((await session.execute(text("SELECT pg_backend_pid()"))).scalar_one())
            for session in sessions
        ]


async def _until(session: AsyncSession, left: TextClause, those: list[int]) -> None:
    """Ask until none of them is left; each question gives the loop time to notice an end."""
    while True:
        if not (await session.execute(left, {"those": those})).scalar_one():
            return


@pytest.mark.parametrize("asked_after", [30.0, -1.0])
async def test_who_asks_after_the_database_has_closed_all_gets_an_answer(
    postgres: Database, monkeypatch: pytest.MonkeyPatch, asked_after: float
) -> None:
    """Whether the end of a connection is known already, or found out by asking it."""
    monkeypatch.setattr(opening, "ASKED_AFTER", asked_after)
    before = await _backends(postgres, 3)
    assert len(set(before)) == 3
    other = Database(postgres.url.set(drivername="postgresql").render_as_string())
    try:
        async with other.reading() as session:
            for backend in before:
                await session.execute(text(f"SELECT pg_terminate_backend({backend})"))
            left = text("SELECT count(*) FROM pg_stat_activity WHERE pid = ANY(:those)")
            async with asyncio.timeout(10):
                await _until(session, left, before)
    finally:
        await other.close()
    after = await _backends(postgres, 3)
    assert not set(after) & set(before)


async def test_a_connection_in_use_is_asked_nothing_more(
    postgres: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A question costs one round to the database, not three for the connection besides."""
    pinged: list[object] = []
    monkeypatch.setattr(postgres._write.dialect, "do_ping", pinged.append)
    first = await _backends(postgres, 1)
    assert await _backends(postgres, 1) == first
    assert pinged == []
    monkeypatch.setattr(opening, "ASKED_AFTER", -1.0)
    assert await _backends(postgres, 1) == first
    assert len(pinged) == 1
