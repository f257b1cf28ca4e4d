# SPDX-License-Identifier: Apache-2.0
"""Notices as apps page through them."""

from collections.abc import Collection

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from server.notifications import Notice, NoticeLine, heard
from server.timelines.spans import Span
from server.timelines.statuses import SHOWN
from server.transaction import Transaction
from server.viewers import Viewer, visible_posts
from storage.forums import Forum
from storage.members import Member
from storage.notifications import Notification
from storage.posts import Post

# Mastodon's word for each kind of notice; whatever comes later is news of a post.
TYPES: dict[str, str] = {
    Notice.REPLY: "mention",
    Notice.THREAD_REPLY: "mention",
    Notice.MENTION: "mention",
    Notice.ENDORSEMENT: "favourite",
    Notice.POLL: "poll",
}
OTHERWISE = "status"
_SAID = {
    "mention": "{} wrote to you",
    "favourite": "{} endorsed your post",
    "poll": "A poll by {} has ended",
}


def type_of(kind: str) -> str:
    """Mastodon's word for a kind of notice."""
    return TYPES.get(kind, OTHERWISE)


def in_words(line: NoticeLine) -> str:
    """A notice in one line, for a phone that is asleep."""
    if line.notice.kind == Notice.POLL and line.notice.member_id == line.actor.id:
        return "Your poll has ended"
    return _SAID.get(type_of(line.notice.kind), "News from {}").format(line.actor.name)


async def page(
    session: AsyncSession,
    viewer: Viewer,
    span: Span,
    *,
    kinds: Collection[str] | None = None,
    only: int | None = None,
) -> list[NoticeLine]:
    """A page of notices of posts that the member may still see; `kinds` None for all."""
    me = viewer.member.id if viewer.member is not None else 0
    opener = aliased(Post)
    question = (
        select(Notification, Post, opener, Member, Forum)
        .join(Post, Post.id == Notification.post_id)
        .join(Forum, Forum.id == Post.forum_id)
        .join(Member, Member.id == Notification.actor_id)
        .join(opener, opener.id == Post.thread_id)
        .where(
            Notification.member_id == me,
            Post.state.in_(SHOWN),
            visible_posts(viewer),
            heard(me),
            *span.exactly(Notification.id),
        )
    )
    if kinds is not None:
        question = question.where(Notification.kind.in_(kinds))
    if only is not None:
        question = question.where(Notification.id == only)
    rows = (await session.execute(span.ordered(question, Notification.id))).all()
    return [NoticeLine(row[0], row[1], row[2], row[3], row[4]) for row in span.newest_first(rows)]


async def read_upto(tx: Transaction, member: Member, notice: int) -> None:
    """Everything up to this notice has been seen."""
    await tx.session.execute(
        update(Notification)
        .where(
            Notification.member_id == member.id,
            Notification.read.is_(None),
            Notification.id <= notice,
        )
        .values(read=tx.now)
    )


async def forget(tx: Transaction, member: Member, notice: int | None = None) -> None:
    """Drop one notice of the member's, or all of them."""
    question = delete(Notification).where(Notification.member_id == member.id)
    if notice is not None:
        question = question.where(Notification.id == notice)
    await tx.session.execute(question)
