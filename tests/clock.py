# SPDX-License-Identifier: Apache-2.0
"""A clock that stands still until a test turns it."""

from datetime import UTC, datetime, timedelta


class TurnableClock:
    """Begins on a Monday morning in November 2026."""

    def __init__(self, start: datetime = datetime(2026, 11, 23, 9, tzinfo=UTC)) -> None:
        self._now = start

    def now(self) -> datetime:
        """Aware UTC, whole milliseconds."""
        return self._now

    def turn(self, *, days: float = 0, hours: float = 0, minutes: float = 0) -> datetime:
        """Let time pass; answers the new moment."""
        self._now += timedelta(days=days, hours=hours, minutes=minutes)
        return self._now
