# SPDX-License-Identifier: Apache-2.0
"""Whether a peer that fails at an entry fails at that one, or at all."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from federation.delivery.health import Origin

# So often an entry by itself is tried before it is set aside, where its peer failed at it.
TRIES_OF_ONE = 3
# That one, and one that waits behind it.
MOST_ASIDE = 2
# So many fail in one turn, at most, before all of its peer waits: one, then twice as many as in
# the turn before.
MOST_FAILING = 64
# So many of those that were set aside are tried in one turn while the peer fails.
MOST_HELD = 16


@dataclass(eq=False)
class Doubt:
    """An entry its peer failed at, or that waits behind such a one.

    `is_held` where it was set aside before, `is_sent` where it was tried now, `is_broken` where
    the peer said that the fault is its own, `is_last` where nothing follows in its thread.
    """

    is_held: bool = False
    is_sent: bool = True
    is_broken: bool = False
    is_last: bool = False


class Doubts:
    """What one turn of a lane does not know yet about its peer.

    Such an entry waits until something else was taken, which shows that the peer is well and has
    it set aside; or until nothing is left to try, or too much has failed: then the peer fails,
    and all waits for it with nothing set aside. The turns that follow look twice as far each
    time, so that a few such entries in a row keep nothing from those behind them.

    One entry that is all there is goes aside by itself, so that the next is tried when it comes;
    whether the peer is well is then still to be shown.
    """

    def __init__(self, origin: Origin, is_clear: bool, go_on: Callable[[], bool]) -> None:
        """`is_clear` where the lane has nothing set aside; `go_on` has another tried, if it can."""
        self._origin = origin
        self._is_clear = is_clear
        self._go_on = go_on
        self._waiting: dict[Doubt, asyncio.Future[bool]] = {}
        self._since = 0
        # Of what is sent in this turn, what may still show something.
        self.going = 0
        self.stopped = False
        # Whether any of those that were decided together was sent in this turn.
        self.was_asked = False

    async def is_aside(self, doubt: Doubt) -> bool:
        """Wait until that is known: whether it is set aside, or else its peer is failing."""
        answer: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        if not self._waiting:
            self._since = self._origin.taken
        self._waiting[doubt] = answer
        tried = sum(one.is_sent and not one.is_held for one in self._waiting)
        if tried > min(2 ** min(self._origin.failures, 10), MOST_FAILING):
            self._decide(False)
        self.rest()
        return await answer

    def taken(self) -> None:
        """Something else was taken."""
        if self._waiting:
            self._decide(True)

    def rest(self) -> None:
        """One of those that are going ends, or waits."""
        self.going -= 1
        if self._waiting and not self.going and not self._go_on():
            self._decide(self._are_aside())

    def _are_aside(self) -> bool:
        """Nothing else is left to try."""
        if self.stopped or self._origin.taken > self._since:
            return not self.stopped
        fresh = [doubt for doubt in self._waiting if not doubt.is_held]
        if fresh:
            if len(fresh) > 1 or not self._may_stand_aside(fresh[0]):
                return False
            self._origin.aside += 1
        elif self._origin.failures and len(self._waiting) > MOST_ASIDE:
            # It failed before, and at all that was tried now.
            return False
        elif not self._origin.taken:
            # It was set aside by another process, or before this one began.
            self._origin.aside = max(1, self._origin.aside)
        return True

    def _may_stand_aside(self, doubt: Doubt) -> bool:
        if not doubt.is_last:
            return False
        if not doubt.is_sent:
            return self._origin.aside < MOST_ASIDE
        is_tried = not doubt.is_broken or self._origin.failures >= TRIES_OF_ONE
        return is_tried and self._is_clear

    def _decide(self, is_aside: bool) -> None:
        self.was_asked = any(doubt.is_sent for doubt in self._waiting)
        # What was tried says best why.
        for _, answer in sorted(self._waiting.items(), key=lambda one: not one[0].is_sent):
            # One of a turn that is being ended was cancelled.
            if not answer.done():
                answer.set_result(is_aside)
        self.going += len(self._waiting)
        self._waiting.clear()
