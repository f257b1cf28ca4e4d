# SPDX-License-Identifier: Apache-2.0
"""What was decided, by whom, about what."""

from datetime import datetime

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from storage.base import Base, Characters, Key, Url, Word


class AuditEntry(Base):
    """One line of the record; `actor` is a wire id, or `system`."""

    __tablename__ = "audit"
    __table_args__ = (Index("ix_audit_at", "at"),)

    id: Mapped[Key]
    at: Mapped[datetime]
    actor: Mapped[Url]
    verb: Mapped[Word]
    subject: Mapped[Url]
    detail: Mapped[str] = mapped_column(Characters(1000), default="")
