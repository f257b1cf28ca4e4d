# SPDX-License-Identifier: Apache-2.0
"""Links of resources that are visited, to see whether they answer."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, Integer
from sqlalchemy.orm import Mapped, mapped_column

from storage.base import Base, Characters


class ResourceLink(Base):
    """The link of a resource, and what its home found there.

    `since` is when it was first visited in vain, None while it answers; `failures` counts the
    visits in vain since then, and `fault` is what came of the last, which was at `visited`. Of
    another agency's resource it is what that agency says, and `next` is None.
    """

    __tablename__ = "resource_links"
    __table_args__ = (Index("ix_resource_links_next", "next"),)

    post_id: Mapped[int] = mapped_column(
        ForeignKey("posts.id"), primary_key=True, autoincrement=False
    )
    url: Mapped[str] = mapped_column(Characters(2048))
    next: Mapped[datetime | None]
    visited: Mapped[datetime | None]
    since: Mapped[datetime | None]
    failures: Mapped[int] = mapped_column(Integer, default=0)
    fault: Mapped[str] = mapped_column(Characters(500), default="")
