# SPDX-License-Identifier: Apache-2.0
"""Telling what happened to posts."""

from datetime import datetime
from typing import Any

from sqlalchemy import select

from federation import deeds, endorsements, forums, posts
from federation.deeds import Deed
from federation.outbox import about_quotes, events_as_threads
from federation.outbox.telling import Telling
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
from storage import fetches
from storage.endorsements import Endorsement
from storage.forums import Forum, Visibility
from storage.log import Form
from storage.members import Member
from storage.plain import Question, ask, given
from storage.posts import Kind, Post, PostMention
from storage.replications import Announcing

_MENTIONED: Question[int] = Question(
    select(PostMention.member_id).where(PostMention.post_id == given("post")), int
)
_ANSWERED: Question[int] = Question(
    select(Post.author_id).where(Post.id == given("post"), Post.author_id.is_not(None)), int
)


async def posted(t: Telling, fact: ThreadPosted | ReplyPosted) -> None:
    post = await t.tx.session.get_one(Post, fact.post)
    if post.state == "deleted":
        return
    author = await t.tx.session.get_one(Member, post.author_id)

    async def make() -> dict[str, Any]:
        sharing = await shared(t.tx.session, post)
        document = await t.sign(author.uri, posts.to_wire(sharing))
        return posts.create(sharing, document)

    # A thread is pointed to; only who is named in it is sent the whole of it.
    bare = Form.DIRECT if post.is_thread else Form.DEED
    # Only what a member of ours wrote is sent to those it names.
    named = await _named(t, post) if author.is_local else ()
    await t.tell_about(post, make, actor=author, follows=False, bare=bare, named=named)
    forum = await t.tx.session.get_one(Forum, post.forum_id)
    if forum.is_local and await _is_pointed_to(t, post):
        await t.boost(forum, post)
    await events_as_threads.told(t, post, author, forum)


async def _is_pointed_to(t: Telling, post: Post) -> bool:
    """Openers, and of a report not itself but the short reply that tells of it."""
    if post.is_thread:
        return post.kind != Kind.REPLICATION
    return await t.tx.session.get(Announcing, post.id) is not None


async def _named(t: Telling, post: Post) -> list[Member]:
    """Whom a post names: those it mentions, and the author of what it answers."""
    named = set(await ask(t.tx.session, _MENTIONED, post=post.id))
    if post.parent_id is not None:
        named |= set(await ask(t.tx.session, _ANSWERED, post=post.parent_id))
    if not named:
        return []
    question = select(Member).where(Member.id.in_(named)).order_by(Member.id)
    return list((await t.tx.session.execute(question)).scalars())


async def edited(t: Telling, fact: PostEdited) -> None:
    post = await t.tx.session.get_one(Post, fact.post)
    if post.state == "deleted":
        return
    author = await t.tx.session.get_one(Member, post.author_id)

    async def make() -> dict[str, Any]:
        sharing = await shared(t.tx.session, post)
        document = await t.sign(author.uri, posts.to_wire(sharing))
        return posts.update(sharing, document, fact.revision)

    # Whom it names only now hears of it as well.
    named = await _named(t, post) if author.is_local else ()
    await t.tell_about(post, make, actor=author, follows=True, bare=Form.AUTHOR, named=named)
    forum = await t.tx.session.get_one(Forum, post.forum_id)
    await events_as_threads.told(t, post, author, forum, revision=fact.revision)


async def removal_asked(t: Telling, fact: RemovalAsked) -> None:
    await _delete(t, fact.post, fact.by, fact.reason)


async def deleted(t: Telling, fact: PostDeleted) -> None:
    if fact.by:
        await _delete(t, fact.post, fact.by, fact.reason)
    post = await t.tx.session.get_one(Post, fact.post)
    author = await t.tx.session.get_one(Member, post.author_id)
    if author.is_local and fact.by != author.id:
        _, _, deed = await _deed(t, post.id, author.id)
        await t.withdraw(
            post, author, deeds.delete(deed, deeds.former_type(post), _when(t, post), None)
        )
    if author.is_local:
        await about_quotes.post_deleted(t, post, author)
    await fetches.forget(t.tx.session, post.id)
    forum = await t.tx.session.get_one(Forum, post.forum_id)
    if forum.is_local:
        await t.undo_boost(forum, post)


async def _delete(t: Telling, post_id: int, by: int, reason: str) -> None:
    """Delete by its author, or by a steward, who says why."""
    post, actor, deed = await _deed(t, post_id, by)
    own = post.author_id == actor.id

    async def make() -> dict[str, Any]:
        return deeds.delete(deed, deeds.former_type(post), _when(t, post), None if own else reason)

    bare = Form.AUTHOR if own else None
    await t.tell_about(post, make, actor=actor, follows=True, bare=bare)


def _when(t: Telling, post: Post) -> datetime:
    return post.deleted or t.tx.now


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

    await t.tell_about(post, make, actor=member, follows=False, bare=Form.DEED, named=[author])


async def locked(t: Telling, fact: ThreadLocked) -> None:
    if not fact.by:
        return
    post, actor, deed = await _deed(t, fact.post, fact.by)

    async def make() -> dict[str, Any]:
        locking = deeds.lock(deed, fact.n)
        if fact.locked:
            return locking
        return forums.undo(actor.uri, locking, locking["to"]) | {"audience": deed.forum}

    await t.tell_about(post, make, actor=actor, follows=True)


async def pinned(t: Telling, fact: ThreadPinned) -> None:
    if not fact.by:
        return
    post, actor, deed = await _deed(t, fact.post, fact.by)

    async def make() -> dict[str, Any]:
        return deeds.pin(deed, fact.n, pinned=fact.pinned)

    await t.tell_about(post, make, actor=actor, follows=True)
