# SPDX-License-Identifier: Apache-2.0
"""What follows here, in the same transaction, from each fact."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from server import audit, bookmarks, filters, mutes, notifications, postponed, search, uploads
from server.digests import drop_day
from server.events import forgetting as events
from server.events import telling
from server.facts import (
    Endorsed,
    EndorsementWithdrawn,
    EventChanged,
    Fact,
    ForumChanged,
    GuestAnswered,
    JoinSettled,
    PostDeleted,
    PostEdited,
    PracticePublished,
    PracticeWarned,
    RemovalAsked,
    ReplyPosted,
    ResourcePublished,
    StewardNamed,
    ThreadLocked,
    ThreadPinned,
    ThreadPosted,
)
from server.polls import forgetting as polls
from server.practices import adopters
from server.practices import forgetting as practices
from server.records import adapters
from server.resources import forgetting as resources
from server.resources import links
from server.reviews import forgetting as reviews
from server.transaction import Transaction
from storage.practices import Practice
from storage.resources import Resource

Reaction = Callable[[Transaction, Any], Awaitable[None]]

REACTIONS: dict[type[Fact], tuple[Reaction, ...]] = {
    ThreadPosted: (search.index_post, notifications.tell_of_post, drop_day),
    ReplyPosted: (search.index_post, notifications.tell_of_post, drop_day),
    PostEdited: (search.index_post, notifications.tell_of_post, drop_day),
    PostDeleted: (
        search.forget_post,
        postponed.forget_post,
        notifications.forget_post,
        bookmarks.forget_post,
        mutes.forget_post,
        filters.forget_post,
        polls.forget,
        uploads.forget_post,
        audit.note_removal,
        drop_day,
        # Before the practice itself: its author withdraws it with all that was written of it.
        reviews.forget,
        practices.forget,
        events.forget,
        resources.forget,
    ),
    EventChanged: (telling.tell_of_change,),
    GuestAnswered: (telling.tell_of_answer,),
    JoinSettled: (telling.tell_of_settling,),
    PracticePublished: (search.index_practice, partial(adapters.tell_of_version, Practice)),
    ResourcePublished: (partial(adapters.tell_of_version, Resource), links.mind),
    PracticeWarned: (adopters.tell_of_warning,),
    RemovalAsked: (audit.note_removal,),
    Endorsed: (notifications.tell_of_endorsement, drop_day),
    EndorsementWithdrawn: (notifications.forget_endorsement, drop_day),
    ThreadLocked: (audit.note_lock, drop_day),
    ThreadPinned: (audit.note_pin, drop_day),
    StewardNamed: (audit.note_steward,),
    ForumChanged: (),
}


async def react(tx: Transaction, fact: Fact) -> None:
    """Everything that follows from `fact` within this instance."""
    for reaction in REACTIONS.get(type(fact), ()):
        await reaction(tx, fact)
