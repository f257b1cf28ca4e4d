# SPDX-License-Identifier: Apache-2.0
"""What the home of a forum decides about it, applied to the copy."""

from sqlalchemy import select

from federation.incoming import Ignored
from federation.moderation import block_draft
from federation.vocabulary.activities import Activity
from server.forums import elsewhere
from server.moderation import blocks
from server.posts import editing, steering
from server.transaction import Transaction
from storage import members, posts
from storage.forums import Forum, ForumSteward
from storage.members import Member
from storage.posts import Post


async def steered(tx: Transaction, forum: Forum, activity: Activity, member: Member | None) -> None:
    """Closing, pinning, removing, stewards: what the home says of its own forum holds."""
    inner = activity.object
    if activity.type == "Block":
        person = await _shut_out(tx, forum, activity)
        await blocks.apply_shut_out(tx, member, forum, block_draft(activity, person))
        return
    if activity.type == "Undo" and isinstance(inner, Activity):
        if inner.type == "Block":
            await blocks.apply_let_in(tx, member, forum, await _shut_out(tx, forum, inner))
        elif inner.type == "Lock":
            post = await held(tx, forum, getattr(inner.object, "id", ""))
            await steering.apply_lock(tx, member, post, locked=False)
        return
    uri = getattr(inner, "id", "")
    if activity.target == forum.moderators and activity.type in {"Add", "Remove"}:
        await _steward(tx, forum, uri, named=activity.type == "Add")
        return
    post = await held(tx, forum, uri)
    if activity.type == "Delete":
        reason = activity.summary if activity.summary is not None else ""
        await editing.apply_removal(tx, post, member, reason)
    elif activity.type == "Lock":
        await steering.apply_lock(tx, member, post, locked=True)
    elif activity.type in {"Add", "Remove"}:
        await steering.apply_pin(tx, member, post, pinned=activity.type == "Add")


async def _shut_out(tx: Transaction, forum: Forum, activity: Activity) -> Member:
    """Whom the home shuts out of this forum; Ignored for what is not about it."""
    if activity.target != forum.uri:
        raise Ignored("Whom its home shuts out elsewhere is no affair of this forum.")
    if activity.end_time is not None and activity.end_time <= tx.now:
        raise Ignored("This has ended already.")
    person = await members.by_uri(tx.session, getattr(activity.object, "id", ""))
    if person is None:
        raise Ignored("This person is not known here.")
    return person


async def _steward(tx: Transaction, forum: Forum, uri: str, *, named: bool) -> None:
    """Someone became a steward at the home, or is none any more."""
    person = await members.by_uri(tx.session, uri)
    if person is None:
        raise Ignored("This person is not known here.")
    rows = await tx.session.execute(
        select(Member)
        .join(ForumSteward, ForumSteward.member_id == Member.id)
        .where(ForumSteward.forum_id == forum.id, Member.id != person.id)
    )
    people = [*rows.scalars().all(), *([person] if named else [])]
    await elsewhere.set_stewards(tx, forum, people)


async def held(tx: Transaction, forum: Forum, uri: str) -> Post:
    """A post of this forum: a forum's home says nothing about another's."""
    post = await posts.by_uri(tx.session, uri)
    if post is None or post.forum_id != forum.id:
        raise Ignored("This is not held here in this forum.")
    return post
