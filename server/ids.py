# SPDX-License-Identifier: Apache-2.0
"""Ids that sort by time: 47 bits of milliseconds, 16 random."""

from datetime import UTC, datetime, timedelta

from server.clock import Clock
from server.randomness import Randomness

FLOOR = datetime(2000, 1, 1, tzinfo=UTC)
# Further ahead a clock was wrong altogether: what it numbered is left behind, and not gone on from.
SET_BACK = timedelta(days=2)
# What is no further ahead was made by a process that ended just now.
AT_ONCE = timedelta(seconds=1)


class Ids:
    """Gives ids out; a clock that steps back continues from the last one."""

    def __init__(self, clock: Clock, randomness: Randomness) -> None:
        self._clock = clock
        self._randomness = randomness
        self._last = 0

    @property
    def ahead(self) -> int:
        """No clock that was merely set back has given out an id from here on."""
        return earliest(self._clock.now() + SET_BACK)

    def go_on_from(self, last: int) -> None:
        """Continue from what stands in the database already, though the clock was set back.

        Several processes then count on at once, each from a place of its own.
        """
        if last >= earliest(self._clock.now() + AT_ONCE):
            last += self._randomness.bits(28)
        self._last = max(self._last, last)

    def next(self) -> int:
        """A new id for now, greater than any given out before."""
        fresh = self._at(self._clock.now())
        self._last = fresh if fresh > self._last else self._last + 1
        return self._last

    def at(self, published: datetime) -> int:
        """An id for something written elsewhere: min(published, now), not before 2000."""
        return self._at(max(FLOOR, min(published, self._clock.now())))

    def _at(self, moment: datetime) -> int:
        return int(moment.timestamp() * 1000) << 16 | self._randomness.bits(16)


def earliest(moment: datetime) -> int:
    """The smallest id that can have been made at a moment."""
    return int(moment.timestamp() * 1000) << 16


def moment_of(identifier: int) -> datetime:
    """When an id was made."""
    return datetime.fromtimestamp((identifier >> 16) / 1000, UTC)
