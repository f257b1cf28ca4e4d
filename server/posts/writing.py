# SPDX-License-Identifier: Apache-2.0
"""Threads and replies: the home decides, a copy applies."""

import asyncio
import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil

from sqlalchemy import and_, bindparam, select, update

from server import ids, text
from server.errors import Gone, Locked, NotFound, TooFast
from server.facts import ReplyPosted, ThreadPosted
from server.forums.standing import standing_now
from server.permissions import Permission, must
from server.posts import voting
from server.posts.drafts import EditDraft, Origin, ReplyDraft, ThreadDraft
from server.transaction import Transaction
from storage import members, posts
from storage.base import held, insert, keep_from_others
from storage.forums import Forum
from storage.members import Member
from storage.posts import (
    Kind,
    Post,
    PostMention,
    PostState,
    PostTag,
    RawObject,
    Withheld,
)
from storage.versions import COUNTED

A_MINUTE = timedelta(minutes=1)
MOST_A_MINUTE = 10


async def post_thread(tx: Transaction, author: Member, forum: Forum, draft: ThreadDraft) -> Post:
    """Open a thread, under the rules of this instance."""
    must(await standing_now(tx, author, forum), Permission.POST_THREAD)
    await must_be_calm(tx, author, draft.origin)
    return await apply_thread(tx, author, forum, draft)


async def reply(tx: Transaction, author: Member, draft: ReplyDraft) -> Post:
    """Answer a post, under the rules of this instance."""
    parent = await tx.session.get(Post, draft.parent)
    if parent is None:
        raise NotFound
    forum = await tx.session.get_one(Forum, parent.forum_id)
    must(await standing_now(tx, author, forum), Permission.REPLY)
    must_be_open(await tx.session.get_one(Post, parent.thread_id), parent)
    await must_be_calm(tx, author, draft.origin)
    return await apply_reply(tx, author, draft)


def must_be_open(opener: Post, parent: Post) -> None:
    """Refuse an answer to a closed thread or to something deleted."""
    if opener.locked:
        raise Locked
    if PostState.DELETED in {opener.state, parent.state}:
        raise Gone("What you answer was deleted.")
    if PostState.REFUSED in {opener.state, parent.state}:
        raise NotFound


async def must_be_calm(tx: Transaction, author: Member, origin: Origin | None = None) -> None:
    """At most ten posts a minute each, those being written at this moment included.

    What comes from elsewhere counts by when it was written: after an outage a whole day of
    posts may arrive in a second.
    """
    await keep_from_others(tx.session, Member, author.id)
    now, column = tx.now, Post.arrived
    if origin is not None:
        now, column = min(origin.updated or origin.published, tx.now), Post.published
    # Ids sort by time, and are what the index of an author's posts ends in.
    lately = and_(column > now - A_MINUTE, Post.id >= ids.earliest(now - A_MINUTE))
    if origin is not None:
        lately = and_(lately, column <= now)
    latest = (
        select(column)
        .where(Post.author_id == author.id, lately)
        .order_by(column.desc())
        .limit(MOST_A_MINUTE)
    )
    times = (await tx.session.execute(latest)).scalars().all()
    if len(times) == MOST_A_MINUTE:
        wait = ceil((times[-1] + A_MINUTE - now).total_seconds()) or 1
        seconds = "1 second" if wait == 1 else f"{wait} seconds"
        raise TooFast(
            f"You have posted ten times in a minute: try again in {seconds}.", retry_after=wait
        )


async def apply_thread(tx: Transaction, author: Member, forum: Forum, draft: ThreadDraft) -> Post:
    """The thread as it then is, without asking whether it may be."""
    forum = await held(tx.session, Forum, forum.id)
    post = await _new(tx, author, forum, draft.origin)
    post.kind, post.thread_id = draft.kind, post.id
    post.title = text.clean_line(draft.title, 500)
    post.slug = tx.addresses.slug(post.title)
    post.language = draft.language[:12] or forum.language
    if draft.origin is None:
        post.url = tx.addresses.page(post.id, post.slug)
        post.context = tx.addresses.context(post.id)
    else:
        post.context = draft.origin.context
    tx.session.add(post)
    await write_body(tx, post, draft)
    if draft.poll is not None:
        voting.attach(tx, post, draft.poll)
    for tag in dict.fromkeys(draft.tags[:10]):
        tx.session.add(PostTag(post_id=post.id, tag=tag))
    forum.thread_count += 1
    forum.post_count += 1
    forum.bumped = max(forum.bumped or post.bumped, post.bumped)
    tx.record(ThreadPosted(post.id))
    return post


async def apply_reply(tx: Transaction, author: Member, draft: ReplyDraft) -> Post:
    """The reply as it then is, without asking whether it may be."""
    parent = await tx.session.get_one(Post, draft.parent)
    forum = await held(tx.session, Forum, parent.forum_id)
    opener = await held(tx.session, Post, parent.thread_id)
    parent = await held(tx.session, Post, parent.id)
    post = await _new(tx, author, forum, draft.origin)
    post.kind, post.thread_id = Kind.REPLY, opener.id
    post.parent_id, post.parent_uri = parent.id, draft.parent_uri
    post.branch_id = post.id if parent.is_thread else parent.branch_id
    post.language = draft.language[:12] or forum.language
    tx.session.add(post)
    await write_body(tx, post, draft)
    if post.state != PostState.REFUSED:
        opener.reply_count += 1
        if not parent.is_thread:
            parent.reply_count += 1
        forum.post_count += 1
    opener.bumped = max(opener.bumped, post.bumped)
    forum.bumped = max(forum.bumped or post.bumped, post.bumped)
    await _adopt(tx, post)
    tx.record(ReplyPosted(post.id))
    return post


async def _number(tx: Transaction, published: datetime) -> int:
    """A free id by when it was written elsewhere.

    Most software dates by the second, and what has no date shares one: chance alone does not
    tell so many apart.
    """
    number = tx.ids.at(published)
    while await posts.is_numbered(tx.session, number):
        number += 1 + tx.randomness.bits(16)
    return number


async def _new(tx: Transaction, author: Member, forum: Forum, origin: Origin | None) -> Post:
    """The part that threads and replies share."""
    if origin is None:
        identifier = tx.ids.next()
        uri = url = tx.addresses.post(identifier)
        published = tx.now
    else:
        identifier = await _number(tx, origin.published)
        uri, url = origin.uri, origin.url
        published = min(origin.published, tx.now)
    at_home = forum.is_local or not author.is_local
    return Post(
        id=identifier,
        uri=uri,
        url=url,
        forum_id=forum.id,
        author_id=author.id,
        branch_id=None,
        parent_id=None,
        published=published,
        updated=origin.updated if origin else None,
        arrived=tx.now,
        bumped=published,
        state=PostState.LIVE if at_home else PostState.SENT,
        context="",
        revision=0,
        reply_count=0,
        endorsement_count=0,
        withheld_count=0,
        pinned=False,
        locked=False,
    )


async def write_body(
    tx: Transaction, post: Post, draft: ThreadDraft | ReplyDraft | EditDraft
) -> None:
    """Set source and HTML, and whom the text names; remote HTML is sanitised here."""
    origin = draft.origin
    post.source = draft.source[: text.MAX_SOURCE]
    named = await _named(tx, post.source)
    if origin is None or not origin.html:
        links = {handle: member.url for handle, member in named.items()}
        post.html = await asyncio.to_thread(text.render, post.source, links=links)
    else:
        post.html = await asyncio.to_thread(text.sanitise, origin.html)
    if origin is not None:
        post.quoted_uri, post.quote_stamp = origin.quoted or None, origin.stamp or None
    await tx.session.flush()
    for member in {member.id: member for member in named.values()}.values():
        await tx.session.execute(
            insert(tx.session, PostMention)
            .values(post_id=post.id, member_id=member.id)
            .on_conflict_do_nothing(index_elements=["post_id", "member_id"]),
            execution_options=COUNTED,
        )
    if origin is not None and origin.raw:
        await _keep_raw(tx, post, origin)


async def _named(tx: Transaction, source: str) -> dict[str, Member]:
    """The people known here whom a text mentions, by the handle it uses."""
    found: dict[str, Member] = {}
    for handle in text.mentions(source):
        name, _, peer = handle.partition("@")
        local = peer in {"", tx.settings.host}
        member = await members.by_handle(tx.session, name, None if local else peer)
        if member is not None:
            found[handle] = member
    return found


async def _keep_raw(tx: Transaction, post: Post, origin: Origin) -> None:
    """Keep a remote object's own bytes, apart from the row."""
    values = {
        "body": origin.raw,
        "digest": hashlib.sha256(origin.raw.encode()).hexdigest(),
        "key_id": origin.key_id,
        "fetched": tx.now,
    }
    await tx.session.execute(
        insert(tx.session, RawObject)
        .values(post_id=post.id, **values)
        .on_conflict_do_update(index_elements=["post_id"], set_=values)
    )


_ORPHANS = select(Post).where(
    Post.parent_uri == bindparam("uri"), Post.thread_id == bindparam("thread")
)


async def _adopt(tx: Transaction, parent: Post) -> None:
    """Re-attach replies that came before the post they answer."""
    given = {"uri": parent.uri, "thread": parent.thread_id}
    waiting = await tx.session.execute(_ORPHANS, given)
    for orphan in waiting.scalars().all():
        orphan.parent_id, orphan.parent_uri = parent.id, None
        if orphan.state not in {PostState.DELETED, PostState.REFUSED}:
            parent.reply_count += 1
        await tx.session.flush()
        await tx.session.execute(
            update(Post).where(Post.branch_id == orphan.id).values(branch_id=parent.branch_id)
        )


@dataclass(frozen=True)
class Missing:
    """A post we may not hold."""

    uri: str
    peer: str
    forum: int
    thread: int | None


async def withhold(tx: Transaction, missing: Missing) -> None:
    """Count a post of an author we do not list; nothing of it is stored."""
    statement = (
        insert(tx.session, Withheld)
        .values(
            uri=missing.uri,
            peer=missing.peer,
            forum_id=missing.forum,
            thread_id=missing.thread,
            at=tx.now,
        )
        .on_conflict_do_nothing(index_elements=["uri"])
        .returning(Withheld.uri)
    )
    fresh = (await tx.session.execute(statement)).first() is not None
    if fresh and missing.thread is not None:
        opener = await held(tx.session, Post, missing.thread)
        opener.withheld_count += 1
