# SPDX-License-Identifier: Apache-2.0
"""Events out of a calendar file (RFC 5545), as the form takes them.

Nothing is put into the calendar from a file unseen: one event fills in the form, and of several
somebody chooses.
"""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from typing import Any

from icalendar import Calendar

from server import text
from server.calendar.recurring import must_be_bearable
from server.errors import Invalid
from server.events import times
from server.events.details import LONGEST_RULE, is_link

LARGEST = 1024 * 1024
MOST_LOOKED_AT = 500
UNREADABLE = "This is no calendar file that can be read: it should end in .ics."


@dataclass(frozen=True)
class Found:
    """The fields of an event of a file, or the sentence that says why it cannot be taken over."""

    typed: dict[str, str]
    fault: str = ""


def events_of(body: bytes) -> list[Found]:
    """The events of a file, in its order; Invalid for a file that has none. Slow for large ones.

    A time of a series that was changed by itself is an event by itself, and a day that the
    series leaves out (RECURRENCE-ID, RFC 5545 §3.8.4.4).
    """
    if len(body) > LARGEST:
        raise Invalid({"file": "This file is larger than 1 MB: take fewer events out of it."})
    try:
        entries = list(_entries(body))
        changed = _changed(entries)
    except Exception as error:  # whatever its parser trips over, it is a file that cannot be read
        raise Invalid({"file": UNREADABLE}) from error
    if not entries:
        raise Invalid({"file": "There is no event in this file."})
    return [_found(entry, changed) for entry in entries]


def _found(entry: Any, changed: dict[str, list[Any]]) -> Found:
    title = ""
    try:
        title = text.clean_line(str(entry.get("SUMMARY", "")), 200)
        if str(entry.get("STATUS", "")).upper() == "CANCELLED":
            return Found({"title": title}, "The file says that it is cancelled.")
        alone = entry.get("RECURRENCE-ID") is not None
        typed = _typed(entry, [] if alone else changed.get(str(entry.get("UID", "")), []))
        return Found({"title": title, **typed})
    except (ValueError, TypeError, OverflowError, AttributeError, KeyError):
        return Found({"title": title}, "It does not say when it is in a way that can be read.")


def _entries(body: bytes) -> Iterator[Any]:
    """Events that say when they are, MOST_LOOKED_AT in all."""
    found = (
        entry
        for calendar in Calendar.from_ical(body, multiple=True)[:10]
        for entry in calendar.walk("VEVENT")
        if entry.get("DTSTART") is not None
    )
    return islice(found, MOST_LOOKED_AT)


def _changed(entries: list[Any]) -> dict[str, list[Any]]:
    """The times of series that stand in the file by themselves, by the UID of the series."""
    found: dict[str, list[Any]] = {}
    for entry in entries:
        if (value := entry.get("RECURRENCE-ID")) is not None:
            found.setdefault(str(entry.get("UID", "")), []).append(value)
    return found


def _typed(entry: Any, changed: list[Any]) -> dict[str, str]:
    start, zone = _local(entry.get("DTSTART"))
    end = _end(entry, start, zone)
    all_day = not isinstance(start, datetime)
    typed = {
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
        typed["except_on"] = "\n".join(day.isoformat() for day in _left_out(entry, zone, changed))
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


def _left_out(entry: Any, zone: str, changed: list[Any]) -> list[date]:
    value = entry.get("EXDATE")
    lists = value if isinstance(value, list) else [value] if value is not None else []
    moments = [item.dt for one in lists for item in one.dts] + [one.dt for one in changed]
    found = []
    for moment in moments:
        is_aware = isinstance(moment, datetime) and moment.tzinfo is not None
        found.append(_day(times.wall(moment, zone) if is_aware else moment))
    return sorted(set(found))[:1_000]
