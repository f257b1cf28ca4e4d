# SPDX-License-Identifier: Apache-2.0
"""Files on their way into a draft, in the pieces that have come."""

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from storage.base import Base, Characters, Key


class Arrival(Base):
    """A file that is being sent; sizes are in bytes.

    `mark` is what its sender's browser knows the file by, so that it can go on with it.
    """

    __tablename__ = "resource_arrivals"
    __table_args__ = (
        Index("ix_resource_arrivals_draft", "draft_id", "id"),
        Index("ix_resource_arrivals_owner", "owner_id", "id"),
        Index("ix_resource_arrivals_last", "last"),
    )

    id: Mapped[Key]
    draft_id: Mapped[int] = mapped_column(ForeignKey("resource_drafts.id"))
    owner_id: Mapped[int]
    name: Mapped[str] = mapped_column(Characters(300))
    mark: Mapped[str] = mapped_column(Characters(500), default="")
    size: Mapped[int] = mapped_column(BigInteger)
    come: Mapped[int] = mapped_column(BigInteger, default=0)
    last: Mapped[datetime]


class Piece(Base):
    """Bytes of an arrival from `start` on; they lie on the shelf under their SHA-256."""

    __tablename__ = "resource_pieces"
    __table_args__ = (Index("ix_resource_pieces_sha256", "sha256"),)

    arrival_id: Mapped[int] = mapped_column(ForeignKey("resource_arrivals.id"), primary_key=True)
    start: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    sha256: Mapped[str] = mapped_column(Characters(64))
    size: Mapped[int] = mapped_column(BigInteger)
