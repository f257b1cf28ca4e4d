# SPDX-License-Identifier: Apache-2.0
"""The pages and documents that are asked for, each as a kind of request."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import count, cycle, islice

from bench import town
from bench.elsewhere import Elsewhere
from bench.ingest import SENDER
from bench.measures import get
from bench.product import HOST, Product
from bench.shelf import EVENTS, MONTH, NOTHING, REPLIES, Shelf
from bench.threads import LONG_ONES, SHORT_ONES
from bench.town import Town

UNCACHED, CACHED = 0.025, 0.40
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
