# SPDX-License-Identifier: Apache-2.0
"""200 peers, some of which hang, and one that is far away."""

import asyncio
import contextlib
import re
import time
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import httpx

from federation.delivery import windows
from federation.station import Station
from federation.worker import Worker
from server.instance import Instance
from server.members import sign_in as sessions
from server.settings import Settings
from server.traffic import deeds as traffic
from storage.forums import Forum
from storage.members import Member
from tests import makers
from tests.clock import TurnableClock
from tests.crash.sinks import Sinks, Wait
from tests.crash.town import settles, subscribe
from tests.crash.zygote import Zygote
from web.demo.ports import free_port

PEERS, HUNG, THREADS = 200, 10, 3
FAR, FAR_AMONG_MANY, AWAY, QUIET = 60, 24, 0.3, 3.0
LEAST_A_SECOND, LAG = 25.0, 10.0
# Seconds until one that is too slow answers; what those who hang may hold of all places; how
# late what is for the others may come.
TOO_LATE, MOST_HELD = 25.0, 0.05
LAG_OF_HALF, LAG_OF_NEARLY_ALL = 5.0, 60.0


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


@contextlib.asynccontextmanager
async def paused(instance: Instance, admin: Member, host: str) -> AsyncIterator[None]:
    """Whatever is said meanwhile sets out together.

    Else what is counted is how quickly it is written, and who waits long is given up.
    """
    async with instance.transaction() as tx:
        await traffic.pause(tx, admin, host)
    yield
    async with instance.transaction() as tx:
        await traffic.resume(tx, admin, host)


class Road:
    """To a peer whose round trip takes AWAY: what counts is how many travel together."""

    def __init__(self) -> None:
        # How many arrived together, one number for each round trip.
        self.sizes: list[int] = []
        self._waiting: list[asyncio.Event] = []

    async def travel(self) -> None:
        mine = asyncio.Event()
        self._waiting.append(mine)
        if len(self._waiting) == windows.FIRST:
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


class Timed(Sinks):
    """`arrived` holds when a host answered for what was shared, by host and wire id."""

    def __init__(self, hosts: list[str]) -> None:
        super().__init__(hosts)
        self.arrived: dict[tuple[str, str], float] = {}

    def took(self, host: str, activity: dict[str, Any]) -> None:
        self.arrived[host, activity["object"]["id"]] = time.monotonic()
        super().took(host, activity)


@dataclass
class Served:
    """An agency that is served by a process of its own; the test writes beside it."""

    instance: Instance
    sinks: Timed
    forum: Forum
    admin: Member
    browser: httpx.AsyncClient
    # When each thread was committed, by its wire id.
    said: dict[str, float] = field(default_factory=dict)

    async def say(self, threads: int) -> None:
        for number in range(threads):
            post = await makers.thread(self.instance, self.admin, self.forum, f"Thread {number}")
            self.said[f"{self.admin.uri}#create-{post.id}"] = time.monotonic()

    async def in_flight(self, hosts: Iterable[str]) -> int:
        """How many sendings to these peers are under way, as their pages tell an admin."""
        found = 0
        for host in hosts:
            page = await self.browser.get(f"/admin/federation/peer/{host}")
            told = re.search(r'data-count="in_flight">(\d+)<', page.text)
            assert told, page.text
            found += int(told[1])
        return found

    def lags(self, hosts: set[str]) -> list[float]:
        """Seconds from being committed to being taken, for each of these hosts, by size."""
        arrived = self.sinks.arrived
        return sorted(
            arrived[host, uri] - said for host in hosts for uri, said in self.said.items()
        )


@contextlib.asynccontextmanager
async def served(
    settings: Settings, processes: Zygote, hosts: list[str], before: Wait
) -> AsyncIterator[Served]:
    # The process lives now; what the test writes was written a little before.
    clock = TurnableClock(datetime.now(UTC).replace(microsecond=0) - timedelta(days=1))
    async with Timed.listening(hosts) as sinks:
        sinks.before = before
        values = settings.model_copy(update={"resolve": sinks.resolve()})
        instance = await Instance.open(values, clock=clock)
        try:
            admin = await makers.member(instance, "sam", admin=True)
            forum = await makers.forum(instance, admin)
            await subscribe(instance, admin, forum, sinks.hosts)
            async with instance.transaction() as tx:
                # Until long after the clock of the test, as the process sees it.
                token = await sessions.open_session(tx, admin)
            port = free_port()
            process = processes.serve(values, port)
            headers = {
                "Host": urlsplit(values.origin).netloc,
                "Cookie": f"guildhall_session={token}",
            }
            browser = httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", headers=headers)
            try:
                async with browser:
                    yield Served(instance, sinks, forum, admin, browser)
            finally:
                processes.kill(process)
        finally:
            await instance.close()


async def test_peers_that_hang_or_are_far_away_keep_nothing_from_the_others(
    settings: Settings, processes: Zygote
) -> None:
    hosts = [f"p{number}.sink.localhost" for number in range(PEERS)]
    # The last one would answer, but later than anybody waits for.
    stuck = {*hosts[:HUNG], hosts[-1]}
    answer, road = asyncio.Event(), Road()
    far: set[str] = set()

    async def hang(host: str) -> None:
        if host == hosts[-1]:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(answer.wait(), TOO_LATE)
        elif host in stuck:
            await answer.wait()
        elif host in far:
            await road.travel()

    async with served(settings, processes, hosts, hang) as sending:
        sinks = sending.sinks
        await sending.say(THREADS)
        healthy = set(hosts) - stuck
        await so("all is not there", partial(_all_have, sinks, healthy, THREADS))
        assert all(sinks.under_way[host] for host in stuck)
        # Whoever hangs takes little of what there is for all.
        held = await sending.in_flight(sorted(stuck))
        assert held <= MOST_HELD * (windows.QUICK + windows.SLOW)
        again = len(sinks.order)
        await sending.say(1)
        await so("the next is not there", partial(_all_have, sinks, healthy, THREADS + 1))
        assert {host for host, _ in sinks.order[again:]} - {hosts[-1]} == healthy
        lags = sending.lags(healthy)
        assert lags[len(lags) // 2] <= LAG_OF_HALF
        assert lags[int(0.99 * len(lags))] <= LAG_OF_NEARLY_ALL
        # One of the others is far away: more than a second's worth, and those still hang.
        far.add(hosts[HUNG])
        async with paused(sending.instance, sending.admin, hosts[HUNG]):
            await sending.say(FAR_AMONG_MANY)
        number = THREADS + 1 + FAR_AMONG_MANY
        await so("the burst is not there", partial(_all_have, sinks, healthy, number))
        road.must_carry(FAR_AMONG_MANY)
        assert sinks.most[hosts[HUNG]] <= windows.MOST
        assert sum(sum(sinks.got[host].values()) for host in healthy) == number * len(healthy)
        assert not any(sinks.got[host] for host in hosts[:HUNG])
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
        async with paused(sending.instance, sending.admin, host):
            await sending.say(FAR)
        await so("all is not there", lambda: len(sinks.got[host]) == FAR)
        assert windows.FIRST <= sinks.most[host] <= windows.MOST
        road.must_carry(FAR)
