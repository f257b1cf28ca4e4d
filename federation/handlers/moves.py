# SPDX-License-Identifier: Apache-2.0
"""Forums elsewhere that move to another address (FEP-7628)."""

from federation.authority import Unauthorised
from federation.incoming import Ignored, Incoming
from federation.vocabulary.activities import Activity
from server import audit
from server.forums import moves
from storage import forums


async def move(incoming: Incoming, activity: Activity) -> None:
    """Those here who follow a forum follow it to where it has moved.

    Either side may say so; it counts once both of them do, each asked at its own origin.
    """
    old = getattr(activity.object, "id", "")
    target = activity.target
    if target is None or old == target or activity.actor not in {old, target}:
        raise Ignored("Only who moves, or the account moved to, may say so.")
    async with incoming.wire.instance.reading() as session:
        held = await forums.by_uri(session, old)
    if held is None or held.is_local:
        raise Ignored("Whoever moves is no forum elsewhere that is known here.")
    left = await incoming.actors.fetch(old)
    if left.moved_to != target:
        raise Unauthorised("The forum does not say that it has moved there.")
    found = await incoming.actors.fetch(target)
    if found.type != "Group" or old not in found.also_known_as:
        raise Unauthorised("What it is said to have moved to does not say that it was this forum.")
    new = await incoming.actors.forum(target)
    async with incoming.deed() as tx:
        if not await moves.follow_there(tx, held, new):
            raise Ignored("Nobody here follows this forum.")
        audit.note(tx, old, "forum.moved", target, "")
