# SPDX-License-Identifier: Apache-2.0
"""Mail that waits to be sent, and what was sent."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, Integer
from sqlalchemy.orm import Mapped, mapped_column

from storage.base import Base, Characters, Key, Word


class Letter(Base):
    """One mail; written with the deed that causes it, sent by the worker.

    `post_id` is the post that it is about, with which it goes.
    """

    __tablename__ = "letters"
    __table_args__ = (
        Index("ix_letters_waiting", "sent", "next_try"),
        Index("ix_letters_post", "post_id"),
    )

    id: Mapped[Key]
    post_id: Mapped[int | None]
    recipient: Mapped[str] = mapped_column(Characters(320))
    subject: Mapped[str] = mapped_column(Characters(500))
    text: Mapped[str]
    message_id: Mapped[str] = mapped_column(Characters(255))
    created: Mapped[datetime]
    sent: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(Integer, default=0)
    next_try: Mapped[datetime]
    error: Mapped[str] = mapped_column(Characters(500), default="")


class LetterDeclined(Base):
    """A member wants no letters about something (`about`); it is told on the site alone."""

    __tablename__ = "letters_declined"

    member_id: Mapped[int] = mapped_column(
        ForeignKey("members.id"), primary_key=True, autoincrement=False
    )
    about: Mapped[Word] = mapped_column(primary_key=True)
