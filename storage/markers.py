# SPDX-License-Identifier: Apache-2.0
"""How far an app has shown a timeline to a member."""

from datetime import datetime

from sqlalchemy import ForeignKey, Integer
from sqlalchemy.orm import Mapped, mapped_column

from storage.base import Base, Characters, Word


class Marker(Base):
    """The last line read of `home` or `notifications`; `version` counts the changes."""

    __tablename__ = "markers"

    member_id: Mapped[int] = mapped_column(ForeignKey("members.id"), primary_key=True)
    timeline: Mapped[Word] = mapped_column(primary_key=True)
    last_read: Mapped[str] = mapped_column(Characters(64))
    version: Mapped[int] = mapped_column(Integer, default=1)
    updated: Mapped[datetime]
