# SPDX-License-Identifier: Apache-2.0
"""Who works on what, when several processes share a database."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from storage.base import Base, Characters, in_batches, insert
from storage.plain import Question, ask


class Lease(Base):
    """A piece of work that one process has for itself until `until`, or until it renews."""

    __tablename__ = "leases"

    name: Mapped[str] = mapped_column(Characters(400), primary_key=True)
    owner: Mapped[str] = mapped_column(Characters(64))
    until: Mapped[datetime] = mapped_column(index=True)


async def claim(
    session: AsyncSession, names: Sequence[str], owner: str, now: datetime, until: datetime
) -> set[str]:
    """Take or renew what nobody else has; answers the names that are ours until `until`.

    One statement a batch, so that of two processes that ask at once only one is answered.
    """
    ours: set[str] = set()
    for batch in in_batches(sorted(names)):
        statement = insert(session, Lease).values(
            [{"name": name, "owner": owner, "until": until} for name in batch]
        )
        taken = statement.on_conflict_do_update(
            index_elements=["name"],
            set_={"owner": owner, "until": until},
            where=or_(Lease.owner == owner, Lease.until <= now),
        ).returning(Lease.name)
        ours |= set((await session.execute(taken)).scalars())
    return ours


async def release(session: AsyncSession, names: Sequence[str], owner: str) -> None:
    """Give back what we have; what another process has since taken stays theirs."""
    for batch in in_batches(list(names)):
        await session.execute(delete(Lease).where(Lease.name.in_(batch), Lease.owner == owner))


async def release_all(session: AsyncSession, owner: str) -> None:
    """Give back everything a process has."""
    await session.execute(delete(Lease).where(Lease.owner == owner))


_OWNERS = Question(select(Lease.owner).distinct(), str)


async def owners(session: AsyncSession) -> set[str]:
    """Everybody who has a lease."""
    return set(await ask(session, _OWNERS))
