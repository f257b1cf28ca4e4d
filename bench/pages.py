# SPDX-License-Identifier: Apache-2.0
"""Pages people read and documents machines read, at every size of town."""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import count

from sqlalchemy import select

from bench import measures, shelf, town
from bench.elsewhere import Elsewhere
from bench.ingest import DOMAIN, SENDER, allow
from bench.load import Job
from bench.measures import Measured
from bench.processes import CannotMeasure
from bench.product import Product
from bench.result import Line
from bench.setting import Bench
from bench.sights import SIGHTS, Reading, Sight
from bench.town import Town
from server.forums import follows
from server.members import sign_in
from server.posts import reading as marks
from storage import members
from storage.forums import Forum

# As many as the limit is measured with: each write to a reader that waits costs a wake-up.
CONNECTIONS = 32
GROWTH = 1.3
# A machine whose speed changes within seconds is asked for its limit as often.
PARTS, LEAST_OF_A_PART = 8, 30


@dataclass(frozen=True)
class Sighted:
    """What came of a sight, and how many bare answers a core gave meanwhile in a second."""

    measured: Measured
    limit: float

    @property
    def cpu(self) -> float:
        """Processor seconds of one page, the server's and the database's together."""
        return (self.measured.cpu + self.measured.database_cpu) / self.measured.done


async def session_of(place: Town) -> str:
    """The cookie of a new session of a member who follows all and has read what is asked for.

    Else the first look at each thread would write a mark, and large towns have more threads.
    """
    instance = await town.opened(place)
    try:
        async with instance.transaction() as tx:
            member = await members.by_handle(tx.session, town.READER)
            assert member is not None
            for forum in (await tx.session.execute(select(Forum))).scalars().all():
                await follows.follow(tx, member, forum)
            for thread in (*place.short, *place.long):
                await marks.mark_read(tx, member, thread, tx.now)
            return f"__Host-guildhall_session={await sign_in.open_session(tx, member)}"
    finally:
        await instance.close()


@contextmanager
def reading(bench: Bench, kind: str, posts: int, *, is_open: bool) -> Iterator[Reading]:
    """A served town; its worker works elsewhere, so that only pages are counted."""
    place = bench.town(kind, posts)
    with bench.folder() as folder:
        asyncio.run(allow(place, f"*.{DOMAIN}"))
        cookie = asyncio.run(session_of(place))
        held = asyncio.run(shelf.filled(place))
        elsewhere = Elsewhere(folder)
        product = Product(
            place.database,
            place.state,
            folder,
            resolve=elsewhere.at([SENDER]),
            federation="open" if is_open else "allowlist",
        )
        try:
            product.serve(worker=False)
            yield Reading(product, place, cookie, elsewhere, count(1), held)
        finally:
            product.stop()
            elsewhere.stop()


class _Load:
    """One sight in one town: a few requests to warm up, one to look at, then parts of the load."""

    def __init__(self, bench: Bench, kind: str, at: Reading, sight: Sight) -> None:
        self._bench, self._at = bench, at
        self._database_cpu = bench.database_cpu(kind)
        wanted = bench.count(sight.usual)
        few = max(8, wanted // 20)
        requests = list(sight.requests(at, wanted + few + 1))
        _, body = asyncio.run(measures.fetch(at.product.ports[0], requests[0]))
        if body.count(sight.holds) < sight.times:
            raise CannotMeasure(
                f"{sight.name}: the page holds {body.count(sight.holds)} of {sight.times} things."
            )
        self._send(requests[1 : few + 1])
        each = max(LEAST_OF_A_PART, -(-wanted // PARTS))
        rest = requests[few + 1 :]
        self.parts = [rest[begin : begin + each] for begin in range(0, wanted, each)]
        self._done: list[Measured] = []
        self._bare = 0.0

    def _send(self, requests: Sequence[bytes]) -> Measured:
        product = self._at.product
        job = Job(product.ports, CONNECTIONS, len(requests), self._bench.seconds)
        return measures.send(requests, job, product.cpu, database_cpu=self._database_cpu)

    def go_on(self, part: int) -> None:
        """Send a part, the limit before and after it."""
        with self._bench.beside("page") as beside:
            self._done.append(self._send(self.parts[part]))
        self._bare += self._done[-1].done / beside.limits.page

    def sighted(self) -> Sighted:
        found = measures.together(self._done)
        return Sighted(found, found.done / self._bare)


def measure(bench: Bench, kind: str, ats: Sequence[Reading], sight: Sight) -> list[Sighted]:
    """One sight in each of these towns, a part here and a part there.

    So that whatever else the machine does meanwhile is the same for all of them.
    """
    loads = [_Load(bench, kind, at, sight) for at in ats]
    for part in range(len(loads[0].parts)):
        for load in loads:
            load.go_on(part)
    return [load.sighted() for load in loads]


def run(bench: Bench, kind: str, only: Callable[[str], bool]) -> Iterator[Line]:
    """Every page at every size; beside each, how much dearer it is than in the smallest town."""
    for is_open in (False, True):
        sights = [s for s in SIGHTS if s.open_only is is_open and only(s.name)]
        if not sights:
            continue
        with ExitStack() as served:
            ats = {
                posts: served.enter_context(reading(bench, kind, posts, is_open=is_open))
                for posts in sorted(bench.sizes)
            }
            for sight in sights:
                having = [posts for posts, at in ats.items() if sight.times < 300 or at.place.long]
                if having:
                    found = measure(bench, kind, [ats[posts] for posts in having], sight)
                    yield from _lines(kind, sight, dict(zip(having, found, strict=True)))


def _lines(kind: str, sight: Sight, found: Mapping[int, Sighted]) -> Iterator[Line]:
    least = found[min(found)]
    for posts, sighted in found.items():
        yield _line(kind, posts, sight, sighted)
        if sighted is not least:
            yield _growth(kind, posts, sight, least, sighted)


def _line(kind: str, posts: int, sight: Sight, sighted: Sighted) -> Line:
    measured, limit = sighted.measured, sighted.limit
    return Line(
        sight.name,
        kind,
        posts,
        f"{measured.cpu_us:,.0f} µs",
        measured.figures(),
        limit=f"bare ASGI, 15 KB {limit:,.0f}/s",
        ratio=measured.per_core / limit,
        wall_ratio=measured.per_second / limit,
        must=sight.must,
    )


def _growth(kind: str, posts: int, sight: Sight, least: Sighted, sighted: Sighted) -> Line:
    """The server's and the database's processor time together, against the smallest town's."""
    return Line(
        f"growth: {sight.name}",
        kind,
        posts,
        f"{sighted.cpu * 1e6:,.0f} µs",
        {"cpu_us": round(sighted.cpu * 1e6, 1), "smallest_cpu_us": round(least.cpu * 1e6, 1)},
        limit="the smallest town's",
        ratio=sighted.cpu / least.cpu,
        must=GROWTH if sight.is_alike else None,
        at_most=True,
    )
