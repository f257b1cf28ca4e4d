# SPDX-License-Identifier: Apache-2.0
"""Who endorses which post."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import ForeignKey, Index, Integer, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from storage.base import Base, Url, Word
from storage.posts import Post


class Endorsement(Base):
    """One person's endorsement of one post; `n` counts how often it was given.

    A withdrawn one stays as a row (`active` False): the next gets a new wire id,
    and an Undo that overtook its Like still wins. `received` is the stored activity.
    """

    __tablename__ = "endorsements"
    __table_args__ = (Index("ix_endorsements_member", "member_id", "post_id"),)

    post_id: Mapped[int] = mapped_column(ForeignKey("posts.id"), primary_key=True)
    member_id: Mapped[int] = mapped_column(ForeignKey("members.id"), primary_key=True)
    uri: Mapped[Url]
    active: Mapped[bool] = mapped_column(default=True)
    state: Mapped[Word] = mapped_column(default="live")
    n: Mapped[int] = mapped_column(Integer, default=1)
    received: Mapped[int | None]
    at: Mapped[datetime]


async def by_member(session: AsyncSession, member_id: int, posts: Collection[int]) -> set[int]:
    """Which of these posts the member endorses."""
    rows = await session.execute(
        select(Endorsement.post_id).where(
            Endorsement.member_id == member_id,
            Endorsement.post_id.in_(posts),
            Endorsement.active,
        )
    )
    return set(rows.scalars())


async def endorsed_by(session: AsyncSession, member_id: int, uri: str) -> str | None:
    """The id of the post that the member endorses by the Like with the id `uri`."""
    question = (
        select(Post.uri)
        .join(Endorsement, Endorsement.post_id == Post.id)
        .where(Endorsement.member_id == member_id, Endorsement.uri == uri)
        .limit(1)
    )
    return (await session.execute(question)).scalar_one_or_none()
