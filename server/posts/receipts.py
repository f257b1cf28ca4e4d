# SPDX-License-Identifier: Apache-2.0
"""What the home said of a post of ours: taken, or refused."""

from server.digests import post_changed
from server.transaction import Transaction
from storage import search
from storage.base import held
from storage.endorsements import Endorsement
from storage.forums import Forum
from storage.posts import Post, PostState

NO_REASON = "The forum's agency gave no reason."


async def confirm(tx: Transaction, post: Post) -> None:
    """The home announced it: it stands."""
    await held(tx.session, Forum, post.forum_id)
    post = await held(tx.session, Post, post.id)
    if post.state in {PostState.SENT, PostState.REFUSED}:
        if post.state == PostState.REFUSED:
            await _count(tx, post, 1)
            post.reason = ""
        post.state = PostState.LIVE
        await post_changed(tx, post)


async def confirm_endorsement(tx: Transaction, post: Post, member_id: int) -> None:
    """The home announced an endorsement of ours: it counts there as well."""
    given = await tx.session.get(Endorsement, (post.id, member_id))
    if given is not None and given.state != PostState.LIVE:
        given.state = PostState.LIVE
        await post_changed(tx, post)


async def refuse(tx: Transaction, post: Post, reason: str) -> None:
    """The home said no: only its author sees it now, with the reason."""
    await held(tx.session, Forum, post.forum_id)
    post = await held(tx.session, Post, post.id)
    if post.state != PostState.SENT:
        return
    post.state = PostState.REFUSED
    post.reason = (reason or NO_REASON)[:500]
    await search.remove(tx.session, post.id)
    await _count(tx, post, -1)


async def refuse_edit(tx: Transaction, post: Post, revision: int, reason: str) -> bool:
    """The home did not take the edit that made a post this revision; False for an earlier one.

    A later edit is answered by itself. Until the words that the home keeps are back here, the
    reason alone says so, to its author.
    """
    post = await held(tx.session, Post, post.id)
    if post.state not in {PostState.LIVE, PostState.SENT} or post.revision != revision:
        return False
    post.reason = (reason or NO_REASON)[:500]
    return True


async def refuse_endorsement(tx: Transaction, post: Post, member_id: int) -> None:
    """The home did not take an endorsement: it no longer counts here."""
    post = await held(tx.session, Post, post.id)
    given = await tx.session.get(Endorsement, (post.id, member_id))
    if given is not None and given.active and given.state == PostState.SENT:
        post.endorsement_count = max(0, post.endorsement_count - 1)
        # The row stays, so that the next one travels under a name of its own.
        given.active, given.state = False, PostState.LIVE
        await post_changed(tx, post)


async def _count(tx: Transaction, post: Post, by: int) -> None:
    forum = await held(tx.session, Forum, post.forum_id)
    forum.post_count = max(0, forum.post_count + by)
    if post.is_thread:
        forum.thread_count = max(0, forum.thread_count + by)
        return
    opener = await held(tx.session, Post, post.thread_id)
    opener.reply_count = max(0, opener.reply_count + by)
    parent = await held(tx.session, Post, post.parent_id or opener.id)
    if not parent.is_thread:
        parent.reply_count = max(0, parent.reply_count + by)
