# SPDX-License-Identifier: Apache-2.0
"""Replication reports: the detail row of a post, and what announces it.

A report is a `posts` row of the kind `replication` that opens a thread of its own, and a short
reply under the practice announces it, for readers who know no reports.
"""

from sqlalchemy import ForeignKey, Index, Integer
from sqlalchemy.orm import Mapped, mapped_column

from storage.base import Base, Characters


class Replication(Base):
    """What came of doing a practice elsewhere; `of` is the uri of that practice.

    `record` is the JSON document, the same that travels as `gh:replication`.
    """

    __tablename__ = "replications"
    __table_args__ = (Index("ix_replications_of", "of", "post_id"),)

    post_id: Mapped[int] = mapped_column(
        ForeignKey("posts.id"), primary_key=True, autoincrement=False
    )
    of: Mapped[str] = mapped_column(Characters(2048))
    of_version: Mapped[int | None] = mapped_column(Integer)
    record: Mapped[str]


class Announcing(Base):
    """A reply that announces a post; `announces` is the uri of that post."""

    __tablename__ = "announcing_posts"
    __table_args__ = (Index("ix_announcing_posts_announces", "announces"),)

    post_id: Mapped[int] = mapped_column(
        ForeignKey("posts.id"), primary_key=True, autoincrement=False
    )
    announces: Mapped[str] = mapped_column(Characters(2048))
