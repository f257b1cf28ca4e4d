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
FAR, FAR_AMONG_MANY, AWAY, QUIET = 60, 24, 0.3, 3.0
LEAST_A_SECOND, LAG = 25.0, 10.0


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
        await subscribe(instance, admin, forum, sinks.hosts)
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


class Road:
    """To a peer whose round trip takes AWAY: what counts is how many travel together."""

    def __init__(self) -> None:
        # How many arrived together, one number for each round trip.
        self.sizes: list[int] = []
        self._waiting: list[asyncio.Event] = []
        # Until all is said that is to travel: else what is counted is how quickly it is written.
        self._is_open = False

    def open(self) -> None:
        """Who waits sets out, and whoever comes from now on."""
        self._is_open = True
        if self._waiting:
            self._arrive(self._waiting[0])

    async def travel(self) -> None:
        mine = asyncio.Event()
        self._waiting.append(mine)
        if not self._is_open:
            pass
        elif len(self._waiting) == windows.FIRST:
            self._arrive(self._waiting[0])
        else:
            # The first and the last need not be full: they leave when nobody else comes.
            asyncio.get_running_loop().call_later(QUIET, self._arrive, self._waiting[0])
        await mine.wait()

    def _arrive(self, first: asyncio.Event) -> None:
        if self._waiting[:1] == [first]:
            self.sizes.append(len(self._waiting))
            for one in self._waiting:
                one.set()
            self._waiting.clear()

    def must_carry(self, posts: int) -> None:
        """As many travel together as the window is wide: enough of them for 25 a second."""
        assert max(self.sizes) == windows.FIRST
        assert windows.FIRST / AWAY >= LEAST_A_SECOND
        # Were they sent one by one, there would be as many arrivals as posts.
        assert len(self.sizes) <= posts / 3
        # What was said in one moment is there within the lag that is allowed.
        assert len(self.sizes) * AWAY <= LAG


async def so(what: str, ask: Callable[[], bool]) -> None:
    """Wait until it is so."""

    async def said() -> str:
        return "" if ask() else what

    await settles(said)


async def test_peers_that_hang_or_are_far_away_keep_nothing_from_the_others(
    settings: Settings, clock: TurnableClock
) -> None:
    hosts = [f"p{number}.sink.localhost" for number in range(PEERS)]
    # The last one would answer, but later than anybody waits for.
    stuck = {*hosts[:HUNG], hosts[-1]}
    answer, road = asyncio.Event(), Road()
    far: set[str] = set()

    async def hang(host: str) -> None:
        if host in stuck:
            await answer.wait()
        elif host in far:
            await road.travel()

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
        # One of the others is far away: more than a second's worth, and those still hang.
        far.add(hosts[HUNG])
        await sending.say(FAR_AMONG_MANY)
        road.open()
        number = THREADS + 1 + FAR_AMONG_MANY
        await so("the burst is not there", partial(_all_have, sinks, healthy, number))
        road.must_carry(FAR_AMONG_MANY)
        assert sinks.most[hosts[HUNG]] <= windows.MOST
        assert sinks.repeats == 0
        assert not any(sinks.got[host] for host in stuck)
        answer.set()


def _all_have(sinks: Sinks, hosts: set[str], number: int) -> bool:
    return all(len(sinks.got[host]) == number for host in hosts)


async def test_a_peer_far_away_gets_25_a_second(settings: Settings, clock: TurnableClock) -> None:
    host, road = "far.sink.localhost", Road()

    async def travel(_: str) -> None:
        await road.travel()

    async with fanout(settings, clock, [host]) as sending:
        sinks = sending.sinks
        sinks.before = travel
        await sending.say(FAR)
        road.open()
        await so("all is not there", lambda: len(sinks.got[host]) == FAR)
        assert windows.FIRST <= sinks.most[host] <= windows.MOST
        road.must_carry(FAR)
