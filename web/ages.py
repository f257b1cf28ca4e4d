# SPDX-License-Identifier: Apache-2.0
"""How long ago something was, in words, and how long the words stay true."""

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
WEEK = 7 * DAY


def ago(moment: datetime, now: datetime) -> str:
    """`2 hours ago`; a date once it is a week old."""
    return Ages(now).ago(moment)


class Ages:
    """Says of moments how long ago they were, and remembers until when all of it is true."""

    def __init__(self, now: datetime) -> None:
        self.now = now
        self._least = datetime(now.year + 1, 1, 1, tzinfo=UTC) - now

    @property
    def until(self) -> datetime:
        """From this moment on something said so far would be said differently."""
        return self.now + self._least

    def stamped(self, moment: datetime) -> str:
        """`ago` as HTML, with the exact time on hover."""
        return f"{_stamp(moment)}{self.ago(moment)}</time>"

    def ago(self, moment: datetime) -> str:
        """`2 hours ago`; a date once it is a week old."""
        age = self.now - moment
        if age >= WEEK:
            # Only the year's end changes this.
            day = _day(moment.date())
            return day.with_year if moment.year != self.now.year else day.bare
        if age < MINUTE:
            said, left = "just now", MINUTE - age
        elif age < HOUR:
            said, left = _counted(age // MINUTE, "minute"), MINUTE - age % MINUTE
        elif age < DAY:
            said, left = _counted(age // HOUR, "hour"), HOUR - age % HOUR
        else:
            days = age // DAY
            said, left = "yesterday" if days == 1 else f"{days} days ago", DAY - age % DAY
        if left < self._least:
            self._least = left
        return said


class _Day(NamedTuple):
    """One day as it is written: `26 November 2026`, `26 Nov 2026`, `26 November`."""

    whole: str
    with_year: str
    bare: str


# A page names twenty moments, most of them never asked for again; their days are.
@lru_cache(maxsize=4_096)
def _day(day: date) -> _Day:
    return _Day(f"{day.day} {day:%B %Y}", f"{day.day} {day:%b %Y}", f"{day.day} {day:%B}")


def _counted(count: int, unit: str) -> str:
    return f"{count} {unit}{'' if count == 1 else 's'} ago"


@lru_cache(maxsize=8_192)
def _stamp(moment: datetime) -> str:
    return f'<time datetime="{moment.isoformat()}" title="{exact(moment)}">'


def exact(moment: datetime) -> str:
    """`26 November 2026, 14:05 UTC`."""
    return f"{_day(moment.date()).whole}, {moment.hour:02}:{moment.minute:02} UTC"
