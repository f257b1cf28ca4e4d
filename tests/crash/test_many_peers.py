# SPDX-License-Identifier: Apache-2.0
"""200 peers, some of which hang, and one that is far away."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from functools import partial

from federation.delivery import windows
from federation.station import Station
from federation.worker import Worker
from server.instance import Instance
from server.settings import Settings
from storage.forums import Forum
from storage.members import Member
from tests import makers
from tests.clock import TurnableClock
from tests.crash.sinks import Sinks
from tests.crash.town import settles, subscribe

PEERS, HUNG, THREADS = 200, 10, 3
FAR, AWAY, QUIET = 60, 0.3, 1.0
LEAST_A_SECOND = 25.0


@dataclass
class Fanout:
    """An instance that sends to sinks."""

    instance: Instance
    wire: Station
    sinks: Sinks
    forum: Forum
    admin: Member

    async def say(self, threads: int) -> None:
        for number in range(threads):
            await makers.thread(self.instance, self.admin, self.forum, f"Thread {number}")


@contextlib.asynccontextmanager
async def fanout(
    settings: Settings, clock: TurnableClock, hosts: list[str]
) -> AsyncIterator[Fanout]:
    async with Sinks.listening(hosts) as sinks:
        values = settings.model_copy(update={"resolve": sinks.resolve()})
        instance = await Instance.open(values, clock=clock)
        admin = await makers.member(instance, "sam", admin=True)
        forum = await makers.forum(instance, admin)
        await subscribe(instance, admin, forum, sinks)
        wire = Station(instance)
        await wire.open()
        worker = Worker(wire)
        await worker.start()
        try:
            yield Fanout(instance, wire, sinks, forum, admin)
        finally:
            await worker.stop()
            await wire.close()
            await instance.close()


async def so(what: str, ask: Callable[[], bool]) -> None:
    """Wait until it is so."""

    async def said() -> str:
        return "" if ask() else what

    await settles(said)


async def test_peers_that_hang_keep_nothing_from_the_others(
    settings: Settings, clock: TurnableClock
) -> None:
    hosts = [f"p{number}.sink.localhost" for number in range(PEERS)]
    # The last one would answer, but later than anybody waits for.
    stuck = {*hosts[:HUNG], hosts[-1]}
    answer = asyncio.Event()

    async def hang(host: str) -> None:
        if host in stuck:
            await answer.wait()

    async with fanout(settings, clock, hosts) as sending:
        sinks, slots = sending.sinks, sending.wire.delivery.slots
        sinks.before = hang
        await sending.say(THREADS)
        healthy = set(hosts) - stuck
        await so("all is not there", partial(_all_have, sinks, healthy, THREADS))
        assert not any(sinks.got[host] for host in stuck)
        assert all(sinks.under_way[host] for host in stuck)
        # Whoever hangs is soon put where nobody else waits, and takes little of it.
        await so("they hold quick places", lambda: slots.quick == 0)
        assert slots.slow <= 0.05 * (windows.QUICK + windows.SLOW)
        again = len(sinks.order)
        await sending.say(1)
        await so("the next is not there", partial(_all_have, sinks, healthy, THREADS + 1))
        assert {host for host, _ in sinks.order[again:]} == healthy
        answer.set()


def _all_have(sinks: Sinks, hosts: set[str], number: int) -> bool:
    return all(len(sinks.got[host]) == number for host in hosts)


async def test_a_peer_far_away_gets_25_a_second(settings: Settings, clock: TurnableClock) -> None:
    """A round trip takes 300 ms there: what counts is how many travel together."""
    host = "far.sink.localhost"
    sizes: list[int] = []
    waiting: list[asyncio.Event] = []

    def arrive(first: asyncio.Event) -> None:
        if waiting[:1] == [first]:
            sizes.append(len(waiting))
            for one in waiting:
                one.set()
            waiting.clear()

    async def travel(_: str) -> None:
        mine = asyncio.Event()
        waiting.append(mine)
        if len(waiting) == windows.FIRST:
            arrive(waiting[0])
        else:
            # The first and the last need not be full: they leave when nobody else comes.
            asyncio.get_running_loop().call_later(QUIET, arrive, waiting[0])
        await mine.wait()

    async with fanout(settings, clock, [host]) as sending:
        sinks = sending.sinks
        sinks.before = travel
        await sending.say(FAR)
        await so("all is not there", lambda: len(sinks.got[host]) == FAR)
        # As many travel together as the window is wide, and that many a round trip are enough.
        assert max(sizes) == windows.FIRST
        assert windows.FIRST <= sinks.most[host] <= windows.MOST
        assert windows.FIRST / AWAY >= LEAST_A_SECOND
        # Were they sent one by one, there would be as many arrivals as posts.
        assert len(sizes) <= FAR / 3
