# SPDX-License-Identifier: Apache-2.0
"""Sections of one practice taken over into another, as they are offered.

Only what to do can be offered: what came of it at one agency, what it cost and whom to ask there
are that agency's own.
"""

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any

from server.practices.comparing import Difference, changed_sections, differences
from server.practices.prose import section_titles
from server.practices.record import Credit, Record

OFFERABLE: dict[str, tuple[str, ...]] = {
    "problem": ("problem", "audience"),
    "solution": ("solution",),
    "steps": ("steps",),
    "not-worked": ("not_worked",),
    "lessons": ("lessons",),
    "conditions": ("conditions",),
    "transfer": ("transfer",),
    "care": ("equity_note", "access_note", "privacy_note"),
}
"""The members of a record that each section holds and that may be taken over."""


def offerable(original: Record, mine: Record) -> list[str]:
    """The sections of `mine` that differ from the original's and can be offered to it."""
    differ = set(changed_sections(original, mine))
    # What an adaptation leaves out is not offered: nobody else's words are to be deleted.
    found = [name for name in OFFERABLE if name in differ and any(_members(mine, [name]).values())]
    return [name for name in found if taken_over(original, mine, [name]) != original]


def titles(sections: Sequence[str]) -> list[str]:
    """What sections are called."""
    known = section_titles()
    return [known[name] for name in sections]


def part_of(record: Record, sections: Collection[str]) -> Record:
    """What an offer carries: these sections, and which practice they are of."""
    bare = Record(name=record.name, summary=record.summary, language=record.language)
    return replace(bare, **_members(record, sections))


def taken_over(original: Record, offered: Record, sections: Collection[str]) -> Record:
    """The original with these sections as they are offered."""
    return replace(original, **_members(offered, sections))


def _members(record: Record, sections: Collection[str]) -> dict[str, Any]:
    names = [name for section in sections for name in OFFERABLE[section]]
    return {name: getattr(record, name) for name in names}


def credited(record: Record, credit: Credit) -> Record:
    """The record with thanks to somebody, once."""
    if any(one.uri == credit.uri for one in record.credits):
        return record
    return replace(record, credits=(*record.credits, credit)[:100])


def shown(original: Record, offered: Record, sections: Collection[str]) -> list[Difference]:
    """What would change, section by section; slow for long texts."""
    return differences(original, taken_over(original, offered, sections))
