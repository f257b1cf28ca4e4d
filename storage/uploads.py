# SPDX-License-Identifier: Apache-2.0
"""Pictures that members sent ahead of the post they belong to."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, Integer
from sqlalchemy.orm import Mapped, mapped_column

from storage.base import Base, Characters, Key


class Upload(Base):
    """A picture of a member's, made anew by us; `posted` once a post shows it."""

    __tablename__ = "uploads"
    __table_args__ = (
        Index("ix_uploads_member", "member_id", "id"),
        Index("ix_uploads_file", "sha256"),
    )

    id: Mapped[Key]
    member_id: Mapped[int] = mapped_column(ForeignKey("members.id"))
    sha256: Mapped[str] = mapped_column(Characters(64))
    description: Mapped[str] = mapped_column(Characters(1500), default="")
    width: Mapped[int] = mapped_column(Integer)
    height: Mapped[int] = mapped_column(Integer)
    created: Mapped[datetime]
    posted: Mapped[datetime | None]
