# SPDX-License-Identifier: Apache-2.0
"""What a replication report says: its record, its rules, its words.

The record is the one JSON document of a report (`gh:replication`, `v: 1`), read as strictly as
that of a practice. A change is never in it: whoever reads it computes it from the numbers.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar

from server.errors import Invalid
from server.practices import prose
from server.practices.change import change_of, percent, shown
from server.practices.record import Outcome, Setting
from server.practices.record.practice import MOST_OUTCOMES, Costs
from server.records.documents import Document, read, stored
from server.records.documents import dump as dump
from server.records.documents import pack as pack
from server.records.parts import Parts, member, nested
from server.records.patterns import ADDRESS
from server.records.values import Choice, Faults, Json, Number, Text

FIDELITIES = {
    "full": "As it is described",
    "adapted": "With changes",
    "partial": "Only some of it",
}


@dataclass(frozen=True)
class Report(Document):
    """What came of doing a practice elsewhere; `of` is its uri, in the version read."""

    NOUN: ClassVar[str] = "report"
    LARGEST: ClassVar[int] = 60_000
    LONG: ClassVar[str] = "changed"

    of: str = member(ADDRESS)
    of_version: int | None = member(Number(1, whole=True), None)
    fidelity: str = member(Choice(tuple(FIDELITIES), "adapted"), "adapted")
    changed: str = member(Text(5_000))
    setting: Setting = field(default_factory=Setting, metadata=nested(Setting))
    costs: Costs = field(default_factory=Costs, metadata=nested(Costs))
    outcomes: tuple[Outcome, ...] = member(Parts(Outcome, MOST_OUTCOMES, "outcomes"), ())

    def check(self, path: str, faults: Faults) -> None:
        super().check(path, faults)
        if not self.of:
            faults.add("of", "Name the practice that was adopted.")
        if self.of_version is not None and self.of_version > 1_000_000:
            faults.add("ofVersion", "There is no such version.")
        if not any(change_of(outcome) for outcome in self.outcomes):
            faults.add("outcomes", "Give one outcome with its value before and after.")


def parse(document: Json) -> Report:
    """The report of a JSON object; Invalid names every field that is wrong and why."""
    return read(Report, document)


def unpack(text: str) -> Report:
    """A stored report."""
    return stored(Report, text)


def same(outcome: Outcome, other: Outcome) -> bool:
    """Whether two outcomes count the same thing in the same unit."""
    return (outcome.indicator.casefold(), outcome.unit.casefold()) == (
        other.indicator.casefold(),
        other.unit.casefold(),
    )


def must_compare(report: Report, originals: Sequence[Outcome]) -> None:
    """Refuse outcomes that are not the practice's own, in its own units and direction."""
    faults: dict[str, str] = {}
    for number, outcome in enumerate(report.outcomes):
        of_name = [o for o in originals if o.indicator.casefold() == outcome.indicator.casefold()]
        if not of_name:
            faults[f"outcomes.{number}.indicator"] = (
                "The practice has no outcome of this name: report one of its own."
            )
        elif not any(same(outcome, original) for original in of_name):
            faults[f"outcomes.{number}.unit"] = (
                f"The practice counts this in {of_name[0].unit}: give yours in {of_name[0].unit}"
                " too, so that the two can be compared."
            )
        elif outcome.direction != of_name[0].direction:
            faults[f"outcomes.{number}.direction"] = "The practice wants this the other way."
    if faults:
        raise Invalid(faults)


def comparable(report: Report, originals: Sequence[Outcome]) -> list[tuple[Outcome, Outcome]]:
    """(the practice's outcome, the report's) of each that can be compared, as is wanted there."""
    return [
        (original, replace(outcome, direction=original.direction))
        for original in originals
        for outcome in report.outcomes
        if same(original, outcome)
    ]


def sentence(report: Report) -> str:
    """What came of it: `Days from filing to permit: 21 to 12.6 days (−40 %).`"""
    found = []
    for outcome in report.outcomes:
        change = change_of(outcome)
        before, after = outcome.baseline.value, outcome.actual.value
        if change is None or before is None or after is None:
            continue
        share = f" ({percent(change.relative)})" if change.relative is not None else ""
        found.append(
            f"{outcome.indicator}: {shown(before)} to {shown(after)} {outcome.unit}{share}."
        )
    return " ".join(found[:3])


def markdown(report: Report) -> str:
    """The whole report for reading: what it is of, what came of it, what was changed."""
    parts = [f"A report of adopting [this practice]({report.of})."]
    parts += [
        "## What came of it",
        "\n".join(f"- {prose.outcome_line(o)}" for o in report.outcomes),
    ]
    parts += ["## How it was done", f"{FIDELITIES[report.fidelity]}."]
    if report.changed:
        parts.append(report.changed)
    cost = prose.money(report.costs.startup, report.costs.currency)
    if cost:
        parts.append(f"To begin, it cost {cost}.")
    return "\n\n".join(parts)
