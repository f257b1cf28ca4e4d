# SPDX-License-Identifier: Apache-2.0
"""What stewards elsewhere ask of forums of ours."""

from federation import authority
from federation.incoming import Ignored, Incoming
from federation.vocabulary.activities import Activity
from server.errors import NotAllowed
from server.posts import steering
from server.transaction import Transaction
from storage import posts
from storage.forums import Forum
from storage.posts import Post


async def lock(incoming: Incoming, activity: Activity) -> None:
    await _lock(incoming, activity.actor, activity, locked=True)


async def undo_lock(incoming: Incoming, activity: Activity, inner: Activity) -> None:
    authority.must_undo_own(activity.actor, inner)
    await _lock(incoming, activity.actor, inner, locked=False)


async def _lock(incoming: Incoming, actor: str, activity: Activity, *, locked: bool) -> None:
    uri = getattr(activity.object, "id", "")
    person = await incoming.actors.person(actor)
    incoming.member = person.id
    async with incoming.deed(subject=uri) as tx:
        post, forum = await _thread(tx, uri)
        incoming.forum = forum.id
        await steering.lock(tx, person, post, locked=locked)


async def add(incoming: Incoming, activity: Activity) -> None:
    await _pin(incoming, activity, pinned=True)


async def remove(incoming: Incoming, activity: Activity) -> None:
    await _pin(incoming, activity, pinned=False)


async def _pin(incoming: Incoming, activity: Activity, *, pinned: bool) -> None:
    """Only the featured collection: who is a steward is decided by admins here."""
    uri = getattr(activity.object, "id", "")
    person = await incoming.actors.person(activity.actor)
    incoming.member = person.id
    async with incoming.deed(subject=uri) as tx:
        post, forum = await _thread(tx, uri)
        incoming.forum = forum.id
        if activity.target != f"{forum.uri}/featured":
            raise NotAllowed("Stewards are named by the admins of this instance only.")
        await steering.pin(tx, person, post, pinned=pinned)


async def _thread(tx: Transaction, uri: str) -> tuple[Post, Forum]:
    post = await posts.by_uri(tx.session, uri)
    forum = await tx.session.get(Forum, post.forum_id) if post else None
    if post is None or forum is None or not forum.is_local:
        raise Ignored("This thread is not in a forum of ours.")
    return post, forum
