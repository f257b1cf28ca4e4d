# SPDX-License-Identifier: Apache-2.0
"""PostgreSQL restarts, and cuts connections, while it is used."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest
from sqlalchemy import event, text
from sqlalchemy.exc import SQLAlchemyError

from storage.appends import NOTIFY_CHANNEL
from storage.database import Database
from storage.faults import FAULTS
from tests.databases import PostgresServer, postgres_cluster, postgres_template, postgres_url
from tests.hostile.commons import Commons, like
from tests.hostile.peer import ScriptedPeer, mallory

__all__ = ["postgres_template", "postgres_url"]
pytestmark = pytest.mark.postgres
SECONDS = 20.0


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """A cluster of these tests alone: nobody else's is stopped."""
    yield from postgres_cluster()


@pytest.fixture
def database_url(postgres_url: str) -> str:
    return postgres_url


async def eventually(ask: Callable[[], Awaitable[bool]]) -> None:
    end = time.monotonic() + SECONDS
    while not await ask():
        assert time.monotonic() < end
        await asyncio.sleep(0.05)


async def test_a_restart_of_the_database_is_waited_out(
    gh: Commons, evil: ScriptedPeer, postgres_server: PostgresServer
) -> None:
    await gh.sent(evil, like(mallory(evil), gh.thread.uri, 0))
    undo = {"id": f"{mallory(evil)}#undo-0", "type": "Undo", "actor": mallory(evil)}
    postgres_server.stop()
    try:
        answer = await gh.deliver(evil, like(mallory(evil), gh.thread.uri, 1))
        assert answer.status_code == 503
        assert int(answer.headers["Retry-After"]) > 0
        page = await gh.client.get("/forums", headers={"Accept": "text/html"})
        assert page.status_code == 503
        assert int(page.headers["Retry-After"]) > 0
        assert "try again in a little while" in page.text
        health = await gh.client.get("/healthz")
        assert health.status_code == 503
    finally:
        postgres_server.begin()
    document = undo | {"object": like(mallory(evil), gh.thread.uri, 0)}

    async def taken() -> bool:
        return (await gh.deliver(evil, document)).status_code in {202, 409}

    await eventually(taken)
    await gh.settled()
    assert await gh.endorsements(gh.thread) == 0
    assert (await gh.client.get("/forums")).status_code == 200
    counts = await gh.counts()
    assert counts["inbox"] == 2


async def test_a_connection_cut_at_the_commit_does_nothing_twice(
    gh: Commons, evil: ScriptedPeer
) -> None:
    """The worker's own connection goes at the very commit that applies what was received."""
    cuts: list[int] = []
    sync = gh.instance.database._write.sync_engine

    def cut(connection: Any) -> None:
        if len(cuts) < 3:
            # Counted first: several may come to their commit while this one asks.
            cuts.append(0)
            process = connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one()
            with suppress(SQLAlchemyError):
                connection.exec_driver_sql(f"SELECT pg_terminate_backend({process})")

    event.listen(sync, "commit", cut)
    statuses = []

    async def taken() -> bool:
        answer = await gh.deliver(evil, like(mallory(evil), gh.thread.uri))
        statuses.append(answer.status_code)
        return answer.status_code in {202, 409}

    await eventually(taken)
    assert set(statuses) <= {202, 409, 503}

    async def endorsed() -> bool:
        with suppress(*FAULTS):
            gh.clock.turn(minutes=1)
            gh.instance.wake()
            return await gh.endorsements(gh.thread) == 1
        return False

    await eventually(endorsed)
    assert len(cuts) == 3
    await gh.settled()
    assert (await gh.counts())["inbox"] == 1
    assert (await gh.counts())["endorsements"] == 1


async def test_notifications_are_heard_again_after_a_restart(
    postgres_url: str, postgres_server: PostgresServer
) -> None:
    database = Database(postgres_url)
    heard = asyncio.Event()
    stop = await database.listen(heard.set)
    try:
        postgres_server.stop()
        postgres_server.begin()
        # It wakes by itself, since it may have missed something.
        await asyncio.wait_for(heard.wait(), SECONDS)
        heard.clear()
        async with database.writer.transaction() as session:
            await session.execute(text(f"SELECT pg_notify('{NOTIFY_CHANNEL}', '')"))
        await asyncio.wait_for(heard.wait(), SECONDS)
    finally:
        await stop()
        await database.close()
