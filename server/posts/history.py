# SPDX-License-Identifier: Apache-2.0
"""What a post said before each edit."""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from server.errors import NotFound
from server.posts.pages import locate
from server.viewers import Viewer
from storage.forums import Forum
from storage.members import Member
from storage.posts import Post, PostRevision, PostState


@dataclass(frozen=True)
class HistoryPage:
    """A post and what it said before, the latest first."""

    entry_post: Post
    author: Member
    forum: Forum
    opener: Post
    revisions: list[PostRevision]


async def history(session: AsyncSession, viewer: Viewer, post_id: int) -> HistoryPage:
    """Every earlier version of a post the viewer may see."""
    post, forum = await locate(session, viewer, post_id)
    if post.state == PostState.DELETED:
        raise NotFound
    rows = await session.execute(
        select(PostRevision)
        .where(PostRevision.post_id == post.id)
        .order_by(PostRevision.revision.desc())
        .limit(100)
    )
    author = await session.get_one(Member, post.author_id)
    opener = await session.get_one(Post, post.thread_id)
    return HistoryPage(post, author, forum, opener, list(rows.scalars()))
