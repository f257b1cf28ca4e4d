# SPDX-License-Identifier: Apache-2.0
"""Pages people read and documents machines read, at every size of town."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count, cycle, islice

from sqlalchemy import select

from bench import measures, shelf, town
from bench.elsewhere import Elsewhere
from bench.ingest import DOMAIN, SENDER, allow
from bench.load import Job
from bench.measures import Measured, get
from bench.processes import CannotMeasure
from bench.product import HOST, Product
from bench.result import Line
from bench.setting import Bench
from bench.shelf import EVENTS, MONTH, NOTHING, REPLIES, Shelf
from bench.threads import LONG_ONES, SHORT_ONES
from bench.town import Town
from server.forums import follows
from server.members import sign_in
from server.posts import reading as marks
from storage import members
from storage.forums import Forum

# As many as the limit is measured with: each write to a reader that waits costs a wake-up.
CONNECTIONS = 32
UNCACHED, CACHED = 0.025, 0.40
GROWTH = 1.3
# A machine whose speed changes within seconds is asked for its limit as often.
PARTS, LEAST_OF_A_PART = 4, 30
ACTIVITY = "application/activity+json"
# What a page must hold to be the page: a post's anchor, a thread's line.
ANCHOR = b'id="p-'
PACKED = "gzip, deflate, br"


@dataclass
class Reading:
    """A served town, and a session of one of its members."""

    product: Product
    place: Town
    cookie: str
    elsewhere: Elsewhere
    numbers: "count[int]"
    shelf: Shelf = NOTHING


@dataclass(frozen=True)
class Sight:
    """One kind of page: the requests for it, how many, and what each answer must hold."""

    name: str
    usual: int
    requests: Callable[[Reading, int], Sequence[bytes]]
    holds: bytes = b""
    times: int = 0
    must: float | None = None
    open_only: bool = False
    # As much is asked for in every town, so that growth has one cause.
    is_alike: bool = True


@dataclass(frozen=True)
class Sighted:
    """What came of a sight, and how many bare answers a core gave meanwhile in a second."""

    measured: Measured
    limit: float

    @property
    def cpu(self) -> float:
        """Processor seconds of one page, the server's and the database's together."""
        return (self.measured.cpu + self.measured.database_cpu) / self.measured.done


def _threads(ids: Sequence[int], at: Reading, wanted: int, **headers: str) -> list[bytes]:
    """Thread pages, each by an address of its own, so that none was rendered before.

    `after` names a place before the first reply: the page shows them all.
    """
    pairs = zip(cycle(ids), at.numbers, strict=False)
    return [
        get(HOST, f"/p/{number}?after={place}", **headers)
        for number, place in islice(pairs, wanted)
    ]


def _short(at: Reading, wanted: int) -> list[bytes]:
    return _threads(at.place.short[:SHORT_ONES], at, wanted)


def _far_and_wide(at: Reading, wanted: int) -> list[bytes]:
    """As many threads as there are, up to some hundreds: what is at hand is not asked for."""
    return _threads(at.place.short, at, wanted)


def _long(at: Reading, wanted: int) -> list[bytes]:
    return _threads(at.place.long[:LONG_ONES], at, wanted)


def _short_signed_in(at: Reading, wanted: int) -> list[bytes]:
    return _threads(at.place.short[:SHORT_ONES], at, wanted, cookie=at.cookie)


def _long_signed_in(at: Reading, wanted: int) -> list[bytes]:
    return _threads(at.place.long[:LONG_ONES], at, wanted, cookie=at.cookie)


def _same(at: Reading, wanted: int) -> list[bytes]:
    """As browsers ask: they all take packed answers."""
    return [get(HOST, f"/p/{at.place.short[0]}", accept_encoding=PACKED)] * wanted


def _shelved(kind: str, *, signed_in: bool = False) -> Callable[[Reading, int], Sequence[bytes]]:
    """The page of the practice or the resource."""

    def requests(at: Reading, wanted: int) -> list[bytes]:
        headers = {"cookie": at.cookie} if signed_in else {}
        return _threads([getattr(at.shelf, kind)], at, wanted, **headers)

    return requests


def _shelved_again(kind: str) -> Callable[[Reading, int], Sequence[bytes]]:
    def requests(at: Reading, wanted: int) -> list[bytes]:
        return [get(HOST, f"/p/{getattr(at.shelf, kind)}", accept_encoding=PACKED)] * wanted

    return requests


def _month(at: Reading, wanted: int) -> list[bytes]:
    return [get(HOST, f"/events?view=month&date={MONTH:%Y-%m-%d}")] * wanted


def _newest(page: str) -> Callable[[Reading, int], Sequence[bytes]]:
    def requests(at: Reading, wanted: int) -> list[bytes]:
        """The first page; `after` names a moment yet to come, another one each time."""
        later = 4_000_000_000_000_000
        places = islice(at.numbers, wanted)
        return [get(HOST, f"{page}?after=0-{later + place}-1") for place in places]

    return requests


def _signed_in(page: str) -> Callable[[Reading, int], Sequence[bytes]]:
    def requests(at: Reading, wanted: int) -> list[bytes]:
        return [get(HOST, page, cookie=at.cookie)] * wanted

    return requests


def _objects(at: Reading, wanted: int) -> list[bytes]:
    ids = islice(cycle(at.place.objects), wanted)
    return [get(HOST, f"/p/{number}", accept=ACTIVITY) for number in ids]


def _objects_signed(at: Reading, wanted: int) -> list[bytes]:
    made = []
    for number in islice(cycle(at.place.objects), wanted):
        path, actor = f"/p/{number}", f"http://{SENDER}/u/actor0"
        headers = at.elsewhere.signed("GET", HOST, path, actor, None)
        made.append(get(HOST, path, accept=ACTIVITY, **headers))
    return made


def _search(words: slice) -> Callable[[Reading, int], Sequence[bytes]]:
    def requests(at: Reading, wanted: int) -> list[bytes]:
        """Each from an address of its own, since one visitor may not search so often."""
        found = islice(cycle(at.place.words[words]), wanted)
        return [
            get(HOST, f"/search?q={word}", x_forwarded_for=f"10.{n >> 16}.{n >> 8 & 255}.{n & 255}")
            for word, n in zip(found, at.numbers, strict=False)
        ]

    return requests


SIGHTS = (
    Sight("thread of 20", 1_200, _short, ANCHOR, 20, UNCACHED),
    Sight("thread of 20, signed in", 1_000, _short_signed_in, ANCHOR, 20),
    Sight("thread of 20, the same again", 6_000, _same, ANCHOR, 20, CACHED),
    Sight("thread of 20, one of hundreds", 1_200, _far_and_wide, ANCHOR, 20, is_alike=False),
    Sight("thread of 300", 150, _long, ANCHOR, 300),
    Sight("thread of 300, signed in", 120, _long_signed_in, ANCHOR, 300),
    Sight("forum", 800, _newest(f"/f/{town.FORUM}"), b"/p/", 5),
    Sight("forum, signed in", 800, _signed_in(f"/f/{town.FORUM}"), b"/p/", 5),
    Sight("home", 800, _newest("/"), b"/p/", 5),
    Sight("home, signed in", 800, _signed_in("/"), b"/p/", 5),
    *(
        sight
        for kind in ("practice", "resource")
        for sight in (
            Sight(kind, 300, _shelved(kind), ANCHOR, REPLIES),
            Sight(f"{kind}, the same again", 6_000, _shelved_again(kind), ANCHOR, REPLIES, CACHED),
            Sight(f"{kind}, signed in", 300, _shelved(kind, signed_in=True), ANCHOR, REPLIES),
        )
    ),
    Sight("calendar month", 200, _month, b"Webinar ", EVENTS),
    Sight(
        "calendar month, signed in",
        200,
        _signed_in(f"/events?view=month&date={MONTH:%Y-%m-%d}"),
        b"Webinar ",
        EVENTS,
    ),
    Sight("object, signed", 1_500, _objects_signed, b"attributedTo", 1),
    Sight("search, a common word", 400, _search(slice(0, 20)), b"/p/", 1),
    Sight("search, a rarer word", 400, _search(slice(100, 200)), b"/p/", 0),
    Sight("object, open mode", 1_500, _objects, b"attributedTo", 1, open_only=True),
)


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


def measure(bench: Bench, kind: str, at: Reading, sight: Sight) -> Sighted:
    """A few to warm up, one to look at, then the load, in parts with the limit between them."""
    wanted = bench.count(sight.usual)
    few = max(8, wanted // 20)
    requests = list(sight.requests(at, wanted + few + 1))
    _, body = asyncio.run(measures.fetch(at.product.ports[0], requests[0]))
    if body.count(sight.holds) < sight.times:
        raise CannotMeasure(
            f"{sight.name}: the page holds {body.count(sight.holds)} of {sight.times} things."
        )
    cpu, database_cpu = at.product.cpu, bench.database_cpu(kind)
    measures.send(requests[1 : few + 1], Job(at.product.ports, CONNECTIONS, few, 10.0), cpu)
    each = max(LEAST_OF_A_PART, -(-wanted // PARTS))
    parts, bare = [], 0.0
    for begin in range(few + 1, len(requests), each):
        part = requests[begin : begin + each]
        job = Job(at.product.ports, CONNECTIONS, len(part), bench.seconds)
        with bench.beside("page") as beside:
            parts.append(measures.send(part, job, cpu, database_cpu=database_cpu))
        bare += parts[-1].done / beside.limits.page
    found = measures.together(parts)
    return Sighted(found, found.done / bare)


def run(bench: Bench, kind: str, only: Callable[[str], bool]) -> Iterator[Line]:
    """Every page at every size; beside each, how much dearer it is than in the smallest town."""
    first: dict[str, Sighted] = {}
    for posts in sorted(bench.sizes):
        for is_open in (False, True):
            sights = [s for s in SIGHTS if s.open_only is is_open and only(s.name)]
            sights = [s for s in sights if s.times < 300 or bench.town(kind, posts).long]
            if not sights:
                continue
            with reading(bench, kind, posts, is_open=is_open) as at:
                for sight in sights:
                    sighted = measure(bench, kind, at, sight)
                    yield _line(kind, posts, sight, sighted)
                    least = first.setdefault(sight.name, sighted)
                    if least is not sighted:
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
    """What a page costs here against the smallest town, as bare answers of its own minutes.

    Minutes lie between the two, in which a machine may become twice as slow.
    """
    now, then = sighted.cpu, least.cpu
    return Line(
        f"growth: {sight.name}",
        kind,
        posts,
        f"{now * 1e6:,.0f} µs",
        {"cpu_us": round(now * 1e6, 1), "smallest_cpu_us": round(then * 1e6, 1)},
        limit="the smallest town's",
        ratio=now * sighted.limit / (then * least.limit),
        must=GROWTH if sight.is_alike else None,
        at_most=True,
        note=f"{now / then:.2f} by processor time alone",
    )
