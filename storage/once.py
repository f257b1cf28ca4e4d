# SPDX-License-Identifier: Apache-2.0
"""What apps posted under a key of their own, so that nothing is posted twice."""

from datetime import datetime

from sqlalchemy.orm import Mapped, mapped_column

from storage.base import Base, Characters


class PostedOnce(Base):
    """The post (0 while it is being made) of a key, kept as the SHA-256 of token and key."""

    __tablename__ = "posted_once"

    key: Mapped[str] = mapped_column(Characters(64), primary_key=True)
    post_id: Mapped[int]
    created: Mapped[datetime] = mapped_column(index=True)
