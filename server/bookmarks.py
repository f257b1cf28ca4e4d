# SPDX-License-Identifier: Apache-2.0
"""Keeping a post for oneself, which nobody else learns of."""

from sqlalchemy import delete

from server.errors import Gone, SignInNeeded
from server.facts import PostDeleted
from server.transaction import Transaction
from storage.base import insert
from storage.bookmarks import Bookmark
from storage.members import Member
from storage.posts import Post, PostState


async def keep(tx: Transaction, member: Member, post: Post) -> None:
    """Keep a post that the member was found to see; once, however often it is asked."""
    if not member.is_local:
        raise SignInNeeded
    if post.state == PostState.DELETED:
        raise Gone
    await tx.session.execute(
        insert(tx.session, Bookmark)
        .values(id=tx.ids.next(), member_id=member.id, post_id=post.id, created=tx.now)
        .on_conflict_do_nothing(index_elements=["member_id", "post_id"])
    )


async def drop(tx: Transaction, member: Member, post: Post) -> None:
    """Keep it no longer."""
    await tx.session.execute(
        delete(Bookmark).where(Bookmark.member_id == member.id, Bookmark.post_id == post.id)
    )


async def forget_post(tx: Transaction, fact: PostDeleted) -> None:
    await tx.session.execute(delete(Bookmark).where(Bookmark.post_id == fact.post))
