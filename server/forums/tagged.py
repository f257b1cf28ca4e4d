# SPDX-License-Identifier: Apache-2.0
"""The threads of all forums that carry a tag."""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from server import mutes, tag_follows
from server.forums.lists import PAGE, Place
from server.forums.pages import ThreadLine, lines_at
from server.viewers import Viewer, visible_posts
from storage.forums import Forum
from storage.posts import Post, PostState, PostTag


@dataclass(frozen=True)
class TagPage:
    """The threads with a tag that the viewer may see, the newest first."""

    tag: str
    threads: list[ThreadLine]
    next_before: int | None
    followed: bool


async def page(
    session: AsyncSession, viewer: Viewer, tag: str, *, before: int | None = None
) -> TagPage:
    """A page of them; NotFound for what can be no tag. Whether others have it is not told."""
    tidy = tag_follows.tidy(tag)
    question = (
        select(Post.pinned, Post.bumped, Post.id)
        .join(PostTag, PostTag.post_id == Post.id)
        .join(Forum, Forum.id == Post.forum_id)
        .where(PostTag.tag == tidy, Post.state != PostState.DELETED, visible_posts(viewer))
        .order_by(PostTag.post_id.desc())
        .limit(PAGE + 1)
    )
    if viewer.member is not None:
        question = question.where(~mutes.kept_away(viewer.member.id, Post.author_id))
    if before is not None:
        question = question.where(PostTag.post_id < before)
    found = [Place(*row) for row in (await session.execute(question)).all()]
    threads, more = await lines_at(session, viewer, found)
    followed = await tag_follows.does_follow(session, viewer, tidy)
    return TagPage(tidy, threads, more.id if more is not None else None, followed)
