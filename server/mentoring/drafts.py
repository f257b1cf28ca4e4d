# SPDX-License-Identifier: Apache-2.0
"""An entry as somebody proposes it, from a form or from the wire alike."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from server import text
from server.errors import Invalid
from server.mentoring import profiles
from storage.mentoring import Entry, EntryKind

LONGEST_TITLE = 120
LONGEST_TEXT = 8_000
MOST_MINUTES = 480
STATES: dict[EntryKind, tuple[str, ...]] = {
    EntryKind.SESSION: ("planned", "held", "missed", "cancelled"),
    EntryKind.ACTION: ("open", "done"),
    EntryKind.GOAL: ("open", "done"),
}
# What is one's own unless one shares it.
OWN = frozenset({EntryKind.NOTE, EntryKind.FEEDBACK})
NEEDS_TITLE = frozenset({EntryKind.ACTION, EntryKind.GOAL, EntryKind.SESSION})
NEEDS_TEXT = frozenset({EntryKind.MESSAGE, EntryKind.NOTE, EntryKind.CHECK_IN, EntryKind.REPORT})
# What its author may write anew, and take back. Feedback is counted, and a session is called off.
CHANGEABLE = frozenset(EntryKind) - {EntryKind.FEEDBACK, EntryKind.REPORT}
REMOVABLE = CHANGEABLE - {EntryKind.SESSION}
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}\Z")


@dataclass(frozen=True)
class EntryDraft:
    """An entry, checked; `parent` is the wire id of the goal that a check-in is about."""

    kind: EntryKind
    title: str = ""
    text: str = ""
    starts: datetime | None = None
    minutes: int | None = None
    due: str | None = None
    state: str = ""
    rating: int | None = None
    parent: str = ""


def typed(form: Mapping[str, str], kind: str, zone: str) -> EntryDraft:
    """The entry that a form holds; a session's day and time are those of `zone`."""
    faults: dict[str, str] = {}
    made: dict[str, Any] = {"kind": kind, "title": form.get("title", ""), "text": form["text"]}
    if kind == EntryKind.SESSION:
        try:
            day, at = date.fromisoformat(form["day"]), time.fromisoformat(form["time"])
            made["starts"] = datetime.combine(day, at.replace(tzinfo=None), ZoneInfo(zone))
        except (ValueError, OverflowError):
            faults["day"] = "Enter a day such as 2027-03-31, and a time such as 14:30."
        minutes = form.get("minutes", "").strip()
        made["minutes"] = int(minutes) if minutes.isascii() and minutes.isdecimal() else 0
    if kind == EntryKind.FEEDBACK:
        rating = form.get("rating", "")
        made["rating"] = int(rating) if rating in set("12345") and rating else 0
    if due := form.get("due", "").strip():
        made["due"] = due
    if parent := form.get("parent", ""):
        made["parent"] = parent
    try:
        draft = read(made)
    except Invalid as error:
        raise Invalid({**error.fields, **faults}) from error
    if faults:
        raise Invalid(faults)
    return draft


def typed_of(entry: Entry, zone: str) -> dict[str, str]:
    """The form that shows an entry as it is, with a session's day and time in `zone`."""
    found = {"title": entry.title, "text": entry.source, "due": entry.due or ""}
    if entry.starts is not None:
        local = entry.starts.astimezone(ZoneInfo(zone))
        found |= {"day": f"{local:%Y-%m-%d}", "time": f"{local:%H:%M}"}
    if entry.minutes is not None:
        found["minutes"] = str(entry.minutes)
    return found


def read(made: Mapping[str, Any]) -> EntryDraft:
    """The entry of a document; Invalid names every member that is wrong."""
    faults: dict[str, str] = {}
    kind = made.get("kind")
    if not isinstance(kind, str) or kind not in set(EntryKind):
        raise Invalid({"kind": "There is no such entry."})
    known = EntryKind(kind)
    title, words = _line(made.get("title", "")), _words(made.get("text", ""))
    if title is None or len(title) > LONGEST_TITLE:
        faults["title"] = f"Keep it under {LONGEST_TITLE} characters."
    elif not title and known in NEEDS_TITLE:
        faults["title"] = "Say in a few words what it is."
    if words is None or len(words) > LONGEST_TEXT:
        faults["text"] = f"Keep it under {LONGEST_TEXT:,} characters."
    elif not words and known in NEEDS_TEXT:
        faults["text"] = "Write something first."
    draft = _dated(EntryDraft(known, title or "", words or ""), made, faults)
    if known == EntryKind.SESSION:
        draft = _session(draft, made, faults)
    if known == EntryKind.FEEDBACK:
        draft = replace(draft, rating=_number(made.get("rating"), 5))
        if draft.rating is None:
            faults["rating"] = "Choose from 1 to 5."
    if faults:
        raise Invalid(faults)
    return draft


def _dated(draft: EntryDraft, made: Mapping[str, Any], faults: dict[str, str]) -> EntryDraft:
    """With the day it is due, its state, and what it is about."""
    due, state = made.get("due"), made.get("state", "")
    if due is not None and not is_day(due):
        faults["due"] = "Enter a day such as 2027-03-31, or leave it empty."
    states = STATES.get(draft.kind, ("",))
    if not isinstance(state, str) or (state and state not in states):
        faults["state"] = "Choose from the list."
    parent = made.get("parent", "")
    return replace(
        draft, due=due, state=str(state) or states[0],
        parent=parent if isinstance(parent, str) else "",
    )  # fmt: skip


def _session(draft: EntryDraft, made: Mapping[str, Any], faults: dict[str, str]) -> EntryDraft:
    starts, minutes = made.get("starts"), _number(made.get("minutes"), MOST_MINUTES)
    if minutes is None:
        faults["minutes"] = f"Give its length in minutes, up to {MOST_MINUTES}."
    if not isinstance(starts, datetime) or starts.tzinfo is None:
        faults["day"] = "Enter a day such as 2027-03-31, and a time such as 14:30."
        return draft
    return replace(draft, starts=starts, minutes=minutes)


def _line(value: object) -> str | None:
    return text.clean_line(value, LONGEST_TITLE + 1) if isinstance(value, str) else None


def _words(value: object) -> str | None:
    return profiles.text_of(value) if isinstance(value, str) else None


def _number(value: object, most: int) -> int | None:
    is_whole = isinstance(value, int) and not isinstance(value, bool)
    return value if isinstance(value, int) and is_whole and 1 <= value <= most else None


def is_day(value: object) -> bool:
    """Whether this is a day, as `yyyy-mm-dd`."""
    if not isinstance(value, str) or not _DAY.match(value):
        return False
    try:
        date.fromisoformat(value)
    except ValueError:
        return False
    return True
