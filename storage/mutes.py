# SPDX-License-Identifier: Apache-2.0
"""People and threads that members do not want to hear of."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from storage.base import Base, Key, Word


class MuteKind(StrEnum):
    """How a member keeps somebody away."""

    MUTE = "mute"
    BLOCK = "block"


class Mute(Base):
    """One member keeps one person away; the id says since when, and pages go by it.

    `notices` has their notices left out too; after `until` the row is dropped.
    """

    __tablename__ = "mutes"
    __table_args__ = (
        UniqueConstraint("member_id", "person_id", "kind"),
        Index("ix_mutes_member", "member_id", "kind", "id"),
        Index("ix_mutes_until", "until"),
    )

    id: Mapped[Key]
    member_id: Mapped[int] = mapped_column(ForeignKey("members.id"))
    person_id: Mapped[int] = mapped_column(ForeignKey("members.id"))
    kind: Mapped[Word]
    notices: Mapped[bool]
    until: Mapped[datetime | None]
    created: Mapped[datetime]


class MutedThread(Base):
    """A thread that a member wants to hear no more of."""

    __tablename__ = "muted_threads"

    member_id: Mapped[int] = mapped_column(ForeignKey("members.id"), primary_key=True)
    thread_id: Mapped[int] = mapped_column(ForeignKey("posts.id"), primary_key=True, index=True)
    created: Mapped[datetime]
