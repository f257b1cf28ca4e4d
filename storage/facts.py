# SPDX-License-Identifier: Apache-2.0
"""What happened here and still has to be told outside."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Index, Integer, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from storage.base import Base, Characters, Key, UtcDateTime, Word
from storage.plain import Question, ask, given, whole


class FactRow(Base):
    """A recorded fact; `done` is set by the worker in the transaction that tells it.

    `received` is the stored body of the activity that caused it, if one did.
    """

    __tablename__ = "facts"
    __table_args__ = (Index("ix_facts_waiting", "done", "next_try", "id"),)

    id: Mapped[Key]
    kind: Mapped[Word]
    payload: Mapped[str]
    received: Mapped[int | None]
    at: Mapped[datetime]
    done: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(Integer, default=0)
    next_try: Mapped[datetime]
    error: Mapped[str] = mapped_column(Characters(500), default="")


_WAITING: Question[FactRow] = Question(
    select(FactRow)
    .where(FactRow.done.is_(None), FactRow.next_try <= given("now", UtcDateTime()))
    .order_by(FactRow.id)
    .limit(given("limit", Integer())),
    whole,
)


async def waiting(session: AsyncSession, now: datetime, limit: int) -> list[FactRow]:
    """The oldest facts not yet told whose time has come."""
    return await ask(session, _WAITING, now=now, limit=limit)


async def taken(session: AsyncSession, ids: Sequence[int]) -> list[FactRow]:
    """Those of them that nobody has told meanwhile, oldest first, kept from other tellers."""
    rows = await session.execute(
        select(FactRow)
        .where(FactRow.id.in_(ids), FactRow.done.is_(None))
        .order_by(FactRow.id)
        .with_for_update()
    )
    return list(rows.scalars())
