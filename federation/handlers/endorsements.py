# SPDX-License-Identifier: Apache-2.0
"""Likes of posts in forums of ours, and taking them back."""

from federation import authority
from federation.incoming import Ignored, Incoming
from federation.vocabulary.activities import Activity
from server import endorsements
from storage import posts
from storage.forums import Forum


async def like(incoming: Incoming, activity: Activity) -> None:
    """Somebody elsewhere endorses a post; once, however often they say so."""
    uri = getattr(activity.object, "id", "")
    async with incoming.wire.instance.reading() as session:
        post = await posts.by_uri(session, uri)
        forum = await session.get(Forum, post.forum_id) if post else None
    if post is None or forum is None or not forum.is_local:
        raise Ignored("This post is not in a forum of ours.")
    incoming.forum = forum.id
    person = await incoming.actors.person(activity.actor)
    incoming.member = person.id
    async with incoming.deed(subject=uri) as tx:
        await endorsements.endorse(tx, person, post, activity.id)


async def undo_like(incoming: Incoming, activity: Activity, inner: Activity) -> None:
    """They take it back: matched by who and what, since some peers make a new inner id."""
    authority.must_undo_own(activity.actor, inner)
    uri = getattr(inner.object, "id", "")
    person = await incoming.actors.person(activity.actor)
    async with incoming.deed(subject=uri) as tx:
        post = await posts.by_uri(tx.session, uri)
        forum = await tx.session.get(Forum, post.forum_id) if post else None
        if post is None or forum is None or not forum.is_local:
            raise Ignored("This post is not in a forum of ours.")
        await endorsements.apply_withdrawal(tx, person, post, inner.id)
