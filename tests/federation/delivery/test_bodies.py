# SPDX-License-Identifier: Apache-2.0
"""Bodies that are held for many lanes, and scrubbed meanwhile."""

import asyncio

import pytest
from sqlalchemy import update

from federation.delivery import bodies as holding
from federation.delivery.bodies import Bodies
from federation.delivery.visibility import ASKED_EVERY
from federation.station import Station
from server.instance import Instance
from storage import lanes
from storage.database import Database
from storage.log import ActivityBody
from tests.databases import database_url as database_url
from tests.databases import empty_url as empty_url

SUBJECT = "https://riverton.example/p/1"
SCRUB = update(ActivityBody).where(ActivityBody.subject == SUBJECT).values(body=None)


@pytest.fixture
async def stored(instance: Instance) -> int:
    async with instance.transaction() as tx:
        row = ActivityBody(id=1, subject=SUBJECT, body="{}")
        tx.session.add(row)
        await tx.session.flush()
        return row.id


async def asked_again(instance: Instance) -> None:
    """Let pass what an answer counts for where the database cannot tell that nothing changed."""
    if instance.database.glance.mark() is None:
        await asyncio.sleep(ASKED_EVERY)


async def test_what_is_held_is_held_through_the_commits_of_others(
    instance: Instance, stored: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(holding, "ASKED_EVERY", 60.0)
    bodies = Bodies(Station(instance))
    assert bodies.held(stored) is None
    assert await bodies.body(stored) == b"{}"
    async with instance.transaction() as tx:
        tx.session.add(ActivityBody(id=2, subject=f"{SUBJECT}2", body="[]"))
    assert bodies.held(stored) == b"{}"


async def test_what_was_scrubbed_here_is_held_no_more(instance: Instance, stored: int) -> None:
    bodies = Bodies(Station(instance))
    assert await bodies.body(stored) == b"{}"
    async with instance.transaction() as tx:
        await tx.session.execute(SCRUB)
    await asked_again(instance)
    assert bodies.held(stored) is None
    assert await bodies.body(stored) is None


async def test_what_another_process_scrubbed_is_held_no_more(
    instance: Instance, stored: int, database_url: str
) -> None:
    bodies = Bodies(Station(instance))
    assert await bodies.body(stored) == b"{}"
    other = Database(database_url)
    async with other.writer.transaction() as session:
        await session.execute(SCRUB)
    await other.close()
    await asked_again(instance)
    assert bodies.held(stored) is None
    assert await bodies.body(stored) is None


async def test_what_is_scrubbed_while_it_is_read_is_not_kept(
    instance: Instance, stored: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    bodies = Bodies(Station(instance))
    read, may_end = lanes.bodies, asyncio.Event()

    async def slowly(*asked: object) -> dict[int, str | None]:
        found = await read(*asked)  # type: ignore[arg-type]
        await may_end.wait()
        return found

    monkeypatch.setattr(lanes, "bodies", slowly)
    reading = asyncio.create_task(bodies.body(stored))
    await asyncio.sleep(0.05)
    async with instance.transaction() as tx:
        await tx.session.execute(SCRUB)
    may_end.set()
    await reading
    assert bodies.held(stored) is None
    assert await bodies.body(stored) is None
