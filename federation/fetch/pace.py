# SPDX-License-Identifier: Apache-2.0
"""How fast others are asked for what nobody waits for."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from federation.errors import StatusError, WireError
from server.clock import Clock
from server.randomness import Randomness

EVERY = 1.0
LONGEST_QUEUE = 60.0
RESTS = 60.0
MOST_HOSTS = 2_000
_TIRED = frozenset({429, 503})


class Resting(WireError):
    """The other server asked to be left alone for a while."""

    permanent = False


class Pace:
    """One request a host and second at most, and none while it has asked us to wait.

    `every` is in seconds; up to half as much is added by chance, so that no two servers of ours
    fall into step. What a host asked for with Retry-After (RFC 9110, 10.2.3) is kept in memory.
    """

    def __init__(
        self,
        clock: Clock,
        randomness: Randomness,
        *,
        every: float = EVERY,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.every = every
        self._clock = clock
        self._randomness = randomness
        self._sleep = sleep
        self._free: dict[str, float] = {}
        self._rests: dict[str, float] = {}

    async def turn(self, host: str) -> None:
        """Wait until the host may be asked; raises Resting where that is not soon."""
        if self._rests.get(host, 0.0) > self._clock.now().timestamp():
            raise Resting
        now = asyncio.get_running_loop().time()
        free = max(now, self._free.get(host, now))
        if free - now > LONGEST_QUEUE:
            raise Resting
        self._free[host] = free + self.every * (1.0 + self._randomness.fraction() / 2)
        self._forget(now)
        if free > now:
            await self._sleep(free - now)

    def heed(self, host: str, error: StatusError) -> None:
        """Leave a host alone that answered that it is asked too much."""
        if error.status not in _TIRED:
            return
        asked = RESTS if error.retry_after is None else error.retry_after
        wait = asked * (1.0 + self._randomness.fraction() / 10)
        self._rests[host] = self._clock.now().timestamp() + wait

    def _forget(self, now: float) -> None:
        """Hosts that may be asked again need not be remembered."""
        if len(self._free) > MOST_HOSTS:
            self._free = {host: free for host, free in self._free.items() if free > now}
        if len(self._rests) > MOST_HOSTS:
            moment = self._clock.now().timestamp()
            self._rests = {host: until for host, until in self._rests.items() if until > moment}


_current: ContextVar[Pace | None] = ContextVar("pace", default=None)


@contextmanager
def paced(pace: Pace) -> Iterator[None]:
    """Have everything that is fetched inside keep a pace; tasks begun inside keep it too."""
    token = _current.set(pace)
    try:
        yield
    finally:
        _current.reset(token)


async def await_turn(host: str) -> None:
    """Wait until a host may be asked, where a pace is kept; raises Resting."""
    pace = _current.get()
    if pace is not None:
        await pace.turn(host)


def heed(host: str, error: StatusError) -> None:
    """Remember that a host has asked to be left alone, where a pace is kept."""
    pace = _current.get()
    if pace is not None:
        pace.heed(host, error)
