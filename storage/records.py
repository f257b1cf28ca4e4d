# SPDX-License-Identifier: Apache-2.0
"""The columns that what is kept as a record shares: practices, resources."""

from datetime import datetime

from sqlalchemy import ForeignKey, Integer
from sqlalchemy.orm import Mapped, mapped_column

from storage.base import Base, Characters, Word


class Recorded(Base):
    """What the record of a post says now.

    `agency` is its author's, as their home tells it, whatever the record says. `record` is the
    JSON document, `digest` the SHA-256 of its canonical form.

    Of an adaptation: `based_on` is the uri of its source, with the version and the digest it
    was made from; `root` is the uri that the whole lineage descends from, its own for an original.
    """

    __abstract__ = True

    post_id: Mapped[int] = mapped_column(
        ForeignKey("posts.id"), primary_key=True, autoincrement=False
    )
    kind: Mapped[Word]
    agency: Mapped[str] = mapped_column(Characters(500), default="")
    summary: Mapped[str] = mapped_column(Characters(500), default="")
    record: Mapped[str]
    digest: Mapped[str] = mapped_column(Characters(64))
    version: Mapped[int] = mapped_column(Integer, default=1)
    based_on: Mapped[str | None] = mapped_column(Characters(2048))
    based_on_version: Mapped[int | None] = mapped_column(Integer)
    based_on_digest: Mapped[str] = mapped_column(Characters(64), default="")
    root: Mapped[str] = mapped_column(Characters(2048))


class RecordedVersion(Base):
    """What a record said in one version, the latest included."""

    __abstract__ = True

    post_id: Mapped[int] = mapped_column(ForeignKey("posts.id"), primary_key=True)
    version: Mapped[int] = mapped_column(Integer, primary_key=True)
    record: Mapped[str]
    digest: Mapped[str] = mapped_column(Characters(64))
    note: Mapped[str] = mapped_column(Characters(500), default="")
    by_id: Mapped[int]
    at: Mapped[datetime]


class RecordedFacet(Base):
    """One value that a record is found by: a topic, a licence, an agency…"""

    __abstract__ = True

    post_id: Mapped[int] = mapped_column(ForeignKey("posts.id"), primary_key=True)
    facet: Mapped[Word] = mapped_column(primary_key=True)
    value: Mapped[str] = mapped_column(Characters(200), primary_key=True)
