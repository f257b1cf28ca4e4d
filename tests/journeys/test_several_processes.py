# SPDX-License-Identifier: Apache-2.0
"""Several processes of one agency share a database and its work."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import select

from federation import worker
from federation.station import Station
from federation.worker import Worker
from server.instance import Instance
from server.posts import writing
from server.posts.drafts import ThreadDraft
from server.settings import Settings
from storage import log
from storage.facts import FactRow
from storage.log import ActivityBody, Entry, Form
from tests import makers
from tests.crash.town import Town, settles, town
from tests.crash.zygote import Zygote
from tests.databases import PostgresServer

pytestmark = pytest.mark.postgres
SINKS = 6
POSTS = 8
NAMES = ("lakeside", "riverton")


@pytest.fixture
def urls(postgres_server: PostgresServer, postgres_template: str) -> Iterator[dict[str, str]]:
    """A database for each of the two agencies."""
    found = {}
    for name in NAMES:
        postgres_server.run("createdb", "-T", postgres_template, f"several_{name}")
        found[name] = postgres_server.url(f"several_{name}")
    yield found
    for name in NAMES:
        postgres_server.run("dropdb", "--force", f"several_{name}")


@pytest.fixture
async def shared(tmp_path: Path, urls: dict[str, str], processes: Zygote) -> AsyncIterator[Town]:
    """Two agencies, each with two processes that serve and two that work."""
    async with town(tmp_path, processes, urls, SINKS, shared=True) as built:
        yield built


async def test_four_processes_of_an_agency_do_everything_once(shared: Town) -> None:
    for number in range(POSTS):
        await shared.burst(number)
    await settles(shared.unsettled)
    assert shared.sinks.repeats == 0
    assert await shared.notified() == POSTS
    assert await shared.not_applied() == []


async def test_what_one_worker_leaves_behind_another_does(shared: Town) -> None:
    await shared.burst(0)
    shared.lakeside.kill_a_worker()
    await shared.burst(1)
    await settles(shared.unsettled)
    assert await shared.notified() == 2


@pytest.fixture
def database_url(postgres_url: str) -> str:
    return postgres_url


async def test_rows_appended_in_reversed_order_are_both_read(instance: Instance) -> None:
    """Whoever begins to append first commits last: nobody may read past what is to come."""
    began, may_commit = asyncio.Event(), asyncio.Event()
    order: list[str] = []

    async def append(name: str, *, waits: bool) -> None:
        async with instance.transaction() as tx:
            body = ActivityBody(id=tx.ids.next(), body="{}", subject=name)
            tx.session.add(body)
            await tx.session.flush()
            if not waits:
                began.set()
            await log.lock(tx.session)
            entry = Entry(Form.WRAPPED, name, "http://a/f", "http://a/p", "http://a/f", name)
            assert await log.append(tx.session, entry, body.id, tx.now)
            if waits:
                began.set()
                await may_commit.wait()
            order.append(name)

    slow = asyncio.create_task(append("first", waits=True))
    await began.wait()
    began.clear()
    quick = asyncio.create_task(append("second", waits=False))
    await began.wait()
    # The second has its transaction and would commit at once, were it let.
    await asyncio.sleep(0.2)
    async with instance.reading() as session:
        seen_before = await log.last_seq(session)
    may_commit.set()
    await asyncio.gather(slow, quick)
    async with instance.reading() as session:
        seen_after = await log.last_seq(session)
    assert (seen_before, seen_after, order) == (0, 2, ["first", "second"])


@pytest.fixture
async def working(instance: Instance, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Worker]:
    """A worker that looks for facts when it is woken, and never by itself."""
    monkeypatch.setattr(worker, "IDLE", 1e6)
    wire = Station(instance)
    await wire.open()
    running = Worker(wire)
    await running.start()
    yield running
    await running.stop()
    await wire.close()


@pytest.fixture
async def pages(instance: Instance, settings: Settings) -> AsyncIterator[Instance]:
    """The same instance in a process without a worker: connections of its own."""
    opened = await Instance.open(settings, clock=instance.clock)
    yield opened
    await opened.close()


async def _told(instance: Instance, wanted: int) -> str:
    question = select(FactRow.id).where(FactRow.kind == "ThreadPosted", FactRow.done.is_not(None))
    async with instance.reading() as session:
        told = len((await session.execute(question)).all())
    return "" if told == wanted else f"{told} facts are told, not {wanted}"


async def test_facts_committed_in_reversed_order_are_both_told(
    instance: Instance, pages: Instance, working: Worker
) -> None:
    """The fact that was recorded first is committed last, when the other is told already."""
    admin = await makers.member(pages, "sam", admin=True)
    # Two people: whoever posts is held until the commit, so that nobody posts too often.
    ana = await makers.member(pages, "ana")
    slow, quick = [
        await makers.forum(pages, admin, name, title=name.title()) for name in ("slow", "quick")
    ]
    recorded, may_commit = asyncio.Event(), asyncio.Event()

    async def slowly() -> None:
        async with pages.transaction() as tx:
            await writing.post_thread(tx, ana, slow, ThreadDraft("The first", "It is late."))
            # The row gets its id now, and is seen by nobody else.
            await pages.settle(tx)
            await tx.session.flush()
            tx.facts.clear()
            recorded.set()
            await may_commit.wait()

    task = asyncio.create_task(slowly())
    await recorded.wait()
    async with pages.transaction() as tx:
        await writing.post_thread(tx, admin, quick, ThreadDraft("The second", "It is not."))
    await settles(partial(_told, instance, 1))
    may_commit.set()
    await task
    await settles(partial(_told, instance, 2))


async def test_a_deed_in_one_process_wakes_the_worker_of_another(
    instance: Instance, pages: Instance, working: Worker
) -> None:
    admin = await makers.member(pages, "sam", admin=True)
    forum = await makers.forum(pages, admin)
    for number in range(1, 4):
        await makers.thread(pages, admin, forum, f"Number {number}")
        await settles(partial(_told, instance, number))
