# SPDX-License-Identifier: Apache-2.0
"""Timelines: which posts stand in each, found without reading the others."""

from typing import Any

from sqlalchemy import ColumnElement, Select, select, union
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from server import mutes
from server.timelines.spans import Span
from server.timelines.statuses import SHOWN, Line
from server.viewers import Viewer, visible_posts
from storage.bookmarks import Bookmark
from storage.endorsements import Endorsement
from storage.forums import FollowState, Forum, ForumFollow
from storage.members import Member
from storage.posts import Post, PostMention, PostTag
from storage.tag_follows import TagFollow

# Threads whose new replies come into the home timeline: those one wrote in last.
OWN_THREADS = 100


async def home(session: AsyncSession, viewer: Viewer, span: Span) -> list[Line]:
    """Threads of followed forums and tags, what names the member, replies where they took part.

    Nothing by whom they keep away, or in what they muted. Each is looked for by itself and no
    further than a page, from an index.
    """
    me = viewer.member.id if viewer.member is not None else 0
    each = union(
        *(
            select(part.subquery())
            for part in (
                _of_forums(me, span),
                _of_tags(me, span),
                _naming(me, span),
                _around(me, span),
            )
        )
    ).subquery()
    question = (
        select(Post.id, Post.thread_id)
        .join(each, each.c[0] == Post.id)
        .join(Forum, Forum.id == Post.forum_id)
        .where(Post.state.in_(SHOWN), visible_posts(viewer))
    )
    rows = (await session.execute(span.ordered(question, Post.id))).all()
    return [Line(row[0], boosted=row[0] == row[1]) for row in span.newest_first(rows)]


def _of_forums(me: int, span: Span) -> Select[*tuple[Any, ...]]:
    """The threads of each forum followed, a page of each."""
    inner = aliased(Post)
    of_one = select(inner.id).where(
        inner.forum_id == ForumFollow.forum_id,
        inner.thread_id == inner.id,
        inner.state.in_(SHOWN),
        mutes.heard(me, inner),
        *span.conditions(inner.id),
    )
    page = span.ordered(of_one, inner.id).correlate(ForumFollow)
    return (
        select(Post.id)
        .select_from(ForumFollow)
        .join(Post, Post.id.in_(page))
        .where(ForumFollow.member_id == me, ForumFollow.state == FollowState.ACCEPTED)
    )


def _of_tags(me: int, span: Span) -> Select[*tuple[Any, ...]]:
    """The threads with each tag followed, a page of each."""
    inner = aliased(PostTag)
    post = aliased(Post)
    of_one = (
        select(inner.post_id)
        .join(post, post.id == inner.post_id)
        .where(inner.tag == TagFollow.tag, mutes.heard(me, post), *span.conditions(inner.post_id))
    )
    page = span.ordered(of_one, inner.post_id).correlate(TagFollow)
    return (
        select(Post.id)
        .select_from(TagFollow)
        .join(Post, Post.id.in_(page))
        .where(TagFollow.member_id == me)
    )


def _naming(me: int, span: Span) -> Select[*tuple[Any, ...]]:
    """What names the member."""
    named = (
        select(PostMention.post_id)
        .join(Post, Post.id == PostMention.post_id)
        .where(PostMention.member_id == me, mutes.heard(me), *span.conditions(PostMention.post_id))
    )
    return span.ordered(named, PostMention.post_id)


def _around(me: int, span: Span) -> Select[*tuple[Any, ...]]:
    """Replies in the threads where the member wrote last."""
    own = aliased(Post)
    lately = (
        select(own.thread_id.label("thread"))
        .where(own.author_id == me)
        .order_by(own.id.desc())
        .limit(OWN_THREADS)
        .subquery()
    )
    threads = select(lately.c.thread).distinct().subquery()
    inner = aliased(Post)
    of_one = select(inner.id).where(
        inner.thread_id == threads.c.thread,
        inner.state.in_(SHOWN),
        mutes.heard(me, inner),
        *span.conditions(inner.id),
    )
    page = span.ordered(of_one, inner.id).correlate(threads)
    return select(Post.id).select_from(threads).join(Post, Post.id.in_(page))


async def public(
    session: AsyncSession, viewer: Viewer, span: Span, *, local: bool | None = None
) -> list[Line]:
    """The newest threads of the public forums: those that live here, elsewhere, or both."""
    conditions: list[ColumnElement[bool]] = [Forum.visibility == "public"]
    if local is not None:
        conditions.append(Forum.peer.is_(None) if local else Forum.peer.is_not(None))
    return await _openers(session, viewer, span, *conditions)


async def tagged(session: AsyncSession, viewer: Viewer, span: Span, tag: str) -> list[Line]:
    """Threads that carry a tag."""
    of_tag = select(PostTag.post_id).where(PostTag.tag == tag)
    return await _openers(session, viewer, span, Post.id.in_(of_tag))


async def of_forum(session: AsyncSession, viewer: Viewer, span: Span, forum: int) -> list[Line]:
    """The threads of a forum, as it passes them on."""
    found = await _openers(session, viewer, span, Post.forum_id == forum)
    return [Line(line.post, boosted=True) for line in found]


async def _openers(
    session: AsyncSession, viewer: Viewer, span: Span, *conditions: ColumnElement[bool]
) -> list[Line]:
    if viewer.member is not None:
        conditions = (*conditions, ~mutes.kept_away(viewer.member.id, Post.author_id))
    question = (
        select(Post.id)
        .join(Forum, Forum.id == Post.forum_id)
        .where(
            Post.thread_id == Post.id,
            Post.state.in_(SHOWN),
            visible_posts(viewer),
            *conditions,
            *span.conditions(Post.id),
        )
    )
    rows = (await session.execute(span.ordered(question, Post.id))).scalars().all()
    return [Line(number) for number in span.newest_first(rows)]


async def of_member(
    session: AsyncSession, viewer: Viewer, span: Span, member: Member, *, replies: bool = True
) -> list[Line]:
    """What a person wrote, as far as the viewer may see it."""
    question = (
        select(Post.id)
        .join(Forum, Forum.id == Post.forum_id)
        .where(
            Post.author_id == member.id,
            Post.state.in_(SHOWN),
            visible_posts(viewer),
            *span.conditions(Post.id),
        )
    )
    if not replies:
        question = question.where(Post.thread_id == Post.id)
    rows = (await session.execute(span.ordered(question, Post.id))).scalars().all()
    return [Line(number) for number in span.newest_first(rows)]


async def endorsed(session: AsyncSession, viewer: Viewer, span: Span) -> list[Line]:
    """What the member endorses, by the posts' own order."""
    me = viewer.member.id if viewer.member is not None else 0
    question = (
        select(Post.id)
        .join(Endorsement, Endorsement.post_id == Post.id)
        .join(Forum, Forum.id == Post.forum_id)
        .where(
            Endorsement.member_id == me,
            Endorsement.active,
            Post.state.in_(SHOWN),
            visible_posts(viewer),
            *span.conditions(Post.id),
        )
    )
    rows = (await session.execute(span.ordered(question, Post.id))).scalars().all()
    return [Line(number) for number in span.newest_first(rows)]


async def bookmarked(session: AsyncSession, viewer: Viewer, span: Span) -> list[tuple[int, Line]]:
    """What the member keeps, the latest first, each with the id that pages go by."""
    me = viewer.member.id if viewer.member is not None else 0
    question = (
        select(Bookmark.id, Post.id)
        .join(Post, Post.id == Bookmark.post_id)
        .join(Forum, Forum.id == Post.forum_id)
        .where(
            Bookmark.member_id == me,
            Post.state.in_(SHOWN),
            visible_posts(viewer),
            *span.exactly(Bookmark.id),
        )
    )
    rows = (await session.execute(span.ordered(question, Bookmark.id))).all()
    return [(row[0], Line(row[1])) for row in span.newest_first(rows)]
