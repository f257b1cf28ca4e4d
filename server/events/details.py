# SPDX-License-Identifier: Apache-2.0
"""What an event says beyond a thread: when, where, how to join, agenda."""

import json
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from server.events import times
from server.events.rules import in_words
from storage.events import Event

KINDS: dict[str, str] = {
    "webinar": "Webinar",
    "workshop": "Workshop",
    "training": "Training",
    "conference": "Conference",
    "office-hours": "Office hours",
    "meeting": "Meeting",
}
STATUSES: dict[str, str] = {
    "confirmed": "It will take place",
    "tentative": "Not certain yet",
    "cancelled": "Cancelled",
}
JOININGS: dict[str, str] = {
    "free": "Here: people take a place, and the waiting list moves by itself",
    "external": "On another website",
    "none": "Nobody needs to sign up",
}
LONGEST = timedelta(days=366)
MOST_PLACES = 100_000
MOST_SESSIONS = 40
MOST_MATERIALS = 40
LONGEST_LINE = 300
LONGEST_URL = 1_000
LONGEST_TEXT = 2_000
LONGEST_RULE = 500


@dataclass(frozen=True)
class Session:
    """A part of the agenda; `at` is its local time as written, such as `10:15`."""

    title: str
    at: str = ""
    speakers: str = ""


@dataclass(frozen=True)
class Material:
    """Something to read or watch afterwards."""

    name: str
    url: str


@dataclass(frozen=True)
class Details:
    """Everything of an event that travels with it; moments are UTC.

    `online` is the link, empty where only those who signed up are told it (`is_hidden`).
    `series` is the wire id of the series, `series_at` the local start it was planned for, and
    `rule` how it repeats (RFC 5545).
    """

    starts: datetime
    ends: datetime
    zone: str = times.DEFAULT
    all_day: bool = False
    kind: str = "meeting"
    status: str = "confirmed"
    place: str = ""
    online: str = ""
    is_online: bool = False
    is_hidden: bool = False
    joining: str = "none"
    external: str = ""
    capacity: int | None = None
    access: str = ""
    sessions: tuple[Session, ...] = ()
    materials: tuple[Material, ...] = ()
    recording: str = ""
    series: str = ""
    series_at: str = ""
    rule: str = ""

    @property
    def when(self) -> str:
        """When it is, in words and in its own zone."""
        return times.in_words(self.starts, self.ends, self.zone, all_day=self.all_day)

    @property
    def repeats(self) -> str:
        """How its series repeats, in words; "" for what does not, or has no plain words for it."""
        return in_words(self.rule) if self.series and self.rule else ""

    @property
    def where(self) -> str:
        """Where it is, in words."""
        parts = [self.place, "online" if self.is_online else ""]
        return " and ".join(part for part in parts if part)

    @property
    def sentence(self) -> str:
        """When and where, in a line."""
        said = f"{self.when} · {self.where}" if self.where else self.when
        return f"Cancelled: {said}" if self.status == "cancelled" else said


_COLUMNS = (
    *("starts", "ends", "zone", "all_day", "kind", "status", "place", "joining", "capacity"),
    *("series", "series_at"),
)


def put(row: Event, details: Details) -> None:
    """Write what an event says into its row; counters and the like stay."""
    for name in _COLUMNS:
        setattr(row, name, getattr(details, name))
    rest = {name: value for name, value in asdict(details).items() if name not in _COLUMNS}
    row.details = json.dumps(rest, ensure_ascii=False, sort_keys=True)


def of_row(row: Event) -> Details:
    """What a stored event says."""
    rest: dict[str, Any] = json.loads(row.details)
    rest["sessions"] = tuple(Session(**one) for one in rest.get("sessions", ()))
    rest["materials"] = tuple(Material(**one) for one in rest.get("materials", ()))
    return Details(**{name: getattr(row, name) for name in _COLUMNS}, **rest)


WHEN_AND_WHERE = ("starts", "ends", "zone", "all_day", "status", "place", "online", "is_online")


def has_moved(before: Details, after: Details) -> bool:
    """Whether those who come must hear of a change: when, where, whether at all."""
    return any(getattr(before, name) != getattr(after, name) for name in WHEN_AND_WHERE)


def is_link(value: str) -> bool:
    """Whether this is an address that a page may lead to."""
    return (
        value.startswith(("https://", "http://"))
        and len(value) <= LONGEST_URL
        and (not any(character.isspace() or character in '<>"\\' for character in value))
    )
