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
