# SPDX-License-Identifier: Apache-2.0
"""What reviewers are asked: five criteria, a recommendation.

The answers are one JSON document (`v: 1`), read as strictly as the record of a practice, from
the form and from a peer alike.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from server.errors import Invalid
from server.records.documents import Document, read, stored
from server.records.documents import pack as pack
from server.records.parts import Part, member, nested
from server.records.values import Choice, Faults, Json, Number, Text

LONGEST_COMMENT = 5_000
ACCEPT = "accept"
RECOMMENDATIONS: Mapping[str, str] = {
    ACCEPT: "Accept it",
    "changes": "Accept it after changes",
    "decline": "Decline it",
}
SCORES: Mapping[int, str] = {1: "Not at all", 2: "Partly", 3: "Mostly", 4: "Fully"}
CRITERIA: Mapping[str, tuple[str, str]] = {
    "clarity": ("Clarity", "Could somebody at another agency follow it without asking?"),
    "completeness": (
        "Completeness",
        "Are problem, setting, steps, costs, staff and what did not work all there?",
    ),
    "evidence": (
        "Evidence",
        "Do the numbers and how they were taken bear out what is claimed?",
    ),
    "transferability": (
        "Transferability",
        "Is it clear what has to be so for it to work elsewhere?",
    ),
    "ethics": (
        "Ethics and accessibility",
        "Are privacy, fairness and people with disabilities thought of?",
    ),
}


@dataclass(frozen=True)
class Mark(Part):
    """The answer to one criterion: a score from 1 to 4, and why."""

    score: int | None = member(Number(1, whole=True), None)
    comment: str = member(Text(LONGEST_COMMENT))

    def check(self, path: str, faults: Faults) -> None:
        if self.score is not None and self.score > max(SCORES):
            faults.add(f"{path}.score", "Choose one of the four answers.")


@dataclass(frozen=True)
class Answers(Document):
    """A whole review."""

    NOUN: ClassVar[str] = "review"
    LONG: ClassVar[str] = "summary"

    clarity: Mark = field(default_factory=Mark, metadata=nested(Mark))
    completeness: Mark = field(default_factory=Mark, metadata=nested(Mark))
    evidence: Mark = field(default_factory=Mark, metadata=nested(Mark))
    transferability: Mark = field(default_factory=Mark, metadata=nested(Mark))
    ethics: Mark = field(default_factory=Mark, metadata=nested(Mark))
    recommendation: str = member(Choice(("", *RECOMMENDATIONS)))
    summary: str = member(Text(LONGEST_COMMENT))

    def mark(self, criterion: str) -> Mark:
        """The answer to a criterion of CRITERIA."""
        found: Mark = getattr(self, criterion)
        return found


def parse(document: Json) -> Answers:
    """The answers of a JSON object, whole or not; Invalid names every field that is wrong."""
    return read(Answers, document)


def must_be_whole(answers: Answers) -> None:
    """Refuse a review that leaves something open; each field is named."""
    faults: dict[str, str] = {}
    for criterion, (name, _) in CRITERIA.items():
        mark = answers.mark(criterion)
        if mark.score is None:
            faults[f"{criterion}.score"] = f"{name}: choose an answer."
        if not mark.comment:
            faults[f"{criterion}.comment"] = f"{name}: say in a sentence why."
    if not answers.recommendation:
        faults["recommendation"] = "Choose what you recommend."
    if faults:
        raise Invalid(faults)


def unpack(text: str) -> Answers:
    """Stored answers; none where there are none, or no more."""
    return stored(Answers, text)
