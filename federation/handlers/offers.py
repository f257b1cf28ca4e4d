# SPDX-License-Identifier: Apache-2.0
"""Changes offered to our authors, and what authors elsewhere say to ours."""

from federation import authority, offers
from federation.incoming import Ignored, Incoming
from federation.vocabulary.activities import Activity
from server.library import offering
from storage import members, posts


async def offer(incoming: Incoming, activity: Activity) -> None:
    """Somebody offers a change to a practice (`target`) from their adaptation (`object`)."""
    draft = offers.from_wire(activity)
    if draft is None or not activity.target:
        raise Ignored("This offers nothing that is taken here.")
    if not authority.same_origin(draft.based_on, activity.actor):
        raise Ignored("Only its own author offers something of an adaptation.")
    person = await incoming.actors.person(activity.actor)
    async with incoming.deed() as tx:
        source = await posts.by_uri(tx.session, activity.target)
        if source is None:
            raise Ignored("There is no such practice here.")
        await offering.receive(tx, person, source, draft)


async def answered(incoming: Incoming, activity: Activity, *, taken: bool) -> None:
    """An author elsewhere takes, or declines, what one of us offered."""
    uri = getattr(activity.object, "id", "")
    reason = activity.summary or activity.content or ""
    async with incoming.deed() as tx:
        signer = await members.by_uri(tx.session, activity.actor)
        if signer is None or not await offering.answered(
            tx, signer, uri, taken=taken, reason=reason
        ):
            raise Ignored("This answers no offer of ours.")


async def undo(incoming: Incoming, activity: Activity, inner: Activity) -> None:
    """They take their offer back."""
    authority.must_undo_own(activity.actor, inner)
    async with incoming.deed() as tx:
        person = await members.by_uri(tx.session, activity.actor)
        if person is None or not await offering.withdrawn(tx, person, inner.id):
            raise Ignored("This takes no offer back that is held here.")
