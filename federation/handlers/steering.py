# SPDX-License-Identifier: Apache-2.0
"""What stewards elsewhere ask of forums of ours."""

from federation import authority
from federation.incoming import Ignored, Incoming
from federation.moderation import block_draft
from federation.vocabulary.activities import Activity
from server.errors import NotAllowed
from server.moderation import blocks
from server.posts import steering
from server.transaction import Transaction
from storage import forums, posts
from storage.forums import Forum
from storage.members import Member
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
        target = activity.target or ""
        named_for = await forums.by_uri(tx.session, target.removesuffix("/moderators"))
        if named_for is not None and named_for.is_local:
            incoming.forum = named_for.id
            raise NotAllowed("Stewards are named by the admins of this instance only.")
        post, forum = await _thread(tx, uri)
        incoming.forum = forum.id
        if target != f"{forum.uri}/featured":
            raise NotAllowed("Only what is pinned is changed from elsewhere.")
        await steering.pin(tx, person, post, pinned=pinned)


async def block(incoming: Incoming, activity: Activity) -> None:
    """Somebody is shut out of a forum of ours by one who looks after it."""
    actor, forum, person = await _shut_out(incoming, activity.actor, activity)
    if activity.end_time is not None and activity.end_time <= incoming.wire.instance.clock.now():
        raise Ignored("This has ended already.")
    async with incoming.deed(subject=activity.id) as tx:
        await blocks.shut_out(tx, actor, forum, block_draft(activity, person))


async def undo_block(incoming: Incoming, activity: Activity, inner: Activity) -> None:
    """They are let in again; any of those who look after the forum may do that."""
    actor, forum, person = await _shut_out(incoming, activity.actor, inner)
    async with incoming.deed(subject=activity.id) as tx:
        await blocks.let_in(tx, actor, forum, person)


async def _shut_out(
    incoming: Incoming, actor: str, activity: Activity
) -> tuple[Member, Forum, Member]:
    """Who does it, the forum of ours it is about, and whom it is about."""
    async with incoming.wire.instance.reading() as session:
        forum = await forums.by_uri(session, activity.target or "")
    if forum is None or not forum.is_local:
        raise Ignored("Whom another forum, or another server, shuts out is its own affair.")
    by = await incoming.actors.person(actor)
    incoming.member, incoming.forum = by.id, forum.id
    return by, forum, await incoming.actors.person(getattr(activity.object, "id", ""))


async def _thread(tx: Transaction, uri: str) -> tuple[Post, Forum]:
    post = await posts.by_uri(tx.session, uri)
    forum = await tx.session.get(Forum, post.forum_id) if post else None
    if post is None or forum is None or not forum.is_local:
        raise Ignored("This thread is not in a forum of ours.")
    return post, forum
