# SPDX-License-Identifier: Apache-2.0
"""Which handler takes which activity: a table of contents."""

from collections.abc import Awaitable, Callable

from federation.handlers import (
    announced,
    answers,
    endorsements,
    events,
    follows,
    mentoring,
    moves,
    offered,
    posts,
    quotes,
    reports,
    reviews,
    steering,
    undone,
)
from federation.incoming import Ignored, Incoming
from federation.reviews import is_review
from federation.vocabulary.activities import Activity

Handler = Callable[[Incoming, Activity], Awaitable[None]]
UndoHandler = Callable[[Incoming, Activity, Activity], Awaitable[None]]

HANDLERS: dict[str, Handler] = {
    "Follow": follows.follow,
    "Accept": answers.accept,
    "TentativeAccept": answers.tentative,
    "Reject": answers.reject,
    "Create": posts.create,
    "Update": posts.update,
    "Delete": posts.delete,
    "Like": endorsements.like,
    "EmojiReact": endorsements.like,
    "Flag": reports.flag,
    "Join": events.join,
    "Leave": events.leave,
    "Lock": steering.lock,
    "Add": steering.add,
    "Remove": steering.remove,
    "Block": steering.block,
    "Announce": announced.announce,
    "Move": moves.move,
    "Offer": offered.offer,
    "QuoteRequest": quotes.ask,
}

UNDO_HANDLERS: dict[str, UndoHandler] = {
    "Follow": follows.undo_follow,
    "Join": events.undo_join,
    "Like": endorsements.undo_like,
    "EmojiReact": endorsements.undo_like,
    "Lock": steering.undo_lock,
    "Block": steering.undo_block,
    "Offer": offered.undo,
    "QuoteRequest": quotes.undo_ask,
    "Accept": mentoring.undo_accept,
}

# Why the others mean nothing here, as the record of what was received says it.
REASONS: dict[str, str] = {
    "Dislike": "A Dislike is no endorsement, and nothing that is shown here.",
    "Invite": "Nobody is invited to a forum here: it is followed.",
    "Resolve": "Reports are closed where they were sent to.",
    "Warn": "Warnings are between another server and its own people.",
}


async def handle(incoming: Incoming, activity: Activity) -> None:
    """Hand an activity to whoever takes it; Ignored names why nobody does."""
    if is_review(activity.raw):
        # By what it says and not by its type: the types of COAR Notify are pairs.
        await reviews.take(incoming, activity)
        return
    if activity.type == "Undo":
        inner = await undone.inner_of(incoming, activity)
        undo = UNDO_HANDLERS.get(inner.type) if inner is not None else None
        if undo is None or inner is None:
            raise Ignored(_why_not_undone(inner))
        await undo(incoming, activity, inner)
        return
    handler = HANDLERS.get(activity.type)
    if handler is None:
        raise Ignored(REASONS.get(activity.type, f"The {activity.type} means nothing here."))
    await handler(incoming, activity)


def _why_not_undone(inner: Activity | None) -> str:
    kind = inner.type if inner is not None else ""
    if kind == "Delete":
        return "What was deleted here is not brought back."
    return REASONS.get(kind, "This undoes nothing that is held here.")
