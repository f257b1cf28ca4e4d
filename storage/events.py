# SPDX-License-Identifier: Apache-2.0
"""Events: the detail row of a post, who comes, what repeats.

An event is a `posts` row of the kind `event`, so that replies, endorsements, search, moderation
and copies work on it as on any thread, and a row of `events` with when, where and how to join.
"""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, Integer, UniqueConstraint, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from storage.base import Base, Characters, Key, Word


class GuestState(StrEnum):
    """Where somebody stands with an event; ASKED and UNCONFIRMED wait for an answer."""

    UNCONFIRMED = "unconfirmed"
    ASKED = "asked"
    GOING = "going"
    WAITING = "waiting"
    REFUSED = "refused"
    LEFT = "left"


class Event(Base):
    """When and where an event is; `starts` and `ends` are moments, `zone` the clock on its wall.

    An event of whole days lasts from one midnight in its zone to another. `details` is the JSON
    document of what needs no column: agenda, links, materials. `going` and `waiting` count those
    who have a place and who wait for one, at the organiser's instance only. `series_at` is the
    first start that an occurrence of a series had (`2026-11-30T10:00`), which names it in there.
    `sequence` grows with each change of when and where. `reminded` is when its guests were told.
    """

    __tablename__ = "events"
    __table_args__ = (
        Index("ix_events_starts", "starts", "post_id"),
        Index("ix_events_ends", "ends", "post_id"),
        Index("ix_events_series", "series", "series_at"),
    )

    post_id: Mapped[int] = mapped_column(
        ForeignKey("posts.id"), primary_key=True, autoincrement=False
    )
    kind: Mapped[Word]
    starts: Mapped[datetime]
    ends: Mapped[datetime]
    zone: Mapped[Word]
    all_day: Mapped[bool] = mapped_column(default=False)
    status: Mapped[Word]
    place: Mapped[str] = mapped_column(Characters(500), default="")
    joining: Mapped[Word]
    capacity: Mapped[int | None] = mapped_column(Integer)
    going: Mapped[int] = mapped_column(Integer, default=0)
    waiting: Mapped[int] = mapped_column(Integer, default=0)
    details: Mapped[str] = mapped_column(default="{}")
    series: Mapped[str] = mapped_column(Characters(2048), default="")
    series_at: Mapped[Word] = mapped_column(default="")
    sequence: Mapped[int] = mapped_column(Integer, default=0)
    reminded: Mapped[datetime | None]


class EventGuest(Base):
    """Somebody and an event: a member here or elsewhere, or who has no account, by e-mail.

    `queue` orders those who wait. `uri` is the wire id of the latest Join and `n` how many there
    were. At the instance of a member who asked elsewhere, `place` is the place on the waiting
    list, and `link` where an event online is held, as the organiser's instance told them.
    `token` is the SHA-256 of what the links in somebody's letters carry.
    """

    __tablename__ = "event_guests"
    __table_args__ = (
        UniqueConstraint("post_id", "member_id"),
        UniqueConstraint("post_id", "email"),
        Index("ix_event_guests_queue", "post_id", "state", "queue"),
        Index("ix_event_guests_member", "member_id", "state", "post_id"),
        Index("ix_event_guests_token", "token"),
    )

    id: Mapped[Key]
    post_id: Mapped[int] = mapped_column(ForeignKey("posts.id"))
    member_id: Mapped[int | None] = mapped_column(ForeignKey("members.id"))
    email: Mapped[str | None] = mapped_column(Characters(320))
    name: Mapped[str] = mapped_column(Characters(200), default="")
    token: Mapped[str] = mapped_column(Characters(64), default="")
    state: Mapped[Word]
    queue: Mapped[int]
    uri: Mapped[str] = mapped_column(Characters(2048), default="")
    n: Mapped[int] = mapped_column(Integer, default=0)
    answers: Mapped[int] = mapped_column(Integer, default=0)
    place: Mapped[int | None] = mapped_column(Integer)
    link: Mapped[str] = mapped_column(Characters(2048), default="")
    reason: Mapped[str] = mapped_column(Characters(500), default="")
    attended: Mapped[bool | None]
    certificate: Mapped[str] = mapped_column(Characters(2048), default="")
    at: Mapped[datetime]


class EventSeries(Base):
    """What repeats: a rule of RFC 5545 with exceptions, in the local time of a zone.

    `uri` names it on the wire. `starts` is the local start of the first occurrence and `minutes`
    how long each lasts; `draft` is the JSON of the form that each occurrence is made from.
    `made` counts the occurrences there are; `upto` is the local start of the last of them.
    """

    __tablename__ = "event_series"
    __table_args__ = (Index("ix_event_series_open", "ended", "id"),)

    id: Mapped[Key]
    uri: Mapped[str] = mapped_column(Characters(2048))
    forum_id: Mapped[int] = mapped_column(ForeignKey("forums.id"))
    author_id: Mapped[int] = mapped_column(ForeignKey("members.id"))
    rule: Mapped[str] = mapped_column(Characters(2000))
    except_on: Mapped[str] = mapped_column(default="")
    zone: Mapped[Word]
    starts: Mapped[Word]
    minutes: Mapped[int] = mapped_column(Integer)
    draft: Mapped[str]
    made: Mapped[int] = mapped_column(Integer, default=0)
    upto: Mapped[Word] = mapped_column(default="")
    ended: Mapped[bool] = mapped_column(default=False)
    at: Mapped[datetime]


class CalendarChoice(Base):
    """How a member reads the calendar: their zone, and which address their own feed has.

    A new `feed` number makes the address that was given out before lead nowhere.
    """

    __tablename__ = "calendar_choices"

    member_id: Mapped[int] = mapped_column(
        ForeignKey("members.id"), primary_key=True, autoincrement=False
    )
    zone: Mapped[Word] = mapped_column(default="")
    feed: Mapped[int] = mapped_column(Integer, default=0)


async def guest_of(session: AsyncSession, post: int, member: int) -> EventGuest | None:
    """Where a member stands with an event."""
    question = select(EventGuest).where(EventGuest.post_id == post, EventGuest.member_id == member)
    return (await session.execute(question)).scalar_one_or_none()


async def first_waiting(session: AsyncSession, post: int) -> EventGuest | None:
    """Who has waited longest."""
    question = (
        select(EventGuest)
        .where(EventGuest.post_id == post, EventGuest.state == GuestState.WAITING)
        .order_by(EventGuest.queue)
        .limit(1)
    )
    return (await session.execute(question)).scalar_one_or_none()


async def place_of(session: AsyncSession, guest: EventGuest) -> int:
    """The place of somebody on the waiting list, from 1."""
    question = select(func.count()).where(
        EventGuest.post_id == guest.post_id,
        EventGuest.state == GuestState.WAITING,
        EventGuest.queue <= guest.queue,
    )
    return (await session.execute(question)).scalar_one()
