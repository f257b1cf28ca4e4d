# SPDX-License-Identifier: Apache-2.0
"""What can happen between those who look for mentors and those who are."""

from dataclasses import dataclass

from server.facts.base import Fact


@dataclass(frozen=True)
class ProgrammeChanged(Fact):
    """A mentoring programme was opened, changed or closed."""

    programme: int


@dataclass(frozen=True)
class NeedOpened(Fact):
    """A member looks for a mentor: the cards of other agencies are wanted fresh."""

    need: int


@dataclass(frozen=True)
class MentorAsked(Fact):
    """A member here asks a mentor; told to the mentor's agency where that is another."""

    match: int


@dataclass(frozen=True)
class MentorAskWithdrawn(Fact):
    """A member here takes back what they asked a mentor elsewhere."""

    match: int


@dataclass(frozen=True)
class MentorAnswered(Fact):
    """A mentor here answered somebody elsewhere."""

    match: int
    accepted: bool


@dataclass(frozen=True)
class MenteeRevealed(Fact):
    """A member here who asked without a name was taken, and says who they are."""

    match: int


@dataclass(frozen=True)
class AcceptanceRefused(Fact):
    """A mentor elsewhere took somebody of ours too late."""

    match: int


@dataclass(frozen=True)
class OfferRefused(Fact):
    """Nobody here may be asked so; all but `reason` are ids, as they came."""

    activity: str
    signer: str
    agreement: str
    reason: str


@dataclass(frozen=True)
class PairEnded(Fact):
    """One of a pair, a member here, ended it; the other is of another agency."""

    pairing: int
    by: int


@dataclass(frozen=True)
class EntryShared(Fact):
    """`by`, one of a pair, shares an entry, or changed one; the other is of another agency."""

    entry: int
    revision: int
    by: int


@dataclass(frozen=True)
class EntryTakenBack(Fact):
    """`by`, its author, takes an entry back that was shared with one of another agency."""

    entry: int
    by: int


@dataclass(frozen=True)
class PairTold(Fact):
    """`by`, one of a pair, proposed or accepted terms, paused, went on or completed it.

    `what` is which of these; `n` tells one from the next.
    """

    pairing: int
    by: int
    what: str
    n: int


KINDS: tuple[type[Fact], ...] = (
    ProgrammeChanged,
    NeedOpened,
    MentorAsked,
    MentorAskWithdrawn,
    MentorAnswered,
    MenteeRevealed,
    AcceptanceRefused,
    OfferRefused,
    PairEnded,
    EntryShared,
    EntryTakenBack,
    PairTold,
)
