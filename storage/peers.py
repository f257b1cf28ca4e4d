# SPDX-License-Identifier: Apache-2.0
"""Other origins, the rules for them, and who knocked."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import Index, Integer
from sqlalchemy.orm import Mapped, mapped_column

from storage.base import Base, Characters, Key, Word


class Peer(Base):
    """Another origin (`host[:port]`): what it runs and how deliveries to it fare.

    `paused` is since when an admin has nothing sent to it; what is for it waits. `has_groups`
    says that a forum was seen there, be it only as a follower.
    """

    __tablename__ = "peers"
    __table_args__ = (Index("ix_peers_next_try", "next_try"),)

    host: Mapped[str] = mapped_column(Characters(255), primary_key=True)
    origin: Mapped[str] = mapped_column(Characters(300))
    name: Mapped[str] = mapped_column(Characters(500), default="")
    software: Mapped[Word] = mapped_column(default="")
    version: Mapped[Word] = mapped_column(default="")
    actor: Mapped[str] = mapped_column(Characters(2048), default="")
    speaks_rfc9421: Mapped[bool] = mapped_column(default=False)
    has_groups: Mapped[bool] = mapped_column(default=False)
    described: Mapped[datetime | None]
    first_seen: Mapped[datetime]
    last_heard: Mapped[datetime | None]
    last_delivered: Mapped[datetime | None]
    failures: Mapped[int] = mapped_column(Integer, default=0)
    failing_since: Mapped[datetime | None]
    next_try: Mapped[datetime | None]
    last_error: Mapped[str] = mapped_column(Characters(500), default="")
    paused: Mapped[datetime | None]


class Verdict(StrEnum):
    """What a rule says."""

    ALLOW = "allow"
    DENY = "deny"


class PolicyRule(Base):
    """Allow or deny one host (`lakeside.example.gov`) or a suffix (`*.example.gov`)."""

    __tablename__ = "policy_rules"
    __table_args__ = (Index("ux_policy_rules_pattern", "pattern", "verdict", unique=True),)

    id: Mapped[Key]
    pattern: Mapped[str] = mapped_column(Characters(255))
    verdict: Mapped[Word]
    reason: Mapped[str] = mapped_column(Characters(500), default="")
    expires: Mapped[datetime | None]
    added_by: Mapped[str] = mapped_column(Characters(500))
    added: Mapped[datetime]


class Knock(Base):
    """A host not on the list that tried to deliver; nothing else of it is kept."""

    __tablename__ = "knocks"

    host: Mapped[str] = mapped_column(Characters(255), primary_key=True)
    first: Mapped[datetime]
    last: Mapped[datetime]
    count: Mapped[int] = mapped_column(Integer, default=1)
