# SPDX-License-Identifier: Apache-2.0
"""Where apps want to be told at once of a member's notices."""

from datetime import datetime

from sqlalchemy import Index, Integer
from sqlalchemy.orm import Mapped, mapped_column

from storage.base import Base, Characters, Key


class PushSubscription(Base):
    """One for each token (`id` is the token's), which outlives nothing that the token does not.

    `kinds` are Mastodon's words for the notices that are wanted, separated by spaces; `upto` is
    the last notice that was told, and `next_try` when the service may be asked again.
    """

    __tablename__ = "push_subscriptions"
    __table_args__ = (Index("ix_push_subscriptions_member", "member_id"),)

    id: Mapped[Key]
    member_id: Mapped[int]
    endpoint: Mapped[str] = mapped_column(Characters(2048))
    public_key: Mapped[str] = mapped_column(Characters(120))
    secret: Mapped[str] = mapped_column(Characters(60))
    kinds: Mapped[str] = mapped_column(Characters(300))
    upto: Mapped[int]
    failures: Mapped[int] = mapped_column(Integer, default=0)
    next_try: Mapped[datetime]
