# SPDX-License-Identifier: Apache-2.0
"""Words that members would rather not meet, and where."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from storage.base import Base, Characters, Key, Word


class Filter(Base):
    """One member's filter; `contexts` are words with spaces between, `until` when it is dropped."""

    __tablename__ = "filters"
    __table_args__ = (
        Index("ix_filters_member", "member_id", "id"),
        Index("ix_filters_until", "until"),
    )

    id: Mapped[Key]
    member_id: Mapped[int] = mapped_column(ForeignKey("members.id"))
    title: Mapped[str] = mapped_column(Characters(100))
    contexts: Mapped[Word]
    action: Mapped[Word]
    until: Mapped[datetime | None]
    created: Mapped[datetime]


class FilterKeyword(Base):
    """A word or a phrase that a filter looks for."""

    __tablename__ = "filter_keywords"
    __table_args__ = (Index("ix_filter_keywords_filter", "filter_id", "id"),)

    id: Mapped[Key]
    filter_id: Mapped[int] = mapped_column(ForeignKey("filters.id"))
    keyword: Mapped[str] = mapped_column(Characters(100))
    whole_word: Mapped[bool]


class FilterPost(Base):
    """A single post that a filter fits, whatever it says."""

    __tablename__ = "filter_posts"
    __table_args__ = (
        Index("ux_filter_posts", "filter_id", "post_id", unique=True),
        Index("ix_filter_posts_post", "post_id"),
    )

    id: Mapped[Key]
    filter_id: Mapped[int] = mapped_column(ForeignKey("filters.id"))
    post_id: Mapped[int] = mapped_column(ForeignKey("posts.id"))
