# SPDX-License-Identifier: Apache-2.0
"""Telling what happened to posts."""

from typing import Any

from federation import endorsements, forums, posts
from federation.outbox.telling import Telling
from federation.posts import Deed
from federation.sharing import shared
from server.facts import (
    Endorsed,
    EndorsementWithdrawn,
    PostDeleted,
    PostEdited,
    RemovalAsked,
    ReplyPosted,
    ThreadLocked,
    ThreadPinned,
    ThreadPosted,
)
from storage.endorsements import Endorsement
from storage.forums import Forum, Visibility
from storage.members import Member
from storage.posts import Post


async def posted(t: Telling, fact: ThreadPosted | ReplyPosted) -> None:
    post = await t.tx.session.get_one(Post, fact.post)
    if post.state == "deleted":
        return
    author = await t.tx.session.get_one(Member, post.author_id)

    async def make() -> dict[str, Any]:
        sharing = await shared(t.tx.session, post)
        document = await t.sign(author.uri, posts.to_wire(sharing))
        return posts.create(sharing, document)

    await t.tell_about(post, make, actor=author, follows=False)
    forum = await t.tx.session.get_one(Forum, post.forum_id)
    if post.is_thread and forum.is_local:
        await t.boost(forum, post)


async def edited(t: Telling, fact: PostEdited) -> None:
    post = await t.tx.session.get_one(Post, fact.post)
    if post.state == "deleted":
        return
    author = await t.tx.session.get_one(Member, post.author_id)

    async def make() -> dict[str, Any]:
        sharing = await shared(t.tx.session, post)
        document = await t.sign(author.uri, posts.to_wire(sharing))
        return posts.update(sharing, document, fact.revision)

    await t.tell_about(post, make, actor=author, follows=True)


async def deleted(t: Telling, fact: PostDeleted | RemovalAsked) -> None:
    if not fact.by:
        return
    post, actor, deed = await _deed(t, fact.post, fact.by)
    former = "Article" if post.is_thread else "Note"
    reason = None if post.author_id == actor.id else fact.reason

    async def make() -> dict[str, Any]:
        return posts.delete(deed, former, post.deleted or t.tx.now, reason)

    await t.tell_about(post, make, actor=actor, follows=True)


async def _deed(t: Telling, post_id: int, by: int) -> tuple[Post, Member, Deed]:
    """The post, who did something to it, and how that is addressed."""
    post = await t.tx.session.get_one(Post, post_id)
    actor = await t.tx.session.get_one(Member, by)
    forum = await t.tx.session.get_one(Forum, post.forum_id)
    is_public = forum.visibility == Visibility.PUBLIC
    return post, actor, Deed(actor=actor.uri, post=post.uri, forum=forum.uri, public=is_public)


async def endorsed(t: Telling, fact: Endorsed | EndorsementWithdrawn) -> None:
    post = await t.tx.session.get_one(Post, fact.post)
    member = await t.tx.session.get_one(Member, fact.member)
    held = await t.tx.session.get(Endorsement, (post.id, member.id))
    if held is None:
        return
    forum = await t.tx.session.get_one(Forum, post.forum_id)
    author = await t.tx.session.get_one(Member, post.author_id)
    named = author.uri if forum.visibility == Visibility.PUBLIC else None
    uri = f"{member.uri}#like-{post.id}-{fact.n}" if member.is_local else held.uri
    like = endorsements.like(uri, member.uri, post.uri, forum.uri, author=named)

    async def make() -> dict[str, Any]:
        if isinstance(fact, Endorsed):
            return like
        return forums.undo(member.uri, like, like["to"]) | {"audience": forum.uri}

    await t.tell_about(post, make, actor=member, follows=False)


async def locked(t: Telling, fact: ThreadLocked) -> None:
    if not fact.by:
        return
    post, actor, deed = await _deed(t, fact.post, fact.by)

    async def make() -> dict[str, Any]:
        locking = posts.lock(deed, fact.n)
        return locking if fact.locked else forums.undo(actor.uri, locking, locking["to"])

    await t.tell_about(post, make, actor=actor, follows=True)


async def pinned(t: Telling, fact: ThreadPinned) -> None:
    if not fact.by:
        return
    post, actor, deed = await _deed(t, fact.post, fact.by)

    async def make() -> dict[str, Any]:
        return posts.pin(deed, fact.n, pinned=fact.pinned)

    await t.tell_about(post, make, actor=actor, follows=True)
