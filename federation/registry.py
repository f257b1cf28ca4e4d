# SPDX-License-Identifier: Apache-2.0
"""Which handler takes which activity: a table of contents."""

from collections.abc import Awaitable, Callable

from federation.handlers import announced, endorsements, follows, posts, steering
from federation.incoming import Ignored, Incoming
from federation.vocabulary.activities import Activity

Handler = Callable[[Incoming, Activity], Awaitable[None]]
UndoHandler = Callable[[Incoming, Activity, Activity], Awaitable[None]]

HANDLERS: dict[str, Handler] = {
    "Follow": follows.follow,
    "Accept": follows.accept,
    "Reject": follows.reject,
    "Create": posts.create,
    "Update": posts.update,
    "Delete": posts.delete,
    "Like": endorsements.like,
    "EmojiReact": endorsements.like,
    "Lock": steering.lock,
    "Add": steering.add,
    "Remove": steering.remove,
    "Announce": announced.announce,
}

UNDO_HANDLERS: dict[str, UndoHandler] = {
    "Follow": follows.undo_follow,
    "Like": endorsements.undo_like,
    "EmojiReact": endorsements.undo_like,
    "Lock": steering.undo_lock,
}


async def handle(incoming: Incoming, activity: Activity) -> None:
    """Hand an activity to whoever takes it; Ignored names why nobody does."""
    if activity.type == "Undo":
        inner = activity.object
        undo = UNDO_HANDLERS.get(inner.type) if isinstance(inner, Activity) else None
        if undo is None or not isinstance(inner, Activity):
            raise Ignored("This undoes nothing that is held here.")
        await undo(incoming, activity, inner)
        return
    handler = HANDLERS.get(activity.type)
    if handler is None:
        raise Ignored(f"A {activity.type} means nothing here.")
    await handler(incoming, activity)
