# SPDX-License-Identifier: Apache-2.0
"""The form of an event: what was typed becomes a draft, or is refused."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from server import text
from server.calendar.reader import Reader, Typed
from server.calendar.recurring import (
    MOST,
    REPEATS,
    Rule,
    days_of,
    must_be_bearable,
    occurrences,
    rule_of,
)
from server.errors import Invalid
from server.events import times
from server.events.details import (
    JOININGS,
    KINDS,
    LONGEST,
    LONGEST_LINE,
    LONGEST_RULE,
    LONGEST_TEXT,
    LONGEST_URL,
    MOST_MATERIALS,
    MOST_PLACES,
    MOST_SESSIONS,
    Details,
    Material,
    Session,
    is_link,
)
from server.posts.drafts import ThreadDraft, ThreadForm, check_thread
from storage.posts import Kind


@dataclass(frozen=True)
class EventDraft:
    """An event as proposed: the post, and what it says beyond one."""

    post: ThreadDraft
    details: Details
    repeats: Rule | None = None


def check(typed: Typed) -> EventDraft:
    """The draft of a typed event; Invalid names every field that needs another look."""
    form = ThreadForm(
        typed.get("title", ""), typed.get("source", ""), typed.get("tags", ""),
        typed.get("language", ""),
    )  # fmt: skip
    reader = Reader(typed)
    post: ThreadDraft | None = None
    try:
        post = check_thread(form)
    except Invalid as error:
        if "title" in error.fields:
            error.fields["title"] = error.fields["title"].replace("the thread", "the event")
        reader.faults |= error.fields
    found = _details(reader)
    repeats = _repeats(reader, found) if found is not None else None
    if reader.faults or post is None or found is None:
        raise Invalid(reader.faults)
    return EventDraft(
        ThreadDraft(post.title, post.source, post.tags, post.language, kind=Kind.EVENT),
        found,
        repeats,
    )


def _details(reader: Reader) -> Details | None:
    zone = reader.line("zone", 64) or times.DEFAULT
    if not times.is_zone(zone):
        reader.faults["zone"] = "Choose a time zone from the list, such as Europe/Berlin."
        zone = times.DEFAULT
    all_day = reader.is_set("all_day")
    span = _whole_days(reader, zone) if all_day else _hours(reader, zone)
    joining = reader.choice("joining", JOININGS, "Choose how people sign up.")
    external = reader.url("external")
    if joining == "external" and not external and "external" not in reader.faults:
        reader.faults["external"] = "Give the address where people sign up."
    online = reader.url("online")
    is_hidden = reader.is_set("hidden") and bool(online)
    if is_hidden and joining != "free":
        reader.faults["hidden"] = "Only where people sign up here can the link be kept for them."
    capacity = reader.number("capacity", MOST_PLACES) if joining == "free" else None
    kind = reader.choice("kind", KINDS, "Choose what kind of event it is.")
    place, access, agenda = reader.line("place"), reader.line("access"), sessions(reader)
    if span is None:
        return None
    return Details(
        starts=span[0],
        ends=span[1],
        zone=zone,
        all_day=all_day,
        kind=kind,
        place=place,
        online=online,
        is_online=bool(online),
        is_hidden=is_hidden,
        joining=joining,
        external=external if joining == "external" else "",
        capacity=capacity,
        access=access,
        sessions=agenda,
    )


def _whole_days(reader: Reader, zone: str) -> tuple[datetime, datetime] | None:
    first = reader.day("start_date")
    if first is None:
        reader.faults.setdefault("start_date", "Say on which day it begins.")
        return None
    last = reader.day("end_date") or first
    if last < first:
        reader.faults["end_date"] = "It cannot end before it begins."
        return None
    if last - first >= LONGEST:
        reader.faults["end_date"] = "An event lasts a year at most."
        return None
    starts, ends = times.midnight(first, zone), times.midnight(last + timedelta(days=1), zone)
    if ends <= starts:
        reader.faults["start_date"] = f"There was no such day in {zone}."
    return starts, ends


def _hours(reader: Reader, zone: str) -> tuple[datetime, datetime] | None:
    day, hour = reader.day("start_date"), reader.hour("start_time")
    if day is None:
        reader.faults.setdefault("start_date", "Say on which day it begins.")
    if hour is None:
        reader.faults.setdefault(
            "start_time", "Say when it begins, or choose that it lasts all day."
        )
    end_hour = reader.hour("end_time")
    if end_hour is None:
        reader.faults.setdefault("end_time", "Say when it ends.")
    end_day = reader.day("end_date") or day
    if day is None or hour is None or end_hour is None or end_day is None:
        return None
    first, last = datetime.combine(day, hour), datetime.combine(end_day, end_hour)
    for name, local in (("start_time", first), ("end_time", last)):
        if times.is_skipped(local, zone):
            reader.faults[name] = (
                f"On that day the clocks in {zone} go forward and never show this time."
            )
    starts, ends = times.resolve(first, zone), times.resolve(last, zone)
    if ends <= starts:
        reader.faults["end_time"] = (
            "It has to end after it begins; for one past midnight, set the last day."
        )
    elif ends - starts > LONGEST:
        reader.faults["end_date"] = "An event lasts a year at most."
    return starts, ends


def _repeats(reader: Reader, details: Details) -> Rule | None:
    """The rule of an event that repeats; None for one that does not."""
    chosen = reader.choice("repeat", REPEATS, "Choose how it repeats.")
    if not chosen:
        return None
    until, count = reader.day("repeat_until"), reader.number("repeat_count", MOST)
    first = times.wall(details.starts, details.zone)
    if until is not None and until <= first.date():
        reader.faults["repeat_until"] = "The last day has to be after the first."
    if until is not None and count is not None:
        reader.faults["repeat_count"] = "Give the last day or how many times, not both."
    try:
        left_out = days_of(reader.lines("except_on"))
    except ValueError:
        reader.faults["except_on"] = "Write each day as year-month-day, such as 2026-12-24."
        return None
    try:
        said = reader.line("rule", LONGEST_RULE)
        if chosen == "rule":
            rule = Rule(must_be_bearable(said), first, left_out)
        else:
            rule = Rule(rule_of(chosen, first, until, count), first, left_out)
        if next(occurrences(rule), None) is None:
            reader.faults["except_on"] = "Nothing is left of it."
    except Invalid as error:
        reader.faults["rule"] = error.sentence
        return None
    return rule


def sessions(reader: Reader) -> tuple[Session, ...]:
    """The agenda: a line each, `10:15 | What is told | By whom`."""
    found = []
    for parts in _rows(reader, "agenda", MOST_SESSIONS):
        at, title, speakers = parts if len(parts) == 3 else _guessed(parts)
        found.append(Session(title, at, speakers))
    return tuple(one for one in found if one.title)


def _guessed(parts: list[str]) -> tuple[str, str, str]:
    """An agenda line of one or two parts: a time is known by its digits."""
    if len(parts) == 1:
        return "", parts[0], ""
    first, second = parts[0], parts[1]
    return (first, second, "") if first[:1].isdigit() else ("", first, second)


def materials(reader: Reader) -> tuple[Material, ...]:
    """What remains: a line each, `Name | https://…`."""
    found = []
    for parts in _rows(reader, "materials", MOST_MATERIALS):
        url = parts[-1]
        if not is_link(url):
            reader.faults["materials"] = (
                f"Each line is a name, a bar and an address: “{parts[0][:60]}” has none."
            )
            continue
        found.append(Material(parts[0] if len(parts) > 1 else url, url))
    return tuple(found)


def _rows(reader: Reader, name: str, most: int) -> list[list[str]]:
    """The lines of a field that hold something, each split at bars into at most three parts."""
    lines = reader.lines(name)
    if len(lines) > most:
        reader.faults[name] = f"Keep it to {most} lines."
    found = []
    for line in lines[:most]:
        parts = [text.clean_line(part, LONGEST_TEXT) for part in line.split("|", 2)]
        if any(len(part) > LONGEST_LINE for part in parts[:1]) or len(line) > LONGEST_TEXT:
            reader.faults[name] = f"Keep each part under {LONGEST_LINE} characters."
        found.append([part[:LONGEST_URL] for part in parts])
    return found


def typed_of(post: ThreadForm, details: Details) -> dict[str, str]:
    """The form that shows an event as it is."""
    first, last = times.wall(details.starts, details.zone), times.wall(details.ends, details.zone)
    if details.all_day:
        last -= timedelta(days=1)
    return {
        "title": post.title,
        "source": post.source,
        "tags": post.tags,
        "language": post.language,
        "kind": details.kind,
        "zone": details.zone,
        "all_day": "yes" if details.all_day else "",
        "start_date": f"{first:%Y-%m-%d}",
        "start_time": "" if details.all_day else f"{first:%H:%M}",
        "end_date": "" if last.date() == first.date() else f"{last:%Y-%m-%d}",
        "end_time": "" if details.all_day else f"{last:%H:%M}",
        "place": details.place,
        "online": details.online,
        "hidden": "yes" if details.is_hidden else "",
        "joining": details.joining,
        "external": details.external,
        "capacity": str(details.capacity or ""),
        "access": details.access,
        "agenda": "\n".join(_agenda_line(one) for one in details.sessions),
        "recording": details.recording,
        "materials": "\n".join(f"{one.name} | {one.url}" for one in details.materials),
    }


def _agenda_line(one: Session) -> str:
    if one.at or one.speakers:
        return f"{one.at} | {one.title} | {one.speakers}"
    return one.title


def check_materials(typed: Typed) -> tuple[str, tuple[Material, ...]]:
    """The recording and the materials of a form; Invalid names what is wrong."""
    reader = Reader(typed)
    recording, kept = reader.url("recording"), materials(reader)
    if reader.faults:
        raise Invalid(reader.faults)
    return recording, kept
