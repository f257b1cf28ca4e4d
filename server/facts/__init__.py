# SPDX-License-Identifier: Apache-2.0
"""What can happen here, as facts that carry ids and no contents."""

import json
from dataclasses import asdict, dataclass

from server.facts import mentoring
from server.facts.base import Fact as Fact
from server.facts.moderation import LetIn as LetIn
from server.facts.moderation import PostReported as PostReported
from server.facts.moderation import ShutOut as ShutOut
from server.facts.practices import ChangeOffered as ChangeOffered
from server.facts.practices import OfferAnswered as OfferAnswered
from server.facts.practices import OfferWithdrawn as OfferWithdrawn
from server.facts.practices import PracticeConfirmed as PracticeConfirmed
from server.facts.practices import PracticePublished as PracticePublished
from server.facts.practices import PracticeWarned as PracticeWarned
from server.facts.quotes import QuoteAccepted as QuoteAccepted
from server.facts.quotes import QuoteRefused as QuoteRefused
from server.facts.quotes import QuoteTakenBack as QuoteTakenBack
from server.facts.reviews import ReviewDecided as ReviewDecided
from server.facts.reviews import ReviewerInvited as ReviewerInvited
from server.facts.reviews import ReviewerReleased as ReviewerReleased
from server.facts.reviews import ReviewerSpoke as ReviewerSpoke
from server.facts.reviews import ReviewMoved as ReviewMoved
from server.facts.reviews import ReviewPublished as ReviewPublished
from server.facts.reviews import ReviewRequested as ReviewRequested
from server.facts.reviews import ReviewRequestPublished as ReviewRequestPublished
from server.facts.reviews import ReviewRequestRefused as ReviewRequestRefused
from server.facts.reviews import ReviewRequestWithdrawn as ReviewRequestWithdrawn


@dataclass(frozen=True)
class ProfileChanged(Fact):
    member: int


@dataclass(frozen=True)
class ForumChanged(Fact):
    """`by` is 0 where it is not known who changed it."""

    forum: int
    by: int = 0


@dataclass(frozen=True)
class ForumFollowed(Fact):
    forum: int
    member: int


@dataclass(frozen=True)
class ForumLeft(Fact):
    """`uri` and `n` are those of the follow that ended."""

    forum: int
    member: int
    uri: str


@dataclass(frozen=True)
class FollowerAccepted(Fact):
    forum: int
    member: int


@dataclass(frozen=True)
class FollowerRejected(Fact):
    forum: int
    member: int
    uri: str
    reason: str


@dataclass(frozen=True)
class FollowerLeft(Fact):
    forum: int
    member: int


@dataclass(frozen=True)
class CopyWanted(Fact):
    """The first follow of a forum elsewhere was accepted: fetch what it holds."""

    forum: int


@dataclass(frozen=True)
class CheckAsked(Fact):
    """Somebody wants a copy compared with its home now."""

    forum: int


@dataclass(frozen=True)
class ThreadPosted(Fact):
    post: int


@dataclass(frozen=True)
class ReplyPosted(Fact):
    post: int


@dataclass(frozen=True)
class PostEdited(Fact):
    post: int
    revision: int


@dataclass(frozen=True)
class PollCounted(Fact):
    """`n` people voted in the poll of a thread; `over` once it has ended."""

    post: int
    n: int
    over: bool


@dataclass(frozen=True)
class VoteCast(Fact):
    """A member of ours chose in a poll that another server counts."""

    post: int
    member: int


@dataclass(frozen=True)
class PostDeleted(Fact):
    post: int
    by: int
    reason: str


@dataclass(frozen=True)
class ResourcePublished(Fact):
    """A version of a resource was published; ThreadPosted or PostEdited says so as well."""

    post: int
    version: int


@dataclass(frozen=True)
class LinkChanged(Fact):
    """The link of a resource no longer answers, or does again; `n` is when, in milliseconds."""

    post: int
    n: int


@dataclass(frozen=True)
class EventChanged(Fact):
    """An event is at another time or place, or does not take place; PostEdited says so as well."""

    post: int


@dataclass(frozen=True)
class GuestAnswered(Fact):
    """The organiser's instance decided about a guest; `n` counts the answers that one got.

    `promoted` says that it was not asked just now: a place became free.
    """

    guest: int
    n: int
    promoted: bool = False


@dataclass(frozen=True)
class GuestDropped(Fact):
    """An event is deleted in which somebody elsewhere had a place; `join` is what they asked by."""

    post: int
    person: int
    join: str
    guest: int
    n: int


@dataclass(frozen=True)
class JoinAsked(Fact):
    """A member asks for a place at an event of another agency."""

    guest: int
    n: int


@dataclass(frozen=True)
class JoinTakenBack(Fact):
    guest: int
    n: int


@dataclass(frozen=True)
class JoinSettled(Fact):
    """The organiser's agency answered a member of ours."""

    guest: int


@dataclass(frozen=True)
class RemovalAsked(Fact):
    """A steward here asks the home of a forum elsewhere to remove a post."""

    post: int
    by: int
    reason: str


@dataclass(frozen=True)
class Endorsed(Fact):
    post: int
    member: int
    n: int


@dataclass(frozen=True)
class EndorsementWithdrawn(Fact):
    post: int
    member: int
    n: int


@dataclass(frozen=True)
class ThreadLocked(Fact):
    post: int
    by: int
    locked: bool
    n: int


@dataclass(frozen=True)
class ThreadPinned(Fact):
    post: int
    by: int
    pinned: bool
    n: int


@dataclass(frozen=True)
class StewardNamed(Fact):
    forum: int
    member: int
    by: int
    named: bool
    n: int


@dataclass(frozen=True)
class ActivityRefused(Fact):
    """The home of `forum` said no to what `member` sent; `activity` is its wire id."""

    forum: int
    member: int
    activity: str
    reason: str


KINDS: dict[str, type[Fact]] = {
    kind.__name__: kind
    for kind in (
        ProfileChanged,
        ForumChanged,
        ForumFollowed,
        ForumLeft,
        FollowerAccepted,
        FollowerRejected,
        FollowerLeft,
        CopyWanted,
        CheckAsked,
        ThreadPosted,
        ReplyPosted,
        PostEdited,
        PollCounted,
        VoteCast,
        PostDeleted,
        PracticePublished,
        PracticeConfirmed,
        ReviewRequested,
        ReviewRequestWithdrawn,
        ReviewRequestPublished,
        ReviewRequestRefused,
        ReviewMoved,
        ReviewDecided,
        ReviewPublished,
        ReviewerInvited,
        ReviewerReleased,
        ReviewerSpoke,
        PracticeWarned,
        ChangeOffered,
        OfferAnswered,
        OfferWithdrawn,
        ResourcePublished,
        LinkChanged,
        EventChanged,
        GuestAnswered,
        GuestDropped,
        JoinAsked,
        JoinTakenBack,
        JoinSettled,
        RemovalAsked,
        Endorsed,
        EndorsementWithdrawn,
        ThreadLocked,
        ThreadPinned,
        StewardNamed,
        ActivityRefused,
        QuoteAccepted,
        QuoteRefused,
        QuoteTakenBack,
        ShutOut,
        LetIn,
        PostReported,
        *mentoring.KINDS,
    )
}


def pack(fact: Fact) -> str:
    """A fact as it is stored."""
    return json.dumps(asdict(fact), sort_keys=True)


def unpack(kind: str, payload: str) -> Fact:
    """A stored fact; KeyError for one this version does not know."""
    return KINDS[kind](**json.loads(payload))
