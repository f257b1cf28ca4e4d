# SPDX-License-Identifier: Apache-2.0
"""Endorsements that the home of a forum passes on."""

import orjson

from federation import authority
from federation.errors import WireError
from federation.handlers.copies import held
from federation.incoming import Ignored, Incoming
from federation.vocabulary.activities import Activity, parse_activity
from federation.vocabulary.errors import Malformed
from server import endorsements
from storage import posts
from storage.forums import Forum

LIKES = frozenset({"EmojiReact", "Like"})


async def liked(incoming: Incoming, forum: Forum, activity: Activity) -> None:
    """Somebody endorsed a post of the forum."""
    if not await incoming.is_allowed(activity.actor):
        raise Ignored("Their agency is not on our list.")
    uri = getattr(activity.object, "id", "")
    async with incoming.wire.instance.reading() as session:
        if await posts.by_uri(session, uri) is None:
            raise Ignored("This post is not held here.")
    await _must_be_vouched(incoming, forum, activity)
    person = await incoming.actors.person(activity.actor)
    incoming.raw = orjson.dumps(activity.raw).decode()
    async with incoming.deed(subject=uri) as tx:
        post = await held(tx, forum, uri)
        await endorsements.apply_endorsement(tx, person, post, forum, activity.id)


async def _must_be_vouched(incoming: Incoming, forum: Forum, activity: Activity) -> None:
    """A relayed deed needs its actor's proof, or their own server's word (FEP-8b32, FEP-fe34).

    That is the forum's own home where both are of one origin, else what the origin answers
    under the activity's id.
    """
    if await incoming.verifier.proof(activity.raw, activity.actor) is not None:
        return
    if authority.same_origin(forum.uri, activity.actor):
        return
    if activity.id and "#" not in activity.id and await _stands_at_its_origin(incoming, activity):
        return
    raise authority.Unauthorised("The relayed activity carries no proof of its actor.")


async def _stands_at_its_origin(incoming: Incoming, activity: Activity) -> bool:
    """Whether the actor's own server shows the same deed under its id."""
    try:
        shown = parse_activity((await incoming.wire.document(activity.id)).data)
    except Malformed:
        return False
    except WireError as error:
        if not error.permanent:
            raise
        return False
    said, meant = (
        (one.type, one.actor, getattr(one.object, "id", "")) for one in (shown, activity)
    )
    return said == meant


async def unliked(incoming: Incoming, forum: Forum, activity: Activity, inner: Activity) -> None:
    """Somebody takes their endorsement back."""
    authority.must_undo_own(activity.actor, inner)
    await _must_be_vouched(incoming, forum, activity)
    if not await incoming.is_allowed(activity.actor):
        raise Ignored("Their agency is not on our list.")
    person = await incoming.actors.person(activity.actor)
    async with incoming.deed() as tx:
        post = await held(tx, forum, getattr(inner.object, "id", ""))
        await endorsements.apply_withdrawal(tx, person, post, inner.id)
