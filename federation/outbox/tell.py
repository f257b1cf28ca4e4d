# SPDX-License-Identifier: Apache-2.0
"""The way out: a fact becomes log rows, in one transaction."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import structlog

from federation.outbox import (
    about_events,
    about_forums,
    about_members,
    about_mentoring,
    about_moderation,
    about_pairs,
    about_polls,
    about_posts,
    about_practices,
    about_quotes,
    about_resources,
    about_reviews,
    foreseen,
)
from federation.outbox.telling import Telling
from federation.wire import Wire
from server.facts import (
    ActivityRefused,
    ChangeOffered,
    Endorsed,
    EndorsementWithdrawn,
    Fact,
    FollowerAccepted,
    FollowerLeft,
    FollowerRejected,
    ForumChanged,
    ForumFollowed,
    ForumLeft,
    GuestAnswered,
    GuestDropped,
    JoinAsked,
    JoinTakenBack,
    LetIn,
    LinkChanged,
    OfferAnswered,
    OfferWithdrawn,
    PollCounted,
    PostDeleted,
    PostEdited,
    PostReported,
    PracticeWarned,
    ProfileChanged,
    QuoteAccepted,
    QuoteRefused,
    QuoteTakenBack,
    RemovalAsked,
    ReplyPosted,
    ReviewDecided,
    ReviewerInvited,
    ReviewerReleased,
    ReviewerSpoke,
    ReviewMoved,
    ReviewPublished,
    ReviewRequested,
    ReviewRequestPublished,
    ReviewRequestRefused,
    ReviewRequestWithdrawn,
    ShutOut,
    StewardNamed,
    ThreadLocked,
    ThreadPinned,
    ThreadPosted,
    VoteCast,
    unpack,
)
from server.facts.mentoring import (
    AcceptanceRefused,
    EntryShared,
    EntryTakenBack,
    MenteeRevealed,
    MentorAnswered,
    MentorAsked,
    MentorAskWithdrawn,
    OfferRefused,
    PairEnded,
    PairTold,
)
from storage import facts as facts_storage
from storage import log
from storage.database import notify
from storage.facts import FactRow

logger = structlog.get_logger("guildhall.outbox")
# A transaction keeps other writers waiting, so not too many.
AT_ONCE = 20

TELLERS: dict[type[Fact], Callable[[Telling, Any], Awaitable[None]]] = {
    ProfileChanged: about_members.profile_changed,
    ThreadPosted: about_posts.posted,
    ReplyPosted: about_posts.posted,
    PostEdited: about_posts.edited,
    PostDeleted: about_posts.deleted,
    PracticeWarned: about_practices.warned,
    ChangeOffered: about_practices.offered,
    OfferAnswered: about_practices.answered,
    OfferWithdrawn: about_practices.withdrawn,
    RemovalAsked: about_posts.removal_asked,
    Endorsed: about_posts.endorsed,
    EndorsementWithdrawn: about_posts.endorsed,
    PollCounted: about_polls.counted,
    VoteCast: about_polls.voted,
    LinkChanged: about_resources.link_changed,
    ThreadLocked: about_posts.locked,
    ThreadPinned: about_posts.pinned,
    StewardNamed: about_forums.steward_named,
    ForumChanged: about_forums.forum_changed,
    ForumFollowed: about_forums.followed,
    ForumLeft: about_forums.left,
    FollowerAccepted: about_forums.follower_accepted,
    FollowerRejected: about_forums.follower_rejected,
    FollowerLeft: about_forums.follower_left,
    ActivityRefused: about_forums.refused,
    ShutOut: about_moderation.shut_out,
    LetIn: about_moderation.let_in,
    PostReported: about_moderation.reported,
    QuoteAccepted: about_quotes.accepted,
    QuoteRefused: about_quotes.refused,
    ReviewRequested: about_reviews.requested,
    ReviewRequestWithdrawn: about_reviews.request_withdrawn,
    ReviewRequestPublished: about_reviews.request_published,
    ReviewRequestRefused: about_reviews.request_refused,
    ReviewMoved: about_reviews.moved,
    ReviewDecided: about_reviews.decided,
    ReviewPublished: about_reviews.published,
    ReviewerInvited: about_reviews.invited,
    ReviewerReleased: about_reviews.released,
    ReviewerSpoke: about_reviews.spoke,
    GuestAnswered: about_events.answered,
    GuestDropped: about_events.dropped,
    JoinAsked: about_events.asked,
    JoinTakenBack: about_events.asked,
    QuoteTakenBack: about_quotes.taken_back,
    MentorAsked: about_mentoring.asked,
    MentorAskWithdrawn: about_mentoring.withdrawn,
    MentorAnswered: about_mentoring.answered,
    MenteeRevealed: about_mentoring.revealed,
    AcceptanceRefused: about_mentoring.too_late,
    OfferRefused: about_mentoring.refused,
    PairEnded: about_mentoring.ended,
    EntryShared: about_pairs.shared,
    EntryTakenBack: about_pairs.taken_back,
    PairTold: about_pairs.told,
}


async def tell_waiting(wire: Wire) -> int:
    """Tell the facts that wait, at most AT_ONCE, in one transaction; answers how many.

    Where one of them cannot be told, each gets a transaction of its own.
    """
    instance = wire.instance
    async with instance.reading() as session:
        waiting = await facts_storage.waiting(session, instance.clock.now(), AT_ONCE)
    ids = [row.id for row in waiting]
    if len(ids) > 1:
        try:
            await _tell(wire, ids)
        except Exception as error:  # found and said below, by itself
            logger.info("facts told one by one", count=len(ids), why=str(error))
        else:
            return len(ids)
    told = 0
    for row in waiting:
        try:
            await _tell(wire, [row.id])
            told += 1
        except Exception as error:  # the outermost loop: one bad fact must not stop the rest
            logger.error("fact not told", fact=row.kind, id=row.id, exc_info=error)
            async with instance.transaction() as tx:
                held = await tx.session.get_one(FactRow, row.id)
                held.attempts += 1
                held.error = f"{type(error).__name__}: {error}"[:500]
                held.next_try = tx.now + timedelta(seconds=min(3_600, 5 * 2**held.attempts))
    return told


async def _tell(wire: Wire, ids: list[int]) -> None:
    async with wire.instance.transaction() as tx:
        await log.lock(tx.session)
        told = False
        rows = await facts_storage.taken(tx.session, ids)
        facts = [unpack(row.kind, row.payload) for row in rows]
        await foreseen.read(tx.session, facts)
        for row, fact in zip(rows, facts, strict=True):
            teller = TELLERS.get(type(fact))
            if teller is not None:
                await teller(Telling(wire, tx, row.received), fact)
                told = True
        for row in rows:
            # In the end, so that one statement is enough.
            row.done = tx.now
        if told:
            # Another process may be at work on the lanes that this is for.
            await notify(tx.session)
