# SPDX-License-Identifier: Apache-2.0
"""Notices told to members on the site."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from storage.base import Base, Key, Word


class Notification(Base):
    """One notice; the same thing is told a member once, however often it arrives."""

    __tablename__ = "notifications"
    __table_args__ = (
        UniqueConstraint("member_id", "kind", "post_id", "actor_id"),
        Index("ix_notifications_member", "member_id", "id"),
        Index("ix_notifications_unread", "member_id", "read"),
    )

    id: Mapped[Key]
    member_id: Mapped[int] = mapped_column(ForeignKey("members.id"))
    kind: Mapped[Word]
    post_id: Mapped[int] = mapped_column(ForeignKey("posts.id"))
    actor_id: Mapped[int] = mapped_column(ForeignKey("members.id"))
    created: Mapped[datetime]
    read: Mapped[datetime | None]
