# SPDX-License-Identifier: Apache-2.0
"""What mentors offer and mentees look for, as one JSON document each.

The same reader takes a stored document and one that another agency sent: whatever it accepts
holds its bounds, and anything else is Invalid, whole.
"""

import json
import re
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from zoneinfo import available_timezones

from server import text
from server.errors import Invalid
from server.mentoring.terms import (
    FORMATS,
    FUNCTIONS,
    GRADES,
    LEVELS,
    LONGEST_SKILL,
    MOST_HOURS,
    MOST_SKILLS,
)

LONGEST_ABOUT = 600
LONGEST_GOAL = 2_000
LONGEST_MESSAGE = 2_000
MOST_LANGUAGES = 5
MOST_FUNCTIONS = 5
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[a-z0-9]{2,8})?\Z")
_MARKS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u200e\u200f\u202a-\u202e\u2066-\u2069]")


@dataclass(frozen=True)
class Skill:
    """Something somebody can, at a level of `terms.LEVELS`."""

    name: str
    level: int = 2


@dataclass(frozen=True)
class Offered:
    """What a mentor offers; `hours` are those a month, `zone` an IANA name."""

    skills: tuple[Skill, ...]
    languages: tuple[str, ...]
    zone: str
    hours: int
    formats: tuple[str, ...]
    functions: tuple[str, ...] = ()
    grade: str = ""
    about: str = ""


@dataclass(frozen=True)
class Wanted:
    """What a mentee looks for; `skills` are ranked, the first counts most."""

    skills: tuple[str, ...]
    languages: tuple[str, ...]
    zone: str
    hours: int
    functions: tuple[str, ...] = ()
    goal: str = ""


@cache
def zones() -> frozenset[str]:
    """The names of time zones, without those of machines."""
    return frozenset(zone for zone in available_timezones() if "/" in zone or zone == "UTC")


def shown_text(value: str, limit: int) -> str:
    """Several lines of plain text, without marks that hide or reorder it, at most `limit` long."""
    return text_of(value)[:limit].strip()


def text_of(value: str) -> str:
    """The same at any length."""
    return _MARKS.sub("", value.replace("\r\n", "\n")).strip()


def same(one: str) -> str:
    """The form in which two names of a skill are compared."""
    return " ".join(one.casefold().split())


@dataclass
class _Reading:
    """A document being read; `faults` says what is wrong with which member."""

    made: dict[str, Any]
    faults: dict[str, str] = field(default_factory=dict)

    def fault(self, name: str, sentence: str) -> None:
        self.faults.setdefault(name, sentence)

    def words(self, name: str, most: int) -> tuple[str, ...]:
        """A list of strings, each once."""
        found = self.made.get(name, [])
        if not isinstance(found, list) or not all(isinstance(one, str) for one in found):
            self.fault(name, "This has to be a list of words.")
            return ()
        kept = tuple(dict.fromkeys(found))
        if len(kept) > most:
            self.fault(name, f"Name {most} at most.")
        return kept[:most]

    def languages(self) -> tuple[str, ...]:
        found = self.words("languages", MOST_LANGUAGES)
        if not found:
            self.fault("languages", "Name at least one language, such as English.")
        if not all(_LANGUAGE.match(one) for one in found):
            self.fault("languages", "Use names of languages, such as English, or their codes.")
        return found

    def functions(self) -> tuple[str, ...]:
        found = self.words("functions", MOST_FUNCTIONS)
        if not all(one in FUNCTIONS for one in found):
            self.fault("functions", "Choose from the list of functions.")
        return found

    def zone(self) -> str:
        found = self.made.get("zone", "")
        if not isinstance(found, str) or found not in zones():
            self.fault("zone", "Choose a time zone, such as America/Chicago.")
            return "UTC"
        return found

    def hours(self) -> int:
        found = self.made.get("hours")
        is_whole = isinstance(found, int) and not isinstance(found, bool)
        if not is_whole or not 1 <= int(found or 0) <= MOST_HOURS:
            self.fault("hours", f"Give the hours a month, from 1 to {MOST_HOURS}.")
            return 1
        return int(found or 1)

    def line(self, name: str, limit: int) -> str:
        found = self.made.get(name, "")
        if not isinstance(found, str):
            self.fault(name, "This has to be text.")
            return ""
        if len(found) > limit:
            self.fault(name, f"Keep it under {limit:,} characters.")
        return shown_text(found, limit)

    def skill_name(self, name: str, value: object) -> str:
        found = text.clean_line(value, LONGEST_SKILL + 1) if isinstance(value, str) else ""
        if not found or len(found) > LONGEST_SKILL:
            self.fault(name, f"Name a skill in 1 to {LONGEST_SKILL} characters.")
        return found[:LONGEST_SKILL]

    def members(self, name: str) -> list[Any]:
        """The list of skills, as many as there may be."""
        found = self.made.get(name)
        if not isinstance(found, list) or not found:
            self.fault(name, "Name at least one skill.")
            return []
        if len(found) > MOST_SKILLS:
            self.fault(name, f"Name {MOST_SKILLS} skills at most.")
        return found[:MOST_SKILLS]

    def done(self) -> None:
        if self.faults:
            raise Invalid(self.faults)


def _reading(document: object) -> _Reading:
    if not isinstance(document, dict) or document.get("v") != 1:
        raise Invalid({"skills": "This is not a description of version 1."})
    return _Reading(document)


def offered(document: object) -> Offered:
    """What a document offers; Invalid names the members that are wrong."""
    reading = _reading(document)
    skills: dict[str, Skill] = {}
    for one in reading.members("skills"):
        level = one.get("level") if isinstance(one, dict) else None
        name = reading.skill_name("skills", one.get("name") if isinstance(one, dict) else None)
        if not isinstance(level, int) or isinstance(level, bool) or level not in LEVELS:
            reading.fault("skills", "Give each skill a level.")
            continue
        skills.setdefault(same(name), Skill(name, level))
    formats = reading.words("formats", len(FORMATS))
    if not formats or not all(one in FORMATS for one in formats):
        reading.fault("formats", "Choose at least one way of mentoring.")
    grade = reading.line("grade", 20)
    if grade and grade not in GRADES:
        reading.fault("grade", "Choose from the list.")
    found = Offered(
        tuple(skills.values()), reading.languages(), reading.zone(), reading.hours(), formats,
        reading.functions(), grade, reading.line("about", LONGEST_ABOUT),
    )  # fmt: skip
    reading.done()
    return found


def wanted(document: object) -> Wanted:
    """What a document looks for; Invalid names the members that are wrong."""
    reading = _reading(document)
    skills: dict[str, str] = {}
    for one in reading.members("skills"):
        name = reading.skill_name("skills", one)
        skills.setdefault(same(name), name)
    found = Wanted(
        tuple(skills.values()), reading.languages(), reading.zone(), reading.hours(),
        reading.functions(), reading.line("goal", LONGEST_GOAL),
    )  # fmt: skip
    reading.done()
    return found


def document_of(what: Offered | Wanted) -> dict[str, Any]:
    """The JSON document; what says nothing is left out."""
    made: dict[str, Any] = {"v": 1}
    for name in what.__dataclass_fields__:
        value = getattr(what, name)
        if name == "skills" and isinstance(what, Offered):
            value = [{"name": skill.name, "level": skill.level} for skill in what.skills]
        if value not in ("", ()):
            made[name] = list(value) if isinstance(value, tuple) else value
    return made


def pack(what: Offered | Wanted) -> str:
    """A document as it is stored."""
    return json.dumps(document_of(what), sort_keys=True, ensure_ascii=False)


def unpack_offered(stored: str) -> Offered:
    """What a stored card offers."""
    return offered(json.loads(stored))


def unpack_wanted(stored: str) -> Wanted:
    """What a stored need looks for."""
    return wanted(json.loads(stored))


def number_of(typed: str) -> int:
    """An id as a form carries it; 0, which is nobody's, for anything else."""
    is_number = typed.isascii() and typed.isdecimal() and len(typed) < 20
    return int(typed) % (1 << 63) if is_number else 0
