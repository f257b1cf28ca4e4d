# SPDX-License-Identifier: Apache-2.0
"""Time zones as calendar files describe them (VTIMEZONE, RFC 5545 §3.6.5).

Only the changes around the events of a file are listed, each with the local time at which it
happens by the clock that it ends.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from icalendar import Timezone, TimezoneDaylight, TimezoneStandard

from server.events import times

_DAY, _SECOND = timedelta(days=1), timedelta(seconds=1)


def described(name: str, moments: Iterable[datetime]) -> Timezone:
    """A zone over the years of these moments, and one more on both sides."""
    held = list(moments)
    first = datetime(min(held).year - 1, 1, 1, tzinfo=UTC)
    last = datetime(max(held).year + 2, 1, 1, tzinfo=UTC)
    zone = times.zone(name)
    made = Timezone()
    made.add("tzid", name)
    for moment, before in [(first, _offset(first, zone)), *_changes(zone, first, last)]:
        local = moment.astimezone(zone)
        part = TimezoneDaylight() if local.dst() else TimezoneStandard()
        part.add("dtstart", (moment + before).replace(tzinfo=None))
        part.add("tzoffsetfrom", before)
        part.add("tzoffsetto", _offset(moment, zone))
        part.add("tzname", local.tzname() or name)
        made.add_component(part)
    return made


def _offset(moment: datetime, zone: ZoneInfo) -> timedelta:
    return moment.astimezone(zone).utcoffset() or timedelta()


def _changes(
    zone: ZoneInfo, first: datetime, last: datetime
) -> Iterator[tuple[datetime, timedelta]]:
    """Each moment at which the offset changes, with the offset before it."""
    day = first
    while day < last:
        before, after = day, day + _DAY
        old = _offset(before, zone)
        if _offset(after, zone) != old:
            while after - before > _SECOND:
                middle = before + ((after - before) / 2 // _SECOND) * _SECOND
                if _offset(middle, zone) == old:
                    before = middle
                else:
                    after = middle
            yield after, old
        day += _DAY
