# SPDX-License-Identifier: Apache-2.0
"""What instances tell each other of reviews, both ways (`gh:review`).

The types are those of COAR Notify 1.0, pairs of an activity and a class of its vocabulary: only
here are they read as such, and only from a Guildhall that a rule lists. `object` is what the
message is about: an invitation (`/reviews/<token>`) or, between an author's home and the forum's,
the practice, or `/reviews/<token>` for one that is not published yet. No message names a person,
but one that its reviewer asked for.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from federation.forums import digest
from federation.members import moment
from federation.vocabulary.terms import AS_CONTEXT, GH, INTEGRITY_CONTEXT, OBJECT_CONTEXT
from federation.vocabulary.values import moment_of
from server.errors import Invalid
from server.practices.record import Record
from server.records.parts import Part, Parts, member, nested
from server.records.patterns import ADDRESS
from server.records.values import Choice, Faults, Flag, Json, Line, Number, Text
from server.reviews.rubric import Answers
from server.vetting.statements import Statement

VERSION = 1
MOST_REVIEWS = 20
_TERMS = {
    "coar-notify": "https://purl.org/coar/notify_vocabulary/",
    "gh": GH,
    "gh:review": {"@id": "gh:review", "@type": "@json"},
}
REVIEW_CONTEXT: list[str | dict[str, Any]] = [AS_CONTEXT, INTEGRITY_CONTEXT, _TERMS]
STATEMENT_CONTEXT: list[str | dict[str, Any]] = [
    *OBJECT_CONTEXT,
    {"gh": GH, "gh:reviewed": {"@id": "gh:reviewed", "@type": "@json"}},
]
REVIEW, ENDORSEMENT = "coar-notify:ReviewAction", "coar-notify:EndorsementAction"


class Step(StrEnum):
    """What a message does."""

    INVITE = "invite"
    ACCEPT = "accept"
    DECLINE = "decline"
    REVIEW = "review"
    NAME = "name"
    RELEASE = "release"
    DECISION = "decision"
    SUBMIT = "submit"
    PROGRESS = "progress"
    VERDICT = "verdict"
    WITHDRAW = "withdraw"
    PUBLISH = "publish"


TYPES: Mapping[Step, tuple[str, str]] = {
    # Between the forum's home and the reviewer's, about an invitation.
    Step.INVITE: ("Offer", REVIEW),
    Step.ACCEPT: ("Accept", REVIEW),
    Step.DECLINE: ("Reject", REVIEW),
    Step.REVIEW: ("Announce", REVIEW),
    Step.NAME: ("Update", REVIEW),
    Step.RELEASE: ("Undo", REVIEW),
    Step.DECISION: ("Announce", ENDORSEMENT),
    # Between the author's home and the forum's, about a practice.
    Step.SUBMIT: ("Offer", ENDORSEMENT),
    Step.PROGRESS: ("TentativeAccept", ENDORSEMENT),
    Step.VERDICT: ("Accept", ENDORSEMENT),
    Step.WITHDRAW: ("Undo", ENDORSEMENT),
    Step.PUBLISH: ("Update", ENDORSEMENT),
}
# A verdict is one of three, by what was decided.
VERDICTS = {"accepted": "Accept", "changes": "TentativeReject"}


class Moment:
    """A moment in time (RFC 3339); None where there is none."""

    def read(self, value: Json, path: str, faults: Faults) -> datetime | None:
        found = moment_of(value) if value is not None else None
        if value is not None and found is None:
            faults.add(path, "This is no moment in time.")
        return found

    def write(self, value: datetime | None) -> Json:
        return moment(value.astimezone(UTC)) if value is not None else None


@dataclass(frozen=True)
class Maybe:
    """A part that may be missing."""

    of: type[Part]

    def read(self, value: Json, path: str, faults: Faults) -> Part | None:
        return self.of.parse(value, path, faults) if value is not None else None

    def write(self, value: Part | None) -> Json:
        return value.dump() if value is not None else None


@dataclass(frozen=True)
class Given(Part):
    """What one reviewer wrote, with the name of their agency."""

    agency: str = member(Line(500))
    answers: Answers = field(default_factory=Answers, metadata=nested(Answers))


@dataclass(frozen=True)
class Message(Part):
    """The member `gh:review`: what a step says; the others of its members are empty."""

    v: int | None = member(Number(whole=True), VERSION)
    step: str = member(Choice(tuple(Step)))
    forum: str = member(Line(500))
    group: str = member(ADDRESS)
    practice: Record | None = field(default=None, metadata={"reader": Maybe(Record)})
    version: int | None = member(Number(1, whole=True), None)
    masked: bool = member(Flag(), False)
    due: datetime | None = field(default=None, metadata={"reader": Moment()})
    reviewer: str = member(ADDRESS)
    conflict: str = member(Text(2_000))
    reason: str = member(Line(500))
    answers: Answers | None = field(default=None, metadata={"reader": Maybe(Answers)})
    name: str = member(Line(200))
    note: str = member(Text(2_000))
    state: str = member(Line(64))
    letter: str = member(Text(10_000))
    of: str = member(ADDRESS)
    asked: int | None = member(Number(0, whole=True), None)
    accepted: int | None = member(Number(0, whole=True), None)
    answered: int | None = member(Number(0, whole=True), None)
    reviews: tuple[Given, ...] = member(Parts(Given, MOST_REVIEWS, "reviews"), ())
    at: datetime | None = field(default=None, metadata={"reader": Moment()})

    def check(self, path: str, faults: Faults) -> None:
        if self.v != VERSION:
            faults.add("v", "This message is written in a form that is not known here.")
        if not self.step:
            faults.add("step", "This message does not say what it does.")
        if self.step == Step.INVITE and (self.practice is None or self.due is None):
            faults.add("practice", "An invitation brings the practice, and a day.")
        if self.step == Step.REVIEW and self.answers is None:
            faults.add("answers", "A review brings the answers.")
        if self.step == Step.SUBMIT and self.practice is not None and not self.group:
            faults.add("group", "A draft is sent to a forum.")
        if self.step == Step.PUBLISH and not self.of:
            faults.add("of", "What is published has an address.")


@dataclass(frozen=True)
class Route:
    """From which instance actor to which, about what; `mark` tells messages of a kind apart."""

    actor: str
    to: str
    about: str
    mark: str


def to_wire(route: Route, message: Message) -> dict[str, Any]:
    """The activity that carries a message."""
    step = Step(message.step)
    kind, meaning = TYPES[step]
    if step is Step.VERDICT:
        kind = VERDICTS.get(message.state, "Reject")
    return {
        "@context": REVIEW_CONTEXT,
        "id": f"{route.actor}#review-{step}-{digest(route.mark)}",
        "type": [kind, meaning],
        "actor": route.actor,
        "to": [route.to],
        "object": route.about,
        "gh:review": {"v": VERSION, **message.dump()},
    }


def is_review(raw: Mapping[str, Any]) -> bool:
    """Whether an activity speaks of reviews."""
    return "gh:review" in raw


def from_wire(raw: Mapping[str, Any]) -> Message:
    """The message of an activity; Invalid says which member of it is wrong and why."""
    value = raw.get("gh:review")
    if not isinstance(value, dict):
        raise Invalid(message="gh:review has to be a JSON object.")
    faults = Faults()
    message = Message.parse(value, "", faults)
    for where, why in faults.found.items():
        raise Invalid(message=f"gh:review cannot be read at {where}: {why}")
    kinds = raw.get("type")
    kind, meaning = TYPES[Step(message.step)]
    allowed = {kind, *VERDICTS.values(), "Reject"} if message.step == Step.VERDICT else {kind}
    named = kinds if isinstance(kinds, list) and len(kinds) == 2 else [None, None]
    if named[1] != meaning or named[0] not in allowed:
        raise Invalid(message=f"A {message.step} is of the types {kind} and {meaning}.")
    return message


def statement_members(said: Statement) -> dict[str, Any]:
    """The members of a Note that only a statement has (`gh:reviewed`)."""
    return {"@context": STATEMENT_CONTEXT, "gh:reviewed": {"v": VERSION, **said.dump()}}


def statement_of(raw: Mapping[str, Any]) -> Statement | None:
    """What a reply states of reviews; None where it states nothing that can be read."""
    value = raw.get("gh:reviewed")
    if not isinstance(value, dict) or value.get("v") != VERSION:
        return None
    faults = Faults()
    said = Statement.parse({k: v for k, v in value.items() if k != "v"}, "", faults)
    return said if not faults.found and said.of else None
