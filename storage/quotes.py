# SPDX-License-Identifier: Apache-2.0
"""Posts elsewhere that quote posts of ours, with our leave."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ForeignKey, Index, false, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from storage.base import Base, Key, Url


class Quote(Base):
    """One post elsewhere that may quote a post of ours; its id names the stamp.

    `uri` is the quoting post, `request` the activity that last asked. One that was withdrawn
    stays as a row (`active` False), and is given again under the same stamp, unless it was the
    author of the quoted post who withdrew it (`revoked`).
    """

    __tablename__ = "quotes"
    __table_args__ = (
        Index("ux_quotes_post_uri", "post_id", "uri", unique=True),
        Index("ix_quotes_member", "member_id", "post_id"),
        Index("ix_quotes_uri", "uri"),
    )

    id: Mapped[Key]
    post_id: Mapped[int] = mapped_column(ForeignKey("posts.id"))
    member_id: Mapped[int] = mapped_column(ForeignKey("members.id"))
    uri: Mapped[Url]
    request: Mapped[Url]
    active: Mapped[bool] = mapped_column(default=True)
    revoked: Mapped[bool] = mapped_column(default=False, server_default=false())
    at: Mapped[datetime]


async def of_post(session: AsyncSession, post_id: int, uri: str) -> Quote | None:
    """The quote of a post by the post whose id is `uri`."""
    question = select(Quote).where(Quote.post_id == post_id, Quote.uri == uri)
    return (await session.execute(question)).scalar_one_or_none()


async def count_of(session: AsyncSession, post_id: int, member_id: int) -> int:
    """How often somebody quotes one post, or did."""
    question = (
        select(func.count())
        .select_from(Quote)
        .where(Quote.post_id == post_id, Quote.member_id == member_id)
    )
    return (await session.execute(question)).scalar_one()


async def active_of_post(session: AsyncSession, post_id: int, most: int) -> Sequence[Quote]:
    """The quotes of a post that stand, oldest first."""
    question = (
        select(Quote).where(Quote.post_id == post_id, Quote.active).order_by(Quote.id).limit(most)
    )
    return (await session.execute(question)).scalars().all()


async def by_quoting(session: AsyncSession, uri: str, member_id: int) -> Sequence[Quote]:
    """What a post by this person quotes."""
    question = select(Quote).where(Quote.uri == uri, Quote.member_id == member_id)
    return (await session.execute(question)).scalars().all()
