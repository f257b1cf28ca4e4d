# SPDX-License-Identifier: Apache-2.0
"""How often one visitor may do what costs us: token buckets."""

import ipaddress
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil

from starlette.requests import Request

from server.errors import TooFast
from web.visits import Visit

MOST_BUCKETS = 20_000


@dataclass(frozen=True)
class Limit:
    """At most `count` at once, refilled evenly over `seconds`."""

    name: str
    count: int
    seconds: float


SEARCH = Limit("search", 30, 60)
LOOK_UP = Limit("look-up", 30, 60)
CHECK = Limit("check", 6, 60)
SIGN_IN = Limit("sign-in", 120, 300)
SIGN_UP = Limit("sign-up", 3, 3_600)
JOIN = Limit("join", 30, 3_600)
PASSWORD = Limit("password", 10, 900)
REPORT = Limit("report", 20, 3_600)
PICTURE = Limit("picture", 10, 600)
FETCH = Limit("fetch", 30, 600)
UPLOAD = Limit("upload", 60, 600)
PIECE = Limit("piece", 600, 600)
REGISTER = Limit("app", 30, 3_600)
TOKEN = Limit("token", 120, 300)


class Buckets:
    """Token buckets in this process's memory; the longest unused make room for new ones."""

    def __init__(self, most: int = MOST_BUCKETS) -> None:
        self._most = most
        self._held: OrderedDict[tuple[str, str], tuple[float, datetime]] = OrderedDict()

    def spend(self, limit: Limit, who: str, now: datetime) -> None:
        """Take one token; TooFast, with the seconds until the next, when there is none."""
        key = (limit.name, who)
        tokens, since = self._held.pop(key, (float(limit.count), now))
        rate = limit.count / limit.seconds
        passed = max(0.0, (now - since).total_seconds())
        tokens = min(float(limit.count), tokens + passed * rate)
        spent = tokens >= 1
        self._held[key] = (tokens - 1 if spent else tokens, now)
        if len(self._held) > self._most:
            self._held.popitem(last=False)
        if not spent:
            raise TooFast(retry_after=ceil((1 - tokens) / rate))

    def left(self, limit: Limit, who: str, now: datetime) -> tuple[int, datetime]:
        """How many are left after the last `spend`, and when there are all of them again."""
        tokens, _ = self._held.get((limit.name, who), (float(limit.count), now))
        seconds = (limit.count - tokens) * limit.seconds / limit.count
        return int(tokens), now + timedelta(seconds=seconds)

    def __len__(self) -> int:
        return len(self._held)


def spend(visit: Visit, limit: Limit, who: str = "") -> None:
    """One use by the visitor's address, or by `who`; TooFast when that was one too many."""
    buckets = buckets_of(visit.request)
    buckets.spend(limit, who or address_of(visit.request), visit.instance.clock.now())


def buckets_of(request: Request) -> Buckets:
    """The buckets of this process."""
    state = request.app.state
    if not hasattr(state, "buckets"):
        state.buckets = Buckets()
    buckets: Buckets = state.buckets
    return buckets


def address_of(request: Request) -> str:
    """Where a request comes from; of IPv6 the /64, which is what one subscriber holds."""
    host = request.client.host if request.client else ""
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return host
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        return str(ipaddress.ip_network((address, 64), strict=False))
    return str(address)
