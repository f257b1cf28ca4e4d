# SPDX-License-Identifier: Apache-2.0
"""What the home said of a post of ours: taken, or refused."""

from sqlalchemy import delete

from server.transaction import Transaction
from storage import search
from storage.endorsements import Endorsement
from storage.forums import Forum
from storage.posts import Post, PostState


async def confirm(tx: Transaction, post: Post) -> None:
    """The home announced it: it stands."""
    if post.state in {PostState.SENT, PostState.REFUSED}:
        if post.state == PostState.REFUSED:
            await _count(tx, post, 1)
        post.state, post.reason = PostState.LIVE, ""


async def refuse(tx: Transaction, post: Post, reason: str) -> None:
    """The home said no: only its author sees it now, with the reason."""
    if post.state != PostState.SENT:
        return
    post.state = PostState.REFUSED
    post.reason = (reason or "The forum's agency gave no reason.")[:500]
    await search.remove(tx.session, post.id)
    await _count(tx, post, -1)


async def refuse_endorsement(tx: Transaction, post: Post, member_id: int) -> None:
    """The home did not take an endorsement: it no longer counts here."""
    held = await tx.session.get(Endorsement, (post.id, member_id))
    if held is not None and held.active and held.state == PostState.SENT:
        post.endorsement_count = max(0, post.endorsement_count - 1)
        await tx.session.execute(
            delete(Endorsement).where(
                Endorsement.post_id == post.id, Endorsement.member_id == member_id
            )
        )


async def _count(tx: Transaction, post: Post, by: int) -> None:
    forum = await tx.session.get_one(Forum, post.forum_id)
    forum.post_count = max(0, forum.post_count + by)
    if post.is_thread:
        forum.thread_count = max(0, forum.thread_count + by)
        return
    opener = await tx.session.get_one(Post, post.thread_id)
    opener.reply_count = max(0, opener.reply_count + by)
    parent = await tx.session.get(Post, post.parent_id or 0)
    if parent is not None and not parent.is_thread:
        parent.reply_count = max(0, parent.reply_count + by)
