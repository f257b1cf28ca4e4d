# SPDX-License-Identifier: Apache-2.0
"""Forums and people elsewhere that move to another address (FEP-7628)."""

from federation.actors import PEOPLE
from federation.authority import Unauthorised
from federation.incoming import Ignored, Incoming
from federation.vocabulary.activities import Activity
from server import audit
from server.forums import moves
from server.members import elsewhere
from storage import forums, members
from storage.forums import Forum
from storage.members import Member


async def move(incoming: Incoming, activity: Activity) -> None:
    """A forum is followed to where it has moved; of a person it is shown where they are now.

    Either side may say so; it counts once both of them do, each asked at its own origin.
    """
    old = getattr(activity.object, "id", "")
    target = activity.target
    if target is None or old == target or activity.actor not in {old, target}:
        raise Ignored("Only who moves, or the account moved to, may say so.")
    if incoming.wire.urls.is_ours(target):
        raise Ignored("Nobody moves to an account of ours by saying so.")
    async with incoming.wire.instance.reading() as session:
        forum = await forums.by_uri(session, old)
        person = await members.by_uri(session, old)
    held = forum if forum is not None else person
    if held is None or held.is_local:
        raise Ignored("Whoever moves is nobody elsewhere that is known here.")
    kind = await _vouched(incoming, old, target)
    if isinstance(held, Forum):
        await _forum(incoming, held, target, kind)
    else:
        await _person(incoming, held, target, kind)


async def _vouched(incoming: Incoming, old: str, target: str) -> str:
    """What the account moved to is, once both name each other."""
    left = await incoming.actors.fetch(old)
    if left.moved_to != target:
        raise Unauthorised("Who is said to have moved there does not say so.")
    found = await incoming.actors.fetch(target)
    if old not in found.also_known_as:
        raise Unauthorised("The account moved to does not say that it was this one.")
    return found.type


async def _forum(incoming: Incoming, held: Forum, target: str, kind: str) -> None:
    if kind != "Group":
        raise Unauthorised("A forum moves to a forum only.")
    new = await incoming.actors.forum(target)
    async with incoming.deed() as tx:
        if not await moves.follow_there(tx, held, new):
            raise Ignored("This has moved there already, and nobody here follows it.")
        audit.note(tx, held.uri, "forum.moved", target, "")


async def _person(incoming: Incoming, held: Member, target: str, kind: str) -> None:
    if kind not in PEOPLE:
        raise Unauthorised("A person moves to a person only.")
    await incoming.actors.person(target)
    async with incoming.deed() as tx:
        if not await elsewhere.moved(tx, held, target):
            raise Ignored("This person has moved there already.")
        audit.note(tx, held.uri, "person.moved", target, "")
