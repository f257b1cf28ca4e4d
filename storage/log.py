# SPDX-License-Identifier: Apache-2.0
"""Activities sent: one log, read by lanes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import (
    ForeignKey,
    Index,
    Integer,
    exists,
    or_,
    select,
    text,
)
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from storage.base import Base, Characters, Key, Url, Word
from storage.plain import Question, ask, given


class Form(StrEnum):
    """The shape an activity travels in (one row a form, never one a peer).

    A forum's Announce of the whole activity, or of an opener by its id; the bare activity of an
    author of ours, which changes or deletes a post, or is any other deed about one; an Announce
    of what a forum's posts were made from, for those who look there; an event told as a thread,
    announced or by its author, where software shows no events; and what is for the lanes that
    are named with it.
    """

    WRAPPED = "wrapped"
    BOOST = "boost"
    AUTHOR = "author"
    DEED = "deed"
    POINTER = "pointer"
    ARTICLE = "article"
    AUTHOR_ARTICLE = "author-article"
    DIRECT = "direct"


class ActivityBody(Base):
    """An activity's bytes, stored once; None after the post in it was scrubbed."""

    __tablename__ = "activity_bodies"

    id: Mapped[Key]
    body: Mapped[str | None]
    subject: Mapped[Url] = mapped_column(index=True)


class LogRow(Base):
    """One activity in one form.

    `order_key` is the thread it belongs to: its rows go out in order. `subject` is the
    object's id and `subject_seq` the row that first carried it: Update, Delete and Undo
    go to every lane whose subscription covered that row.
    """

    __tablename__ = "log"
    __table_args__ = (
        Index("ix_log_audience", "audience", "seq"),
        Index("ix_log_subject", "subject", "seq"),
        Index("ux_log_activity", "activity_id", "form", unique=True),
    )

    seq: Mapped[Key]
    form: Mapped[Word]
    activity_id: Mapped[Url]
    signer: Mapped[Url]
    order_key: Mapped[Url]
    audience: Mapped[Url]
    subject: Mapped[Url]
    subject_seq: Mapped[int | None]
    closed: Mapped[bool] = mapped_column(default=False)
    body_id: Mapped[int] = mapped_column(ForeignKey("activity_bodies.id"))
    at: Mapped[datetime]


class Lane(Base):
    """One inbox URL that is delivered to; all below `cursor` is dealt with.

    `owner` sends for it until `lease_until`. `catch_up` is when what waited for it had waited
    too long and was given up: its peer repairs that by digest. It was `refusing_since` then
    where it has taken nothing afterwards.
    """

    __tablename__ = "lanes"
    __table_args__ = (Index("ix_lanes_peer", "peer"),)

    id: Mapped[Key]
    inbox: Mapped[Url] = mapped_column(unique=True)
    peer: Mapped[str] = mapped_column(Characters(255))
    cursor: Mapped[int] = mapped_column(default=0)
    owner: Mapped[str | None] = mapped_column(Characters(64))
    lease_until: Mapped[datetime | None]
    catch_up: Mapped[datetime | None]
    refusing_since: Mapped[datetime | None]
    delivered: Mapped[int] = mapped_column(Integer, default=0)
    refused: Mapped[int] = mapped_column(Integer, default=0)
    last_refusal: Mapped[str] = mapped_column(Characters(500), default="")
    created: Mapped[datetime]


class Subscription(Base):
    """A lane takes an audience's rows with `from_seq <= seq < until_seq`."""

    __tablename__ = "subscriptions"
    __table_args__ = (
        Index("ix_subscriptions_lane", "lane_id", "audience"),
        Index("ix_subscriptions_audience", "audience", "lane_id"),
    )

    id: Mapped[Key]
    audience: Mapped[Url]
    lane_id: Mapped[int] = mapped_column(ForeignKey("lanes.id"))
    from_seq: Mapped[int]
    until_seq: Mapped[int | None]


class LogRecipient(Base):
    """Who a row goes to by name: all of a `direct` one, and who else is told of a change."""

    __tablename__ = "log_recipients"
    __table_args__ = (Index("ix_log_recipients_lane", "lane_id", "seq"),)

    seq: Mapped[int] = mapped_column(ForeignKey("log.seq"), primary_key=True)
    lane_id: Mapped[int] = mapped_column(ForeignKey("lanes.id"), primary_key=True)


class Parked(Base):
    """An entry that failed by itself while its peer was up, with those behind it."""

    __tablename__ = "parked"

    lane_id: Mapped[int] = mapped_column(ForeignKey("lanes.id"), primary_key=True)
    seq: Mapped[int] = mapped_column(ForeignKey("log.seq"), primary_key=True)
    order_key: Mapped[Url]
    attempts: Mapped[int] = mapped_column(Integer, default=0)
    next_try: Mapped[datetime]
    error: Mapped[str] = mapped_column(Characters(500), default="")


@dataclass(frozen=True)
class Entry:
    """What is appended: one activity in one form."""

    form: Form
    activity_id: str
    signer: str
    order_key: str
    audience: str
    subject: str
    follows_subject: bool = False
    closed: bool = False


async def lock(session: AsyncSession) -> None:
    """Hold the log until the commit, so that seq order is commit order.

    On SQLite the writer's own transaction is that lock.
    """
    if session.get_bind().dialect.name == "postgresql":
        await session.execute(text("SELECT pg_advisory_xact_lock(74101)"))


_NEWEST: Question[int] = Question(select(LogRow.seq).order_by(LogRow.seq.desc()).limit(1), int)
_HELD: Question[int] = Question(
    select(LogRow.seq).where(
        LogRow.activity_id == given("activity_id", LogRow.activity_id.type),
        LogRow.form == given("form", LogRow.form.type),
    ),
    int,
)
_FIRST: Question[int] = Question(
    select(LogRow.seq)
    .where(
        LogRow.subject == given("subject", LogRow.subject.type),
        LogRow.audience == given("audience", LogRow.audience.type),
    )
    .order_by(LogRow.seq)
    .limit(1),
    int,
)
_LAST = "last seq"
# What a session knows of the forms that followers take, until one comes or leaves.
WANTED = "wanted forms"


async def last_seq(session: AsyncSession) -> int:
    """The last seq given out; 0 for an empty log."""
    found = await ask(session, _NEWEST)
    return found[0] if found else 0


async def append(
    session: AsyncSession, entry: Entry, body_id: int, at: datetime, lanes: Sequence[int] = ()
) -> int | None:
    """Append a row (after `lock`); None when the activity stands in this form already."""
    if await ask(session, _HELD, activity_id=entry.activity_id, form=entry.form):
        return None
    first: list[int] = []
    if entry.follows_subject:
        first = await ask(session, _FIRST, subject=entry.subject, audience=entry.audience)
    # Nobody else appends before the commit.
    seq = session.info.get(_LAST) or await last_seq(session)
    seq = session.info[_LAST] = seq + 1
    session.add(
        LogRow(
            seq=seq,
            form=entry.form,
            activity_id=entry.activity_id,
            signer=entry.signer,
            order_key=entry.order_key,
            audience=entry.audience,
            subject=entry.subject,
            subject_seq=first[0] if first else None,
            closed=entry.closed,
            body_id=body_id,
            at=at,
        )
    )
    await session.flush()
    for lane in dict.fromkeys(lanes):
        session.add(LogRecipient(seq=seq, lane_id=lane))
    await session.flush()
    return seq


async def lane_to(session: AsyncSession, inbox: str, peer: str, lane_id: int, at: datetime) -> Lane:
    """The lane to an inbox; a new one begins at the end of the log."""
    lane = (await session.execute(select(Lane).where(Lane.inbox == inbox))).scalar_one_or_none()
    if lane is None:
        lane = Lane(id=lane_id, inbox=inbox, peer=peer, created=at, cursor=await last_seq(session))
        lane.delivered = lane.refused = 0
        lane.last_refusal = ""
        session.add(lane)
        await session.flush()
    return lane


async def subscribe(session: AsyncSession, audience: str, lane: Lane, row_id: int) -> None:
    """From now on the lane takes what the audience is told."""
    session.info.pop(WANTED, None)
    if await open_subscription(session, audience, lane.id) is None:
        session.add(
            Subscription(
                id=row_id,
                audience=audience,
                lane_id=lane.id,
                from_seq=await last_seq(session) + 1,
            )
        )
        await session.flush()


async def unsubscribe(session: AsyncSession, audience: str, lane: Lane) -> None:
    """The lane takes nothing new of the audience; Updates and Deletes still reach it."""
    session.info.pop(WANTED, None)
    held = await open_subscription(session, audience, lane.id)
    if held is not None:
        held.until_seq = await last_seq(session) + 1


async def open_subscription(
    session: AsyncSession, audience: str, lane_id: int
) -> Subscription | None:
    """The subscription in force of a lane to an audience."""
    question = select(Subscription).where(
        Subscription.audience == audience,
        Subscription.lane_id == lane_id,
        Subscription.until_seq.is_(None),
    )
    return (await session.execute(question)).scalars().first()


async def is_on_its_way(session: AsyncSession, peer: str, subject: str) -> bool:
    """Whether something about an object that is sent to a peer by name has not arrived there."""
    is_parked = exists().where(Parked.lane_id == Lane.id, Parked.seq == LogRow.seq)
    question = (
        select(LogRow.seq)
        .join(LogRecipient, LogRecipient.seq == LogRow.seq)
        .join(Lane, Lane.id == LogRecipient.lane_id)
        .where(LogRow.subject == subject, Lane.peer == peer)
        .where(or_(LogRow.seq > Lane.cursor, is_parked))
        .limit(1)
    )
    return (await session.execute(question)).first() is not None
