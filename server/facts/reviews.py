# SPDX-License-Identifier: Apache-2.0
"""What can happen in reviews."""

from dataclasses import dataclass

from server.facts.base import Fact


@dataclass(frozen=True)
class ReviewRequested(Fact):
    """Somebody here asks a forum elsewhere to have their practice reviewed."""

    request: int


@dataclass(frozen=True)
class ReviewRequestWithdrawn(Fact):
    request: int


@dataclass(frozen=True)
class ReviewRequestPublished(Fact):
    """A draft that a forum elsewhere has reviewed was published there, as it was sent."""

    request: int


@dataclass(frozen=True)
class ReviewRequestRefused(Fact):
    """A forum here does not take up what `host` asked for; `practice` is a uri."""

    host: str
    practice: str
    reason: str


@dataclass(frozen=True)
class ReviewMoved(Fact):
    """A review here is at another point: its author is to know."""

    review: int


@dataclass(frozen=True)
class ReviewDecided(Fact):
    review: int


@dataclass(frozen=True)
class ReviewPublished(Fact):
    """A draft that was accepted here is published: its reviewers are to know where."""

    review: int


@dataclass(frozen=True)
class ReviewerInvited(Fact):
    seat: int


@dataclass(frozen=True)
class ReviewerReleased(Fact):
    """A reviewer is no longer asked for their review."""

    seat: int


@dataclass(frozen=True)
class ReviewerSpoke(Fact):
    """A reviewer here said something to the home of the review: `what` of course.Said."""

    task: int
    what: str
