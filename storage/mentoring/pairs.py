# SPDX-License-Identifier: Apache-2.0
"""Pairs of mentor and mentee, and what they write down together."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, Integer, false, func, or_, select, true
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from storage.base import Base, Characters, Key, Url, Word


class PairState(StrEnum):
    """How a pair stands; an end gives no reason."""

    ACTIVE = "active"
    PAUSED = "paused"
    ENDED = "ended"
    COMPLETED = "completed"


class EntryKind(StrEnum):
    """What a pair writes down."""

    MESSAGE = "message"
    NOTE = "note"
    SESSION = "session"
    ACTION = "action"
    GOAL = "goal"
    CHECK_IN = "check-in"
    FEEDBACK = "feedback"
    REPORT = "report"


class Pairing(Base):
    """A mentor and a mentee who were matched; `uri` is the id of their agreement.

    `terms` is the JSON document of what they agreed, its edition `terms_number` (0 before there
    is any); `mentor_agreed` and `mentee_agreed` are the editions that each has accepted. `peer`
    is the other one's host, None where both are members here. `mentor_seen` and `mentee_seen`
    are the last entries that each has read.
    """

    __tablename__ = "mentoring_pairings"
    __table_args__ = (
        Index("ix_mentoring_pairings_mentor", "mentor_id", "state", "id"),
        Index("ix_mentoring_pairings_mentee", "mentee_id", "state", "id"),
        Index("ix_mentoring_pairings_programme", "programme_id", "state"),
    )

    id: Mapped[Key]
    uri: Mapped[Url] = mapped_column(unique=True)
    match_id: Mapped[int] = mapped_column(ForeignKey("mentoring_matches.id"))
    programme_id: Mapped[int | None] = mapped_column(ForeignKey("mentoring_programmes.id"))
    card_id: Mapped[int] = mapped_column(ForeignKey("mentor_cards.id"))
    mentor_id: Mapped[int] = mapped_column(ForeignKey("members.id"))
    mentee_id: Mapped[int] = mapped_column(ForeignKey("members.id"))
    peer: Mapped[str | None] = mapped_column(Characters(255))
    format: Mapped[Word]
    state: Mapped[Word]
    terms: Mapped[str]
    terms_number: Mapped[int] = mapped_column(Integer)
    mentor_agreed: Mapped[int] = mapped_column(Integer)
    mentee_agreed: Mapped[int] = mapped_column(Integer)
    mentor_seen: Mapped[int]
    mentee_seen: Mapped[int]
    began: Mapped[datetime]
    ended: Mapped[datetime | None]
    bumped: Mapped[datetime]


class Entry(Base):
    """One thing that a pair wrote down; one that is not shared is its author's alone.

    A report is never shared: it is for the stewards of the programme.

    `starts`, `minutes` and `state` are a session's (planned, held, missed, cancelled); `due` (a
    day) and `state` (open, done) an action's or a goal's; `rating` (1 to 5) a feedback's.
    `parent_id` is the goal that a check-in is about. `changed` is when its author last wrote it
    anew; of one that they took back (`is_gone`) only that remains. `followed_up` is when the two
    were asked how a session went.
    """

    __tablename__ = "mentoring_entries"
    __table_args__ = (
        Index("ix_mentoring_entries_pairing", "pairing_id", "kind", "id"),
        Index("ix_mentoring_entries_starts", "kind", "state", "starts"),
        Index("ix_mentoring_entries_author", "author_id", "created"),
    )

    id: Mapped[Key]
    uri: Mapped[Url] = mapped_column(unique=True)
    pairing_id: Mapped[int] = mapped_column(ForeignKey("mentoring_pairings.id"))
    author_id: Mapped[int] = mapped_column(ForeignKey("members.id"))
    kind: Mapped[Word]
    parent_id: Mapped[int | None]
    title: Mapped[str] = mapped_column(Characters(200))
    source: Mapped[str]
    html: Mapped[str]
    starts: Mapped[datetime | None]
    minutes: Mapped[int | None] = mapped_column(Integer)
    due: Mapped[str | None] = mapped_column(Characters(10))
    state: Mapped[Word]
    rating: Mapped[int | None] = mapped_column(Integer)
    is_shared: Mapped[bool]
    revision: Mapped[int] = mapped_column(Integer)
    created: Mapped[datetime]
    updated: Mapped[datetime]
    changed: Mapped[datetime | None]
    is_gone: Mapped[bool] = mapped_column(default=False, server_default=false())
    followed_up: Mapped[datetime | None]


async def pairing_by_uri(session: AsyncSession, uri: str) -> Pairing | None:
    """The pair with this wire id."""
    return (await session.execute(select(Pairing).where(Pairing.uri == uri))).scalar_one_or_none()


async def pairings_of(session: AsyncSession, member_id: int, most: int) -> Sequence[Pairing]:
    """The pairs that somebody is one of, the newest first."""
    question = (
        select(Pairing)
        .where(or_(Pairing.mentor_id == member_id, Pairing.mentee_id == member_id))
        .order_by(Pairing.id.desc())
        .limit(most)
    )
    return (await session.execute(question)).scalars().all()


async def entry_by_uri(session: AsyncSession, uri: str) -> Entry | None:
    """The entry with this wire id."""
    return (await session.execute(select(Entry).where(Entry.uri == uri))).scalar_one_or_none()


async def entries_of(
    session: AsyncSession,
    pairing_id: int,
    reader_id: int,
    kind: EntryKind,
    most: int,
    before: int | None = None,
) -> Sequence[Entry]:
    """The newest entries of a kind that one of the pair may read, the newest first.

    With `before`, those that came before this one.

    Of those taken back only messages, in whose place something is missed.
    """
    question = (
        select(Entry)
        .where(
            Entry.pairing_id == pairing_id,
            Entry.kind == kind,
            or_(Entry.is_shared, Entry.author_id == reader_id),
            or_(Entry.is_gone.is_(False), Entry.kind == EntryKind.MESSAGE),
            Entry.id < before if before is not None else true(),
        )
        .order_by(Entry.id.desc())
        .limit(most)
    )
    return (await session.execute(question)).scalars().all()


async def held_sessions(session: AsyncSession, pairing_id: int) -> tuple[int, int]:
    """How many sessions a pair has held, and their minutes together."""
    question = select(func.count(), func.sum(Entry.minutes)).where(
        Entry.pairing_id == pairing_id,
        Entry.kind == EntryKind.SESSION,
        Entry.is_gone.is_(False),
        Entry.state == "held",
    )
    number, minutes = (await session.execute(question)).one()
    return number, int(minutes or 0)
