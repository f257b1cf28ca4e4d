# SPDX-License-Identifier: Apache-2.0
"""Who is shut out of a forum, and what was reported in it."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ForeignKey, Index, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, aliased, mapped_column

from storage.base import Base, Characters, Key, Url
from storage.members import Member
from storage.posts import Post


class ForumBlock(Base):
    """A person who may read a forum and do nothing in it; `uri` is the Block that says so."""

    __tablename__ = "forum_blocks"

    forum_id: Mapped[int] = mapped_column(ForeignKey("forums.id"), primary_key=True)
    member_id: Mapped[int] = mapped_column(ForeignKey("members.id"), primary_key=True)
    uri: Mapped[Url]
    reason: Mapped[str] = mapped_column(Characters(500), default="")
    until: Mapped[datetime | None] = mapped_column(index=True)
    created: Mapped[datetime]


class Report(Base):
    """What somebody (`reporter`, an id) finds wrong with a post; once for each of them."""

    __tablename__ = "reports"
    __table_args__ = (
        Index("ix_reports_forum", "forum_id", "closed", "id"),
        Index("ux_reports_post", "post_id", "reporter", unique=True),
    )

    id: Mapped[Key]
    forum_id: Mapped[int] = mapped_column(ForeignKey("forums.id"))
    post_id: Mapped[int] = mapped_column(ForeignKey("posts.id"))
    reporter: Mapped[Url]
    reason: Mapped[str] = mapped_column(Characters(1000), default="")
    at: Mapped[datetime]
    closed: Mapped[datetime | None]


async def block_of(session: AsyncSession, forum_id: int, member_id: int) -> ForumBlock | None:
    """How this person is shut out of this forum, if at all."""
    return await session.get(ForumBlock, (forum_id, member_id))


async def shut_out(session: AsyncSession, forum_id: int, most: int) -> Sequence[Member]:
    """Who is shut out of a forum, by name."""
    question = (
        select(Member)
        .join(ForumBlock, ForumBlock.member_id == Member.id)
        .where(ForumBlock.forum_id == forum_id)
        .order_by(Member.name)
        .limit(most)
    )
    return (await session.execute(question)).scalars().all()


async def open_reports(
    session: AsyncSession, forum_id: int, most: int
) -> Sequence[tuple[Report, Post, Member, Member | None]]:
    """What is reported in a forum and not yet dealt with, newest first.

    Each with who wrote it, and who reports it, where they are known.
    """
    reporter = aliased(Member)
    question = (
        select(Report, Post, Member, reporter)
        .join(Post, Post.id == Report.post_id)
        .join(Member, Member.id == Post.author_id)
        .outerjoin(reporter, reporter.uri == Report.reporter)
        .where(Report.forum_id == forum_id, Report.closed.is_(None))
        .order_by(Report.id.desc())
        .limit(most)
    )
    return [(row[0], row[1], row[2], row[3]) for row in (await session.execute(question)).all()]
