# SPDX-License-Identifier: Apache-2.0
"""What follows here, in the same transaction, from each fact."""

from collections.abc import Awaitable, Callable
from typing import Any

from server import audit, notifications, search
from server.facts import (
    Endorsed,
    EndorsementWithdrawn,
    Fact,
    ForumChanged,
    PostDeleted,
    PostEdited,
    RemovalAsked,
    ReplyPosted,
    StewardNamed,
    ThreadLocked,
    ThreadPinned,
    ThreadPosted,
)
from server.transaction import Transaction

Reaction = Callable[[Transaction, Any], Awaitable[None]]

REACTIONS: dict[type[Fact], tuple[Reaction, ...]] = {
    ThreadPosted: (search.index_post, notifications.tell_of_post),
    ReplyPosted: (search.index_post, notifications.tell_of_post),
    PostEdited: (search.index_post, notifications.tell_of_post),
    PostDeleted: (search.forget_post, notifications.forget_post, audit.note_removal),
    RemovalAsked: (audit.note_removal,),
    Endorsed: (notifications.tell_of_endorsement,),
    EndorsementWithdrawn: (notifications.forget_endorsement,),
    ThreadLocked: (audit.note_lock,),
    ThreadPinned: (audit.note_pin,),
    StewardNamed: (audit.note_steward,),
    ForumChanged: (),
}


async def react(tx: Transaction, fact: Fact) -> None:
    """Everything that follows from `fact` within this instance."""
    for reaction in REACTIONS.get(type(fact), ()):
        await reaction(tx, fact)
