# SPDX-License-Identifier: Apache-2.0
"""An event out of a calendar file (RFC 5545), as the form takes it.

Nothing is put into the calendar from a file unseen: it fills in the form, which somebody reads.
"""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from icalendar import Calendar

from server import text
from server.calendar.recurring import LONGEST_RULE, must_be_bearable
from server.errors import Invalid
from server.events import times
from server.events.details import is_link

LARGEST = 1024 * 1024
MOST_LOOKED_AT = 500
UNREADABLE = "This is no calendar file that can be read: it should end in .ics."


@dataclass(frozen=True)
class Found:
    """The fields of the first event of a file, and how many more it holds."""

    typed: dict[str, str]
    others: int


def event_of(body: bytes) -> Found:
    """The first event of a file; Invalid for a file that has none. Slow for large ones."""
    if len(body) > LARGEST:
        raise Invalid({"file": "This file is larger than 1 MB: take a single event out of it."})
    try:
        entries = list(_entries(body))
    except Exception as error:  # whatever its parser trips over, it is a file that cannot be read
        raise Invalid({"file": UNREADABLE}) from error
    if not entries:
        raise Invalid({"file": "There is no event in this file."})
    try:
        return Found(_typed(entries[0]), len(entries) - 1)
    except (ValueError, TypeError, OverflowError, AttributeError, KeyError) as error:
        raise Invalid({"file": "The first event of this file cannot be read."}) from error


def _entries(body: bytes) -> Iterator[Any]:
    """Events that say when they are; changes of single occurrences are left out."""
    for calendar in Calendar.from_ical(body, multiple=True)[:10]:
        for entry in calendar.walk("VEVENT")[:MOST_LOOKED_AT]:
            if entry.get("DTSTART") is not None and entry.get("RECURRENCE-ID") is None:
                yield entry


def _typed(entry: Any) -> dict[str, str]:
    start, zone = _local(entry.get("DTSTART"))
    end = _end(entry, start, zone)
    all_day = not isinstance(start, datetime)
    typed = {
        "title": text.clean_line(str(entry.get("SUMMARY", "")), 200),
        "source": str(entry.get("DESCRIPTION", ""))[: text.MAX_SOURCE],
        "place": text.clean_line(str(entry.get("LOCATION", "")), 300),
        "kind": "meeting",
        "joining": "none",
        "zone": zone,
        "all_day": "yes" if all_day else "",
        "start_date": f"{start:%Y-%m-%d}",
        "end_date": "" if _day(end) == _day(start) else f"{end:%Y-%m-%d}",
        "start_time": "" if all_day else f"{start:%H:%M}",
        "end_time": "" if all_day else f"{end:%H:%M}",
        "online": _link(entry),
    }
    rule = entry.get("RRULE")
    if rule is not None and not isinstance(rule, list):
        typed["rule"] = rule.to_ical().decode()[:LONGEST_RULE]
        with suppress(Invalid):
            # One that cannot be read stands in the form all the same.
            typed |= {"repeat": "rule", "rule": must_be_bearable(typed["rule"])}
        typed["except_on"] = "\n".join(day.isoformat() for day in _left_out(entry, zone))
    return typed


def _day(moment: Any) -> date:
    """The day of a moment, or a day itself; TypeError for anything else."""
    if isinstance(moment, datetime):
        return moment.date()
    if not isinstance(moment, date):
        raise TypeError("neither a day nor a moment")
    return moment


def _local(value: Any) -> tuple[date | datetime, str]:
    """A day, or a local time and the zone it is in; what floats is read as UTC."""
    found = value.dt
    if not isinstance(found, datetime):
        return _day(found), times.DEFAULT
    named = str(value.params.get("TZID", "")) or str(getattr(found.tzinfo, "key", ""))
    if found.tzinfo is None:
        return found, named if times.is_zone(named) else times.DEFAULT
    if not times.is_zone(named):
        return times.wall(found.astimezone(UTC), times.DEFAULT), times.DEFAULT
    return times.wall(found, named), named


def _end(entry: Any, start: date | datetime, zone: str) -> date | datetime:
    """Its end in the zone of its start; the last day of one of whole days."""
    if (value := entry.get("DTEND")) is not None:
        found = value.dt
        if not isinstance(found, datetime):
            return max(_day(start), _day(found) - timedelta(days=1))
        local, _ = _local(value)
        return local if found.tzinfo is None else times.wall(found, zone)
    if (length := entry.get("DURATION")) is not None:
        span: timedelta = length.dt
        end = start + span
        return end if isinstance(end, datetime) else max(_day(start), end - timedelta(days=1))
    return start + timedelta(hours=1) if isinstance(start, datetime) else start


def _link(entry: Any) -> str:
    """Where it is held online, as far as the file says it."""
    for name in ("CONFERENCE", "URL", "LOCATION"):
        value = entry.get(name)
        found = str(value[0] if isinstance(value, list) and value else value or "")
        if is_link(found):
            return found
    return ""


def _left_out(entry: Any, zone: str) -> list[date]:
    value = entry.get("EXDATE")
    lists = value if isinstance(value, list) else [value] if value is not None else []
    found = []
    for one in lists:
        for item in one.dts:
            moment = item.dt
            is_aware = isinstance(moment, datetime) and moment.tzinfo is not None
            found.append(_day(times.wall(moment, zone) if is_aware else moment))
    return sorted(set(found))[:1_000]
