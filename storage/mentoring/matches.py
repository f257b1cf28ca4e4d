# SPDX-License-Identifier: Apache-2.0
"""What mentees look for, and whom they asked."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from storage.base import Base, Characters, Key, Url, Word
from storage.members import Member, MemberState


class NeedState(StrEnum):
    """How far a need has come."""

    OPEN = "open"
    MATCHED = "matched"
    WITHDRAWN = "withdrawn"


class MatchState(StrEnum):
    """How far a match has come; a steward proposes, a mentee asks, a mentor answers."""

    PROPOSED = "proposed"
    ASKED = "asked"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"


class Need(Base):
    """What somebody wants to learn within a programme; it never leaves this instance.

    `record` is its JSON document, `not_with` a JSON list of names, `seed` decides ties.
    """

    __tablename__ = "mentoring_needs"
    __table_args__ = (
        Index("ix_mentoring_needs_member", "member_id", "id"),
        Index("ix_mentoring_needs_programme", "programme_id", "state", "id"),
    )

    id: Mapped[Key]
    member_id: Mapped[int] = mapped_column(ForeignKey("members.id"))
    programme_id: Mapped[int] = mapped_column(ForeignKey("mentoring_programmes.id"))
    record: Mapped[str]
    not_with: Mapped[str]
    is_anonymous: Mapped[bool]
    state: Mapped[Word]
    seed: Mapped[int]
    created: Mapped[datetime]
    updated: Mapped[datetime]


class Match(Base):
    """One mentee and one mentor who may come together; `uri` is the id of their agreement.

    `offer` is the id of the activity that asks; its signer, before the `#`, is the mentee or,
    while they are anonymous, their instance.

    `need_id` is None where the mentee is elsewhere: then `told` (JSON) is all that is known of
    what they look for, and `mentee_id` is None until they say who they are. `mentor_id` is None
    until a mentor elsewhere has accepted. `peer` is the other one's host, None where both are
    members here.
    """

    __tablename__ = "mentoring_matches"
    __table_args__ = (
        Index("ix_mentoring_matches_need", "need_id", "id"),
        Index("ix_mentoring_matches_card", "card_id", "state", "id"),
        Index("ix_mentoring_matches_programme", "programme_id"),
        Index("ix_mentoring_matches_expires", "state", "expires"),
    )

    id: Mapped[Key]
    uri: Mapped[Url] = mapped_column(unique=True)
    offer: Mapped[Url] = mapped_column(unique=True)
    need_id: Mapped[int | None] = mapped_column(ForeignKey("mentoring_needs.id"))
    programme_id: Mapped[int | None] = mapped_column(ForeignKey("mentoring_programmes.id"))
    card_id: Mapped[int] = mapped_column(ForeignKey("mentor_cards.id"))
    mentor_id: Mapped[int | None] = mapped_column(ForeignKey("members.id"))
    mentee_id: Mapped[int | None] = mapped_column(ForeignKey("members.id"))
    peer: Mapped[str | None] = mapped_column(Characters(255))
    format: Mapped[Word]
    is_anonymous: Mapped[bool]
    told: Mapped[str]
    state: Mapped[Word]
    reason: Mapped[str] = mapped_column(Characters(500))
    proposed_by: Mapped[int | None] = mapped_column(ForeignKey("members.id"))
    created: Mapped[datetime]
    expires: Mapped[datetime]
    answered: Mapped[datetime | None]


async def match_by_uri(session: AsyncSession, uri: str) -> Match | None:
    """The match with this wire id."""
    return (await session.execute(select(Match).where(Match.uri == uri))).scalar_one_or_none()


async def match_by_offer(session: AsyncSession, offer: str) -> Match | None:
    """The match that the activity of this id asks for."""
    return (await session.execute(select(Match).where(Match.offer == offer))).scalar_one_or_none()


async def of_need(session: AsyncSession, need_id: int) -> Sequence[Match]:
    """Whom somebody was proposed or asked, the newest first."""
    question = select(Match).where(Match.need_id == need_id).order_by(Match.id.desc()).limit(100)
    return (await session.execute(question)).scalars().all()


async def asked_of(session: AsyncSession, card_id: int) -> Sequence[Match]:
    """What waits for a mentor's answer, the oldest first."""
    question = (
        select(Match)
        .where(Match.card_id == card_id, Match.state == MatchState.ASKED)
        .order_by(Match.id)
        .limit(100)
    )
    return (await session.execute(question)).scalars().all()


async def needs_of(session: AsyncSession, member_id: int) -> Sequence[Need]:
    """What a member looked for, the newest first."""
    question = select(Need).where(Need.member_id == member_id).order_by(Need.id.desc()).limit(20)
    return (await session.execute(question)).scalars().all()


async def open_need(session: AsyncSession, member_id: int, programme_id: int) -> Need | None:
    """What a member looks for within a programme now."""
    question = select(Need).where(
        Need.member_id == member_id,
        Need.programme_id == programme_id,
        Need.state == NeedState.OPEN,
    )
    return (await session.execute(question)).scalars().first()


async def open_needs(session: AsyncSession, programme_id: int, most: int) -> Sequence[Need]:
    """What people who may use their accounts look for within a programme, the oldest first."""
    question = (
        select(Need)
        .join(Member, Member.id == Need.member_id)
        .where(
            Need.programme_id == programme_id,
            Need.state == NeedState.OPEN,
            Member.state == MemberState.ACTIVE,
        )
        .order_by(Need.id)
        .limit(most)
    )
    return (await session.execute(question)).scalars().all()


async def run_out(session: AsyncSession, now: datetime, most: int) -> Sequence[Match]:
    """Matches that nobody answered in time."""
    question = (
        select(Match)
        .where(
            or_(Match.state == MatchState.ASKED, Match.state == MatchState.PROPOSED),
            Match.expires <= now,
        )
        .order_by(Match.expires)
        .limit(most)
    )
    return (await session.execute(question)).scalars().all()
