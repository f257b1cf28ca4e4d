# SPDX-License-Identifier: Apache-2.0
"""What those who mentor or are mentored are told."""

from datetime import datetime

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from storage.base import Base, Characters, Key, Word


class MentoringNotice(Base):
    """One thing that a member is told; `who` it is about by name, "" while they give none.

    `path` is where it is dealt with. One that is not read yet is not told twice.
    """

    __tablename__ = "mentoring_notices"
    __table_args__ = (
        Index("ix_mentoring_notices_member", "member_id", "id"),
        Index("ix_mentoring_notices_unread", "member_id", "read"),
    )

    id: Mapped[Key]
    member_id: Mapped[int]
    kind: Mapped[Word]
    who: Mapped[str] = mapped_column(Characters(500))
    path: Mapped[str] = mapped_column(Characters(300))
    created: Mapped[datetime]
    read: Mapped[datetime | None]
