# SPDX-License-Identifier: Apache-2.0
"""Sign-in sessions and failed sign-ins."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from storage.base import Base, Characters, Key


class Session(Base):
    """A browser that is signed in; only the SHA-256 of its cookie is kept."""

    __tablename__ = "sessions"
    __table_args__ = (Index("ix_sessions_member", "member_id"),)

    token_hash: Mapped[str] = mapped_column(Characters(64), primary_key=True)
    member_id: Mapped[int] = mapped_column(ForeignKey("members.id"))
    csrf: Mapped[str] = mapped_column(Characters(64))
    created: Mapped[datetime]
    seen: Mapped[datetime]
    expires: Mapped[datetime]


class SignInFailure(Base):
    """A failed sign-in, counted for the account and for the address."""

    __tablename__ = "sign_in_failures"
    __table_args__ = (Index("ix_sign_in_failures_subject", "subject", "at"),)

    id: Mapped[Key]
    subject: Mapped[str] = mapped_column(Characters(400))
    at: Mapped[datetime]
