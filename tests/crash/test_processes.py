# SPDX-License-Identifier: Apache-2.0
"""How processes begin on what others commit, and how they end."""

import asyncio
import time
from collections.abc import Callable
from functools import partial

import pytest
from sqlalchemy import select, text

from server.instance import Instance
from server.settings import Settings
from storage import log
from storage.forums import Forum
from storage.log import Lane
from storage.members import Member
from tests import makers
from tests.crash.town import settles, subscribe
from tests.crash.zygote import Zygote
from tests.hostile.peer import Asked, Page, ScriptedPeer, World
from web.demo.ports import free_port

SLOW = 2.0
AT_ONCE = 5.0
# When a worker that noticed nothing would look by itself.
IDLE = 30.0


@pytest.fixture
def settings(settings: Settings, world: World) -> Settings:
    port = free_port()
    own = {"origin": f"http://riverton.localhost:{port}", "resolve": world.resolve()}
    return settings.model_copy(update=own)


@pytest.fixture
async def forum(settings: Settings, instance: Instance, admin: Member, vic: ScriptedPeer) -> Forum:
    """A forum that Vic's server follows; what the test does is committed by its own process."""
    made = await makers.forum(instance, admin, "permits")
    await subscribe(instance, admin, made, [vic.host])
    async with instance.transaction() as tx:
        await tx.session.execute(
            text("UPDATE policy_rules SET pattern = :host"), {"host": vic.host}
        )
    return made


def begin(processes: Zygote, settings: Settings) -> int:
    """Start a server with its worker; answers the process."""
    return processes.serve(settings, int(settings.origin.rpartition(":")[2]))


async def delivered(vic: ScriptedPeer, number: int) -> str:
    return "" if len(vic.delivered) == number else f"{len(vic.delivered)} were delivered"


async def cursor(instance: Instance) -> tuple[int, int]:
    """How many entries of the log the lane has yet to come past, and how many were delivered."""
    async with instance.reading() as session:
        lane = (await session.execute(select(Lane))).scalar_one()
        return await log.last_seq(session) - lane.cursor, lane.delivered


async def test_what_another_process_commits_is_delivered_at_once(
    settings: Settings,
    instance: Instance,
    admin: Member,
    forum: Forum,
    vic: ScriptedPeer,
    processes: Zygote,
) -> None:
    process = begin(processes, settings)
    await makers.thread(instance, admin, forum, "The first")
    await settles(partial(delivered, vic, 1))
    # It has nothing left to do, and waits.
    await asyncio.sleep(1.0)
    began = time.monotonic()
    await makers.thread(instance, admin, forum, "The second")
    await settles(partial(delivered, vic, 2))
    assert time.monotonic() - began < AT_ONCE < IDLE
    await asyncio.to_thread(processes.kill, process)


async def test_what_is_under_way_when_a_server_is_stopped_is_delivered_once(
    settings: Settings,
    instance: Instance,
    admin: Member,
    forum: Forum,
    vic: ScriptedPeer,
    processes: Zygote,
) -> None:
    process = begin(processes, settings)
    under_way = asyncio.Event()
    vic.inbox_answer = slowly(under_way.set)
    await makers.thread(instance, admin, forum, "Under way")
    async with asyncio.timeout(60):
        await under_way.wait()
    processes.end(process)
    assert await asyncio.to_thread(processes.ended, process) == 0
    assert await cursor(instance) == (0, 1)
    vic.inbox_answer = lambda _: Page(status=202)
    process = begin(processes, settings)
    await makers.thread(instance, admin, forum, "Afterwards")
    await settles(partial(delivered, vic, 2))
    names = [sent["object"]["object"]["name"] for sent in vic.delivered]
    assert names == ["Under way", "Afterwards"]
    await asyncio.to_thread(processes.kill, process)


def slowly(begun: Callable[[], None]) -> Callable[[Asked], Page]:
    """An inbox that takes everything, SLOW seconds later."""

    def answer(_: Asked) -> Page:
        begun()
        return Page(status=202, seconds=SLOW)

    return answer


@pytest.mark.usefixtures("forum")
async def test_a_worker_that_fails_again_and_again_ends_for_all_to_see(
    settings: Settings, instance: Instance, processes: Zygote
) -> None:
    async with instance.transaction() as tx:
        await tx.session.execute(text("DROP TABLE leases"))
    process = processes.work(settings)
    async with asyncio.timeout(60):
        assert await asyncio.to_thread(processes.ended, process) == 2
    said = await asyncio.to_thread(processes.log.read_text)
    assert "The worker failed three times within a minute and ends: the log says why." in said
