# SPDX-License-Identifier: Apache-2.0
"""Tags whose threads members want on their home page."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from storage.base import Base, Key, Word


class TagFollow(Base):
    """One member follows one tag; the id says since when, and pages go by it."""

    __tablename__ = "tag_follows"
    __table_args__ = (
        UniqueConstraint("member_id", "tag"),
        Index("ix_tag_follows_member", "member_id", "id"),
    )

    id: Mapped[Key]
    member_id: Mapped[int] = mapped_column(ForeignKey("members.id"))
    tag: Mapped[Word]
    created: Mapped[datetime]
