# SPDX-License-Identifier: Apache-2.0
"""Posts that members keep for themselves."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import ForeignKey, Index, UniqueConstraint, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from storage.base import Base, Key


class Bookmark(Base):
    """One member keeps one post; the id says when, and pages go by it."""

    __tablename__ = "bookmarks"
    __table_args__ = (
        UniqueConstraint("member_id", "post_id"),
        Index("ix_bookmarks_member", "member_id", "id"),
        Index("ix_bookmarks_post", "post_id"),
    )

    id: Mapped[Key]
    member_id: Mapped[int] = mapped_column(ForeignKey("members.id"))
    post_id: Mapped[int] = mapped_column(ForeignKey("posts.id"))
    created: Mapped[datetime]


async def by_member(session: AsyncSession, member_id: int, posts: Collection[int]) -> set[int]:
    """Which of these posts the member keeps."""
    rows = await session.execute(
        select(Bookmark.post_id).where(Bookmark.member_id == member_id, Bookmark.post_id.in_(posts))
    )
    return set(rows.scalars())
