# SPDX-License-Identifier: Apache-2.0
"""Moments and the clocks on walls: zones, local times, both in words.

A local time that the clocks skip in spring is read with the offset from before the change, and
one that they show twice in autumn is the first of the two (RFC 5545 §3.3.5).
"""

from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

DEFAULT = "UTC"


@cache
def zones() -> tuple[str, ...]:
    """Every zone of the IANA database that names a place, and UTC, in order."""
    places = {
        name for name in _known() if "/" in name and not name.startswith(("Etc/", "SystemV/"))
    }
    return (DEFAULT, *sorted(places))


@cache
def _known() -> frozenset[str]:
    return frozenset(available_timezones())


def is_zone(name: str) -> bool:
    """Whether the IANA database has a zone of this name."""
    return name in _known()


def zone(name: str) -> ZoneInfo:
    """The zone of this name; UTC for a name that nothing has."""
    return ZoneInfo(name if is_zone(name) else DEFAULT)


def resolve(local: datetime, name: str) -> datetime:
    """The moment, in UTC, at which the clocks of a zone show a local time."""
    return local.replace(tzinfo=zone(name), fold=0).astimezone(UTC)


def is_skipped(local: datetime, name: str) -> bool:
    """Whether the clocks of a zone never show this local time."""
    return wall(resolve(local, name), name) != local


def wall(moment: datetime, name: str) -> datetime:
    """What the clocks of a zone show at a moment, as a time without a zone."""
    return moment.astimezone(zone(name)).replace(tzinfo=None, fold=0)


def midnight(day: date, name: str) -> datetime:
    """The moment at which a day begins in a zone."""
    return resolve(datetime.combine(day, time()), name)


def offset(moment: datetime, name: str) -> str:
    """`UTC+1`, `UTC−3:30`: how far the clocks of a zone are from UTC at a moment."""
    ahead = moment.astimezone(zone(name)).utcoffset() or timedelta()
    minutes = round(ahead.total_seconds() / 60)
    hours, rest = divmod(abs(minutes), 60)
    if not minutes:
        return "UTC"
    return f"UTC{'+' if minutes > 0 else '−'}{hours}{f':{rest:02d}' if rest else ''}"


def day_in_words(day: date) -> str:
    """`Thursday 3 December 2026`."""
    return f"{day:%A} {day.day} {day:%B %Y}"


def in_words(starts: datetime, ends: datetime, name: str, *, all_day: bool) -> str:
    """When something is, in the time of a zone, in words.

    `Thursday 3 December 2026, 14:00–15:30 (Europe/Berlin, UTC+1)`.
    """
    first, last = wall(starts, name), wall(ends, name)
    if all_day:
        until = (last - timedelta(minutes=1)).date()
        if until <= first.date():
            return f"{day_in_words(first.date())}, all day"
        return f"{day_in_words(first.date())} to {day_in_words(until)}"
    where = f"({name}, {offset(starts, name)})" if name != DEFAULT else "(UTC)"
    begin = f"{day_in_words(first.date())}, {first:%H:%M}"
    if last.date() == first.date():
        return f"{begin}–{last:%H:%M} {where}"
    return f"{begin} to {day_in_words(last.date())}, {last:%H:%M} {where}"
