# SPDX-License-Identifier: Apache-2.0
"""An event loop whose time passes only when everybody waits."""

import asyncio
import heapq
import random
import selectors
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

BASE = datetime(2026, 11, 23, 9, tzinfo=UTC)
# Steps grow by this factor while nothing moves, so that idle weeks cost a few dozen steps.
FASTER = 3.0
SHORTEST_LEAP = 2.0
# So many rounds without a moment passing are no work any more, but a loop that never waits.
BUSY_ROUNDS = 3_000


class _NoWaiting(selectors.DefaultSelector):
    """Waits for nothing: the loop's clock is turned on instead."""

    def __init__(self, turn: Callable[[float], None]) -> None:
        super().__init__()
        self._turn = turn

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise RuntimeError("Everybody waits, and nothing is ever going to happen.")
        if timeout > 0:
            self._turn(timeout)
        return []


class VirtualLoop(asyncio.SelectorEventLoop):
    """Runs everything in one thread, in an order that the seed decides.

    Its clock starts at 0 and jumps to the next timer whenever nothing is ready. While the
    network is silent the jumps grow, up to `longest_leap` seconds: timers then fire late, as on a
    machine that was asleep, but never past an `exact` moment.
    """

    def __init__(self, seed: int) -> None:
        self._now = 0.0
        self._exact: list[float] = []
        self._leap = 0.0
        self.longest_leap = 1.0
        self._rounds = 0
        self.on_busy: Callable[[], None] = lambda: None
        self.moving = 0
        self.lively = True
        self.random = random.Random(seed)
        super().__init__(_NoWaiting(self._turn))
        # With a coarser one a timer at the rounded end of a wait would spin.
        self._clock_resolution = 1e-6

    def time(self) -> float:
        """Seconds since the beginning."""
        return self._now

    def _turn(self, timeout: float) -> None:
        while self._exact and self._exact[0] <= self._now:
            heapq.heappop(self._exact)
        step = timeout
        if not self.moving:
            grown = max(SHORTEST_LEAP, self._leap * FASTER)
            self._leap = min(self.longest_leap, grown)
            step = max(timeout, self._leap)
        if self._exact:
            step = min(step, self._exact[0] - self._now)
        self._now += max(step, 1e-6)
        self._rounds = 0

    def calm_down(self) -> None:
        """Something moved: step from timer to timer again, unless time is to fly."""
        if self.lively:
            self._leap = 0.0

    async def pause(self, seconds: float) -> None:
        """Sleep to the very moment, whatever leaps there are."""
        heapq.heappush(self._exact, self._now + seconds)
        await asyncio.sleep(seconds)

    def _run_once(self) -> None:
        self._rounds += 1
        if self._rounds > BUSY_ROUNDS:
            # Time is given to it, or the run would never end.
            self.on_busy()
            self._now += 5.0
            self._rounds = 0
        ready: Any = self._ready  # type: ignore[attr-defined]
        if len(ready) > 1:
            shuffled = list(ready)
            self.random.shuffle(shuffled)
            ready.clear()
            ready.extend(shuffled)
        super()._run_once()  # type: ignore[misc]

    def run_in_executor(self, executor: Any, func: Any, *args: Any) -> Any:  # type: ignore[override]
        """Run it here and now: threads would decide the order of things."""
        future = self.create_future()
        try:
            future.set_result(func(*args))
        except Exception as error:
            future.set_exception(error)
        return future


class NodeClock:
    """The wall clock of one machine, which may be wrong by `skew`."""

    def __init__(self, loop: VirtualLoop, skew: timedelta = timedelta()) -> None:
        self._loop = loop
        self.skew = skew

    def now(self) -> datetime:
        """Aware UTC, whole milliseconds."""
        moment = BASE + timedelta(milliseconds=int(self._loop.time() * 1000))
        return moment + self.skew


def shown(seconds: float) -> str:
    """A virtual moment for people: `2d 03:04:05.678`."""
    days, rest = divmod(seconds, 86_400)
    hours, rest = divmod(rest, 3_600)
    minutes, rest = divmod(rest, 60)
    return f"{int(days)}d {int(hours):02}:{int(minutes):02}:{rest:06.3f}"
