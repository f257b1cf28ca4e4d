# SPDX-License-Identifier: Apache-2.0
"""What differs between two records, section by section."""

from dataclasses import dataclass

from server import text
from server.practices.prose import section_titles, sections
from server.practices.record import Record


@dataclass(frozen=True)
class Difference:
    """A section that differs, as the stretches of it that stayed, went and came."""

    name: str
    title: str
    changes: tuple[text.Change, ...]


def changed_sections(old: Record, new: Record) -> list[str]:
    """The names of the sections that differ."""
    before, after = _texts(old), _texts(new)
    return [name for name in section_titles() if before.get(name, "") != after.get(name, "")]


def differences(old: Record, new: Record) -> list[Difference]:
    """Every section that differs; quadratic in the lines that changed, so not for a loop."""
    before, after = _texts(old), _texts(new)
    titles = section_titles()
    return [
        Difference(
            name, titles[name], tuple(text.changes(before.get(name, ""), after.get(name, "")))
        )
        for name in changed_sections(old, new)
    ]


def _texts(record: Record) -> dict[str, str]:
    return {section.name: section.text for section in sections(record)}
