# SPDX-License-Identifier: Apache-2.0
"""Programmes, and the cards of those who would mentor."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum

from sqlalchemy import Boolean, ForeignKey, Index, Integer, delete, not_, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from storage.base import Base, Characters, Key, Url, Word
from storage.mentoring.matches import Match
from storage.plain import Question, ask, given, whole

AT_ONCE = 500


class Reach(StrEnum):
    """Who may find a mentor card."""

    INSTANCE = "instance"
    AGENCIES = "agencies"


class Programme(Base):
    """What mentoring happens within: its format, its length, what is expected of people.

    `months` is how long a pair meets, `meetings` how often in a month. With `with_agencies` its
    members may be matched with those of listed agencies, whose cards are fetched while it is open.
    """

    __tablename__ = "mentoring_programmes"
    __table_args__ = (Index("ix_mentoring_programmes_open", "is_open", "id"),)

    id: Mapped[Key]
    title: Mapped[str] = mapped_column(Characters(200))
    source: Mapped[str]
    html: Mapped[str]
    format: Mapped[Word]
    is_open: Mapped[bool]
    with_agencies: Mapped[bool]
    months: Mapped[int] = mapped_column(Integer)
    meetings: Mapped[int] = mapped_column(Integer)
    created: Mapped[datetime]
    updated: Mapped[datetime]


class ProgrammeSteward(Base):
    """Somebody who looks after a programme, and may propose matches in it."""

    __tablename__ = "mentoring_stewards"

    programme_id: Mapped[int] = mapped_column(
        ForeignKey("mentoring_programmes.id"), primary_key=True
    )
    member_id: Mapped[int] = mapped_column(ForeignKey("members.id"), primary_key=True)


class MentorCard(Base):
    """What somebody offers as a mentor; `peer` is None for members here.

    `person` is their actor id. `record` is the JSON document, the same that travels as
    `gh:mentorCard`. `is_open` says that there is a place; how many are `taken` stays here, as
    does `not_with`, a JSON list of names. `pulled` is when a card from elsewhere was last seen.
    """

    __tablename__ = "mentor_cards"
    __table_args__ = (
        Index("ux_mentor_cards_member", "member_id", unique=True),
        Index("ix_mentor_cards_open", "is_open", "peer", "id"),
        Index("ix_mentor_cards_peer", "peer", "id"),
    )

    id: Mapped[Key]
    uri: Mapped[Url] = mapped_column(unique=True)
    person: Mapped[Url]
    member_id: Mapped[int | None] = mapped_column(ForeignKey("members.id"))
    peer: Mapped[str | None] = mapped_column(Characters(255))
    handle: Mapped[Word]
    name: Mapped[str] = mapped_column(Characters(500))
    role_title: Mapped[str] = mapped_column(Characters(500))
    agency: Mapped[str] = mapped_column(Characters(500))
    record: Mapped[str]
    reach: Mapped[Word]
    capacity: Mapped[int] = mapped_column(Integer)
    taken: Mapped[int] = mapped_column(Integer)
    is_paused: Mapped[bool]
    is_open: Mapped[bool]
    not_with: Mapped[str]
    updated: Mapped[datetime]
    pulled: Mapped[datetime | None]


class OfferPost(Base):
    """A post in a forum that says what a mentor offers; it says so on the wire as well."""

    __tablename__ = "mentor_offers"

    post_id: Mapped[int] = mapped_column(
        ForeignKey("posts.id"), primary_key=True, autoincrement=False
    )


class Pull(Base):
    """When an agency was last asked for its cards, and how that went."""

    __tablename__ = "mentor_pulls"

    host: Mapped[str] = mapped_column(Characters(255), primary_key=True)
    asked: Mapped[datetime]
    held: Mapped[int] = mapped_column(Integer)
    error: Mapped[str] = mapped_column(Characters(500))


async def card_of(session: AsyncSession, member_id: int) -> MentorCard | None:
    """The card of a member, of this agency or of another."""
    question = select(MentorCard).where(MentorCard.member_id == member_id)
    return (await session.execute(question)).scalar_one_or_none()


async def card_by_uri(session: AsyncSession, uri: str) -> MentorCard | None:
    """The card with this wire id."""
    question = select(MentorCard).where(MentorCard.uri == uri)
    return (await session.execute(question)).scalar_one_or_none()


async def open_cards(
    session: AsyncSession, most: int, *, elsewhere: bool = True
) -> Sequence[MentorCard]:
    """Cards with a place free, the newest first; those of other agencies where wanted."""
    question = select(MentorCard).where(MentorCard.is_open)
    if not elsewhere:
        question = question.where(MentorCard.peer.is_(None))
    question = question.order_by(MentorCard.id.desc()).limit(most)
    return (await session.execute(question)).scalars().all()


async def shared_cards(session: AsyncSession, most: int) -> Sequence[MentorCard]:
    """The cards of members here that listed agencies may find, oldest first."""
    question = (
        select(MentorCard)
        .where(
            MentorCard.peer.is_(None),
            MentorCard.reach == Reach.AGENCIES,
            MentorCard.is_paused.is_(False),
        )
        .order_by(MentorCard.id)
        .limit(most)
    )
    return (await session.execute(question)).scalars().all()


async def cards_of_peer(session: AsyncSession, peer: str) -> Sequence[MentorCard]:
    """Every card held of an agency."""
    question = select(MentorCard).where(MentorCard.peer == peer)
    return (await session.execute(question)).scalars().all()


async def drop_unmatched(session: AsyncSession, cards: Sequence[int]) -> None:
    """Hold no longer those of these cards that no match names."""
    for start in range(0, len(cards), AT_ONCE):
        some = cards[start : start + AT_ONCE]
        named = select(Match.card_id).where(Match.card_id.in_(some))
        await session.execute(
            delete(MentorCard).where(MentorCard.id.in_(some), MentorCard.id.not_in(named))
        )


_OPEN: Question[Programme] = Question(
    select(Programme)
    .where(
        Programme.is_open,
        or_(Programme.with_agencies, not_(given("with_agencies", Boolean()))),
    )
    .order_by(Programme.id),
    whole,
)


async def open_programmes(
    session: AsyncSession, *, with_agencies: bool = False
) -> Sequence[Programme]:
    """The programmes that take people now, the oldest first."""
    return await ask(session, _OPEN, with_agencies=with_agencies)


async def is_steward(session: AsyncSession, programme_id: int, member_id: int) -> bool:
    """Whether somebody looks after a programme."""
    return await session.get(ProgrammeSteward, (programme_id, member_id)) is not None
