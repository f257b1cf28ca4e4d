# SPDX-License-Identifier: Apache-2.0
"""Public keys of everybody, private keys of our own actors."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Index, LargeBinary, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from storage.base import Base, Characters, Url, Word
from storage.plain import Put, Question, ask, given, whole


class ActorKey(Base):
    """A key of an actor; `sealed` is the private part, encrypted with the master key.

    `inbox` is where the owner takes deliveries, the shared one first; empty for our own.
    """

    __tablename__ = "actor_keys"
    __table_args__ = (Index("ix_actor_keys_owner", "owner"),)

    key_id: Mapped[Url] = mapped_column(primary_key=True)
    owner: Mapped[Url]
    kind: Mapped[Word]
    public: Mapped[str]
    sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    created: Mapped[datetime]
    checked: Mapped[datetime]
    retired: Mapped[datetime | None]
    label: Mapped[str] = mapped_column(Characters(64), default="")
    inbox: Mapped[str] = mapped_column(Characters(2048), default="")


@dataclass(frozen=True)
class Sealed:
    """A private key as it is stored, and its id."""

    key_id: str
    sealed: bytes


_PRIVATE = Question(
    select(ActorKey.key_id, ActorKey.sealed)
    .where(
        ActorKey.owner == given("owner", ActorKey.owner.type),
        ActorKey.kind == given("kind", ActorKey.kind.type),
        ActorKey.sealed.is_not(None),
    )
    .order_by(ActorKey.created.desc())
    .limit(1),
    Sealed,
)


def ahead(owner: str, kind: str) -> Put:
    """What `private` asks."""
    return _PRIVATE, {"owner": owner, "kind": kind}


async def private(session: AsyncSession, owner: str, kind: str) -> Sealed | None:
    """The newest private key of one of our actors; None for anybody else."""
    question, asked = ahead(owner, kind)
    found = await ask(session, question, **asked)
    return found[0] if found else None


_OF_OWNER: Question[ActorKey] = Question(
    select(ActorKey)
    .where(ActorKey.owner == given("owner", ActorKey.owner.type))
    .order_by(ActorKey.created.desc()),
    whole,
)


async def of_owner(session: AsyncSession, owner: str) -> list[ActorKey]:
    """The keys of one actor, newest first."""
    return await ask(session, _OF_OWNER, owner=owner)
