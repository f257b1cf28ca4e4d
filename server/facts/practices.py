# SPDX-License-Identifier: Apache-2.0
"""What can happen to practices."""

from dataclasses import dataclass

from server.facts.base import Fact


@dataclass(frozen=True)
class PracticePublished(Fact):
    """A version of a practice was published; ThreadPosted or PostEdited says so as well."""

    post: int
    version: int


@dataclass(frozen=True)
class PracticeConfirmed(Fact):
    """Somebody looked a practice over and said that it still holds."""

    post: int
    by: int


@dataclass(frozen=True)
class PracticeWarned(Fact):
    """`by` warned of the practice of this `uri`, or takes that back; it may not be held here."""

    uri: str
    by: int
    n: int


@dataclass(frozen=True)
class ChangeOffered(Fact):
    """One of us offers a change to the author of a practice."""

    offer: int


@dataclass(frozen=True)
class OfferAnswered(Fact):
    """An author of ours took, or declined, what was offered."""

    offer: int


@dataclass(frozen=True)
class OfferWithdrawn(Fact):
    offer: int
