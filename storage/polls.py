# SPDX-License-Identifier: Apache-2.0
"""Polls that threads carry, and how they were answered."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, Integer
from sqlalchemy.orm import Mapped, mapped_column

from storage.base import Base, Characters, Key


class Poll(Base):
    """The poll of a thread (`post_id`).

    `hidden` keeps the counts from those who have not voted until it ends. `voters` counts
    people; `told` is how many of them other servers were told of; `over` is set once it is
    known to all that it ended.
    """

    __tablename__ = "polls"
    __table_args__ = (Index("ix_polls_ends", "over", "ends"),)

    post_id: Mapped[int] = mapped_column(ForeignKey("posts.id"), primary_key=True)
    multiple: Mapped[bool]
    hidden: Mapped[bool]
    ends: Mapped[datetime]
    voters: Mapped[int] = mapped_column(Integer, default=0)
    told: Mapped[int] = mapped_column(Integer, default=0)
    over: Mapped[bool] = mapped_column(default=False)


class PollOption(Base):
    """What can be chosen; `place` counts from 0."""

    __tablename__ = "poll_options"

    post_id: Mapped[int] = mapped_column(ForeignKey("posts.id"), primary_key=True)
    place: Mapped[int] = mapped_column(Integer, primary_key=True)
    title: Mapped[str] = mapped_column(Characters(200))
    votes: Mapped[int] = mapped_column(Integer, default=0)


class PollVote(Base):
    """One person's choice of one option."""

    __tablename__ = "poll_votes"
    __table_args__ = (Index("ux_poll_votes", "post_id", "member_id", "place", unique=True),)

    id: Mapped[Key]
    post_id: Mapped[int] = mapped_column(ForeignKey("posts.id"))
    member_id: Mapped[int] = mapped_column(ForeignKey("members.id"))
    place: Mapped[int] = mapped_column(Integer)
    created: Mapped[datetime]
