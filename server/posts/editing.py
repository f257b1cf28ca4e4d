# SPDX-License-Identifier: Apache-2.0
"""Editing with a visible history, and deleting without a trace."""

from datetime import timedelta

from sqlalchemy import delete, update

from server import text
from server.errors import Gone, NotAllowed
from server.facts import PostDeleted, PostEdited, RemovalAsked
from server.forums.standing import standing_now
from server.permissions import Permission, may, must
from server.posts.drafts import EditDraft
from server.posts.writing import must_be_calm, write_body
from server.transaction import Transaction
from storage.base import held
from storage.endorsements import Endorsement
from storage.forums import Forum
from storage.log import ActivityBody
from storage.members import Member
from storage.posts import (
    Draft,
    Kind,
    Post,
    PostMention,
    PostRevision,
    PostState,
    PostTag,
    RawObject,
)
from storage.versions import COUNTED


async def edit(tx: Transaction, actor: Member, post: Post, draft: EditDraft) -> Post:
    """Change one's own post; what it said before stays readable."""
    post = await tx.session.get_one(Post, post.id)
    forum = await tx.session.get_one(Forum, post.forum_id)
    must(await standing_now(tx, actor, forum), Permission.EDIT_POST, post)
    if post.state == PostState.DELETED:
        raise Gone
    opener = await tx.session.get_one(Post, post.thread_id)
    if opener.locked:
        raise NotAllowed("This thread is closed: its posts can no longer be changed.")
    if post.kind == Kind.PRACTICE and draft.origin is None:
        raise NotAllowed("A practice is changed section by section, from its own page.")
    if post.kind == Kind.REPLICATION and draft.origin is None:
        raise NotAllowed("A report is not changed: delete it, and report again.")
    if post.kind == Kind.EVENT and draft.origin is None:
        raise NotAllowed("An event is changed with its own form, from its page.")
    if post.kind == Kind.RESOURCE and draft.origin is None:
        raise NotAllowed("A resource is changed by publishing a new version, from its own page.")
    await must_be_calm(tx, actor, draft.origin)
    return await apply_edit(tx, post, draft)


async def apply_edit(tx: Transaction, post: Post, draft: EditDraft) -> Post:
    """The post as it then reads; an older edit than the one held changes nothing.

    What comes from elsewhere without a date of its edit is as old as the post.
    """
    post = await held(tx.session, Post, post.id)
    before = post.updated or post.published
    # Later than what it changes, though our clock was set back since: copies go by it.
    when = max(tx.now, before + timedelta(milliseconds=1))
    is_older = False
    if draft.origin is not None:
        said = draft.origin.updated or draft.origin.published
        # Where their clock is ahead, by what they say and not by when it came: an edit that
        # comes in the same millisecond as its post is one all the same.
        is_older, when = said <= before, min(said, when)
    if post.state == PostState.DELETED or is_older:
        return post
    tx.session.add(
        PostRevision(
            post_id=post.id,
            revision=post.revision,
            title=post.title,
            source=post.source or text.plain(post.html),
            written=post.updated or post.published,
        )
    )
    # New tags alone are an edit as well: the next one travels under a name of its own.
    post.revision += 1
    post.updated = when
    if post.state != PostState.REFUSED:
        # What its home did not take of it before does not matter any more.
        post.reason = ""
    await put_words(tx, post, draft)
    tx.record(PostEdited(post.id, post.revision))
    return post


async def put_words(tx: Transaction, post: Post, draft: EditDraft) -> None:
    """The words and tags of a post from now on; nothing is kept of those it had."""
    if post.is_thread:
        post.title = text.clean_line(draft.title, 500) or post.title
        former = delete(PostTag).where(PostTag.post_id == post.id)
        await tx.session.execute(former, execution_options=COUNTED)
        for tag in dict.fromkeys(draft.tags[:10]):
            tx.session.add(PostTag(post_id=post.id, tag=tag))
    await write_body(tx, post, draft)


async def remove(tx: Transaction, actor: Member, post: Post, reason: str = "") -> None:
    """Delete one's own post, or remove another's as a steward.

    At a copy a steward's removal is asked of the home; nothing changes here before.
    """
    post = await tx.session.get_one(Post, post.id)
    if post.state == PostState.DELETED:
        return
    forum = await tx.session.get_one(Forum, post.forum_id)
    stands = await standing_now(tx, actor, forum)
    reason = text.clean_line(reason, 500)
    if may(stands, Permission.DELETE_POST, post):
        await apply_removal(tx, post, actor, "")
        return
    must(stands, Permission.REMOVE_POST, post)
    if forum.is_local or not actor.is_local:
        await apply_removal(tx, post, actor, reason or "removed by a steward")
    else:
        tx.record(RemovalAsked(post.id, actor.id, reason or "removed by a steward"))


async def apply_removal(tx: Transaction, post: Post, by: Member | None, reason: str) -> None:
    """Leave a tombstone: the words go everywhere, in this transaction.

    `by` is None where the forum's home says no more than that it is gone.
    """
    await held(tx.session, Forum, post.forum_id)
    post = await held(tx.session, Post, post.id)
    if post.state == PostState.DELETED:
        return
    counted = post.state != PostState.REFUSED
    # Elsewhere it may be of any length.
    reason = text.clean_line(reason, 500)
    post.state, post.deleted, post.reason = PostState.DELETED, tx.now, reason
    post.title = post.source = post.html = post.slug = ""
    # The page's address carries words of the title.
    post.url = post.uri
    post.revision, post.pinned = post.revision + 1, False
    for table in (PostRevision, PostTag, PostMention, RawObject, Endorsement):
        gone = delete(table).where(table.post_id == post.id)
        await tx.session.execute(gone, execution_options=COUNTED)
    post.endorsement_count = 0
    await tx.session.execute(delete(Draft).where(Draft.place == f"edit:{post.id}"))
    await tx.session.execute(
        update(ActivityBody)
        .where(ActivityBody.subject == post.uri, ActivityBody.id != (tx.received or 0))
        .values(body=None)
    )
    if counted:
        await _uncount(tx, post)
    tx.record(PostDeleted(post.id, by.id if by else 0, reason))


async def _uncount(tx: Transaction, post: Post) -> None:
    forum = await held(tx.session, Forum, post.forum_id)
    forum.post_count = max(0, forum.post_count - 1)
    if post.is_thread:
        forum.thread_count = max(0, forum.thread_count - 1)
        return
    opener = await held(tx.session, Post, post.thread_id)
    opener.reply_count = max(0, opener.reply_count - 1)
    parent = await held(tx.session, Post, post.parent_id or opener.id)
    if not parent.is_thread:
        parent.reply_count = max(0, parent.reply_count - 1)
