# SPDX-License-Identifier: Apache-2.0
"""`python -m tests.crash.soak` sends for an hour to peers that are far away."""

import argparse
import asyncio
import contextlib
import os
import shutil
import sys
import tempfile
import time
from collections import Counter, deque
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench import product
from bench.product import Product
from server import endorsements
from server.instance import Instance
from server.posts import writing
from server.posts.drafts import ReplyDraft, ThreadDraft
from server.settings import load
from server.traffic import deeds as traffic
from server.transaction import Transaction
from storage.database import Database, prepare
from storage.forums import Forum
from storage.members import Member
from storage.posts import Post
from tests import makers
from tests.crash.sinks import Sinks
from tests.crash.town import subscribe
from tests.databases import postgres_cluster

# The experiment: a round trip of 300 ms, 20 activities a second, no more than 10 s behind.
AWAY, EACH_SECOND, MOST_LAG, LEAST_A_SECOND = 0.3, 20, 10.0, 25.0
# Where the machine kept us from speaking in time, no more is said at once than a lane promises.
SOONEST = EACH_SECOND / LEAST_A_SECOND
PEERS, BUSY, PEOPLE = 200, 2, 100
# To all of them so often.
TO_ALL_EVERY = 30
# What is said in one go, to see how fast a lane can be; in so many threads in turn.
BURST, THREADS = 400, 40
GIVEN_UP_AFTER = 120.0


class Clocked(Sinks):
    """Far away; `arrived` holds when a host answered for what was shared, by its wire id."""

    def __init__(self, hosts: list[str]) -> None:
        super().__init__(hosts)
        self.arrived: dict[str, dict[str, float]] = {host: {} for host in hosts}
        self.repeated = 0
        self.before = self._travel

    async def _travel(self, _: str) -> None:
        await asyncio.sleep(AWAY)

    def took(self, host: str, activity: dict[str, Any]) -> None:
        inner = activity["object"]["id"]
        self.repeated += inner in self.arrived[host]
        self.arrived[host].setdefault(inner, time.monotonic())


@dataclass
class Soak:
    """An agency in a process of its own, and those who write in its forums."""

    product: Product
    sinks: Clocked
    instance: Instance
    admin: Member
    people: list[Member]
    busy: Forum
    wide: Forum
    # When each was committed, by the wire id of what is shared, and who is to have it.
    said: dict[str, float] = field(default_factory=dict)
    everywhere: set[str] = field(default_factory=set)
    threads: deque[Post] = field(default_factory=lambda: deque(maxlen=THREADS))
    endorsed: Counter[int] = field(default_factory=Counter)
    written: int = 0
    turn: int = 0
    spoke: float = 0.0

    async def say(self, pace: float = 0.0) -> None:
        """EACH_SECOND deeds in the busy forum: a thread, four replies, endorsements.

        Each is committed by itself, as requests are, and `pace` seconds after the last.
        """
        deeds = [self._busy_thread, *[self._reply] * 4]
        deeds += [self._endorsement] * (EACH_SECOND - len(deeds))
        for number, deed in enumerate(deeds):
            begun = time.monotonic()
            async with self.instance.transaction() as tx:
                uri = await deed(tx)
            self.said[uri] = time.monotonic()
            if pace and number < len(deeds) - 1:
                await asyncio.sleep(max(0.0, begun + pace - time.monotonic()))

    async def say_to_all(self) -> None:
        """A thread in the forum that all follow."""
        async with self.instance.transaction() as tx:
            uri = await self._thread(tx, self.wide)
        self.said[uri] = time.monotonic()
        self.everywhere.add(uri)

    async def _busy_thread(self, tx: Transaction) -> str:
        return await self._thread(tx, self.busy)

    async def _reply(self, tx: Transaction) -> str:
        author = self._author()
        draft = ReplyDraft(f"Here it is {self.written}.", self._next().id)
        return _created(author, await writing.reply(tx, author, draft))

    async def _thread(self, tx: Transaction, forum: Forum) -> str:
        draft = ThreadDraft(f"Permits in {self.written} days", "From filing to issue.")
        author = self._author()
        post = await writing.post_thread(tx, author, forum, draft)
        if forum is self.busy:
            self.threads.append(post)
        return _created(author, post)

    async def _endorsement(self, tx: Transaction) -> str:
        post = self._next()
        person = self.people[self.endorsed[post.id] % PEOPLE]
        self.endorsed[post.id] += 1
        assert await endorsements.endorse(tx, person, post), "more endorsements than people"
        return f"{person.uri}#like-{post.id}-1"

    def _author(self) -> Member:
        """Each in turn: nobody may post more than ten times a minute."""
        self.written += 1
        return self.people[self.written % PEOPLE]

    def _next(self) -> Post:
        self.turn += 1
        return self.threads[self.turn % len(self.threads)]

    def expected(self, host: str) -> set[str]:
        """What a host is to have in the end."""
        return set(self.said) if host in self.sinks.hosts[:BUSY] else self.everywhere

    def missing(self) -> int:
        """How many deliveries are still to come."""
        arrived = self.sinks.arrived
        return sum(len(self.expected(host) - arrived[host].keys()) for host in arrived)

    async def settled(self) -> int:
        """Wait until all is there, or nothing more comes; answers how many are missing."""
        last, end = -1, 0.0
        while missing := self.missing():
            now = time.monotonic()
            if missing != last:
                last, end = missing, now + GIVEN_UP_AFTER
            if now > end:
                break
            await asyncio.sleep(0.2)
        return missing

    def lags(self, since: float) -> list[float]:
        """Seconds from being committed to being taken, of what was said since, by size."""
        arrived = self.sinks.arrived.values()
        return sorted(
            there[uri] - said
            for uri, said in self.said.items()
            if said >= since
            for there in arrived
            if uri in there
        )

    async def burst(self) -> float:
        """Have much wait, then let it go; how many a second the slowest busy lane took of it."""
        before, hosts = set(self.said), self.sinks.hosts[:BUSY]
        async with self.instance.transaction() as tx:
            for host in hosts:
                await traffic.pause(tx, self.admin, host)
        for _ in range(BURST // EACH_SECOND):
            await self.say()
        async with self.instance.transaction() as tx:
            for host in hosts:
                await traffic.resume(tx, self.admin, host)
        await self.settled()
        rates = []
        for host in hosts:
            there = self.sinks.arrived[host]
            times = sorted(there[uri] for uri in self.said if uri not in before and uri in there)
            # What travelled together with the first one counts for no time.
            rates.append((len(times) - 1) / (times[-1] - times[0]))
        return min(rates)

    def size(self) -> tuple[float, int, float]:
        """Resident megabytes, open files and processor seconds of the process that serves."""
        program = self.product.programs[0]
        return program.memory(), len(os.listdir(f"/proc/{program.pid}/fd")), program.cpu()

    async def minute(self, begin: float) -> None:
        """Speak each second from `begin` on, for a minute; to all now and then."""
        for second in range(60):
            due = max(begin + second, self.spoke + SOONEST)
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            self.spoke = time.monotonic()
            await self.say(SOONEST / EACH_SECOND)
            if second % TO_ALL_EVERY == 0:
                await self.say_to_all()


def _created(author: Member, post: Post) -> str:
    """The wire id of a post's Create."""
    return f"{author.uri}#create-{post.id}"


@contextlib.asynccontextmanager
async def soaking(folder: Path, url: str) -> AsyncIterator[Soak]:
    """An agency that is served, with PEERS followers, BUSY of them of its busy forum."""
    hosts = [f"p{number}.sink.localhost" for number in range(PEERS)]
    database = Database(url)
    await prepare(database)
    await database.close()
    async with Clocked.listening(hosts) as sinks:
        values = product.settings(url, folder / "state", sinks.resolve())
        instance = await Instance.open(load(**values))
        served = Product(url, folder / "state", folder, resolve=sinks.resolve())
        try:
            admin = await makers.member(instance, "sam", admin=True)
            people = [await makers.member(instance, f"clerk{n}") for n in range(PEOPLE)]
            wide = await makers.forum(instance, admin, "wide")
            busy = await makers.forum(instance, admin, "busy")
            await subscribe(instance, admin, wide, sinks.hosts)
            await subscribe(instance, admin, busy, sinks.hosts[:BUSY])
            await asyncio.to_thread(served.serve)
            town = Soak(served, sinks, instance, admin, people, busy, wide)
            while len(town.threads) < THREADS:
                await town.say()
            yield town
        finally:
            await asyncio.to_thread(served.stop)
            await instance.close()


def at(share: float, lags: list[float]) -> float:
    """The lag that this share of all does not exceed; without any, none is small enough."""
    return lags[min(len(lags) - 1, int(share * len(lags)))] if lags else float("inf")


async def soak(minutes: int, folder: Path, url: str) -> list[str]:
    """Run the experiment, and print how it goes; answers what did not hold."""
    async with soaking(folder, url) as town:
        rates = [await town.burst()]
        begin, before = time.monotonic(), town.size()
        print(f"at first: {told(before)}; a lane takes {rates[0]:.0f} a second", flush=True)
        for minute in range(minutes):
            since = begin + 60 * minute
            await town.minute(since)
            # What has just been said is still on its way.
            so_far, after = town.lags(since), town.size()
            print(f"{minute + 1:3} min: {lag(so_far)}; {told(after)}", flush=True)
        said = sum(when >= begin for when in town.said.values())
        pace, share = said / (time.monotonic() - begin), (after[2] - before[2]) / minutes / 60
        missing = await town.settled()
        lags = town.lags(begin)
        rates.append(await town.burst())
        missing += town.missing()
    print(f"{said:,} activities, {pace:.1f} a second, {len(lags):,} deliveries: {lag(lags)}")
    print(f"a lane takes {rates[0]:.0f} a second at first, {rates[1]:.0f} in the end")
    print(f"from {told(before)} to {told(after)}: {share:.0%} of a core")
    print(f"{missing} lost, {town.sinks.repeated} came twice")
    findings = {
        f"less than {EACH_SECOND} a second were said": pace < 0.99 * EACH_SECOND,
        f"p99 is above {MOST_LAG:.0f} s": at(0.99, lags) > MOST_LAG,
        f"a lane takes less than {LEAST_A_SECOND:.0f} a second": min(rates) < LEAST_A_SECOND,
        "something was lost": missing > 0,
        "something came twice": town.sinks.repeated > 0,
    }
    return [finding for finding, is_so in findings.items() if is_so]


def lag(lags: list[float]) -> str:
    return f"lag p50 {at(0.5, lags):.2f} s, p99 {at(0.99, lags):.2f} s, at most {at(1, lags):.2f} s"


def told(size: tuple[float, int, float]) -> str:
    return f"{size[0]:.0f} MB and {size[1]} files"


@contextlib.contextmanager
def kept(database: str, folder: Path) -> Iterator[str]:
    """The address of a new database of this kind."""
    if database == "sqlite":
        yield f"sqlite:///{folder / 'soak.db'}"
        return
    # An hour leaves as much behind as is tidied up where people keep a database.
    with contextlib.contextmanager(postgres_cluster)(others={"autovacuum": "on"}) as server:
        server.run("createdb", "soak")
        yield server.url("soak")


def main() -> int:
    """Soak as long as asked; answers 1 when something did not hold."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=int, default=60)
    parser.add_argument("--database", choices=["postgresql", "sqlite"], default="postgresql")
    asked = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="guildhall-soak-"))
    try:
        with kept(asked.database, folder) as url:
            failed = asyncio.run(soak(asked.minutes, folder, url))
    finally:
        shutil.rmtree(folder)
    for one in failed:
        print(f"does not hold: {one}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
