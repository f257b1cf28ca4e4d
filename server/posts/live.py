# SPDX-License-Identifier: Apache-2.0
"""What open pages of threads are told: that something changed, never what."""

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, case, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from server.errors import Gone
from server.posts.pages import locate
from server.viewers import Viewer, visible_posts
from storage.forums import Forum
from storage.posts import Post, PostState


@dataclass(frozen=True, slots=True)
class Figures:
    """How a thread stands: replies that are live, sent and not yet confirmed, and deleted."""

    live: int
    sent: int
    deleted: int
    state: str
    visibility: str

    def replies(self, *, member: bool) -> int:
        """How many replies stand on the page; only members see what waits for its home."""
        return self.live + (self.sent if member else 0)

    def name(self, *, member: bool) -> str:
        """What this state of the page is called: every reply and every deletion changes it."""
        return f"{self.replies(member=member)}-{self.deleted}"


@dataclass(frozen=True, slots=True)
class Newest:
    """The reply that came last: the one a visitor sees, and the one a member sees."""

    visitor: int | None
    member: int | None


async def watched(session: AsyncSession, viewer: Viewer, post_id: int) -> int:
    """The thread of a post that the viewer may see; Gone once it is deleted."""
    post, _ = await locate(session, viewer, post_id)
    if not post.is_thread:
        post, _ = await locate(session, viewer, post.thread_id)
    if post.state == PostState.DELETED:
        raise Gone
    return post.id


async def figures(session: AsyncSession, threads: Collection[int]) -> dict[int, Figures]:
    """How these threads stand, in one question."""

    def replies(state: PostState) -> ColumnElement[int]:
        return func.count(case((and_(Post.id != Post.thread_id, Post.state == state), 1)))

    question = (
        select(
            Post.thread_id,
            replies(PostState.LIVE),
            replies(PostState.SENT),
            replies(PostState.DELETED),
            func.max(case((Post.id == Post.thread_id, Post.state), else_="")),
            func.max(Forum.visibility),
        )
        .join(Forum, Forum.id == Post.forum_id)
        .where(Post.thread_id.in_(threads))
        .group_by(Post.thread_id)
    )
    rows = (await session.execute(question)).all()
    return {row[0]: Figures(row[1], row[2], row[3], row[4], row[5]) for row in rows}


async def newest(session: AsyncSession, threads: Collection[int]) -> dict[int, Newest]:
    """The reply of each thread that arrived last."""
    reply = aliased(Post)

    def last(*states: PostState) -> ColumnElement[int | None]:
        return (
            select(reply.id)
            .where(reply.thread_id == Post.id, reply.id != reply.thread_id, reply.state.in_(states))
            .order_by(reply.arrived.desc(), reply.id.desc())
            .limit(1)
            .scalar_subquery()
        )

    question = select(Post.id, last(PostState.LIVE), last(PostState.LIVE, PostState.SENT)).where(
        Post.id.in_(threads)
    )
    return {row[0]: Newest(row[1], row[2]) for row in (await session.execute(question)).all()}


async def readable(session: AsyncSession, viewer: Viewer, threads: Collection[int]) -> set[int]:
    """Those of these threads that the viewer may (still) see, deleted ones left out."""
    question = (
        select(Post.id)
        .join(Forum, Forum.id == Post.forum_id)
        .where(Post.id.in_(threads), Post.state != PostState.DELETED, visible_posts(viewer))
    )
    return set((await session.execute(question)).scalars())
