# SPDX-License-Identifier: Apache-2.0
"""Who works on what, when several processes share a database."""

from collections.abc import Sequence
from datetime import datetime
from functools import cache

from sqlalchemy import bindparam, delete, or_, select
from sqlalchemy.dialects.sqlite import Insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.sql.dml import ReturningInsert

from storage.base import Base, Characters, UtcDateTime, in_batches, insert, upsert
from storage.plain import Question, ask


class Lease(Base):
    """A piece of work that one process has for itself until `until`, or until it renews."""

    __tablename__ = "leases"

    name: Mapped[str] = mapped_column(Characters(400), primary_key=True)
    owner: Mapped[str] = mapped_column(Characters(64))
    until: Mapped[datetime] = mapped_column(index=True)


_MINE = bindparam("mine", type_=Characters(64))
_END = bindparam("end", type_=UtcDateTime())


async def claim(
    session: AsyncSession, names: Sequence[str], owner: str, now: datetime, until: datetime
) -> set[str]:
    """Take or renew what nobody else has; answers the names that are ours until `until`.

    One statement a batch, so that of two processes that ask at once only one is answered.
    """
    asked = {"mine": owner, "at": now, "end": until}
    if len(names) == 1:
        # What is asked for again and again, for as long as a server runs.
        claimed = _claiming_one(session.get_bind().dialect.name)
        return set((await session.execute(claimed, asked | {"one": names[0]})).scalars())
    ours: set[str] = set()
    for batch in in_batches(sorted(names)):
        rows = [{"name": name, "owner": owner, "until": until} for name in batch]
        taken = _unless_held(insert(session, Lease).values(rows))
        ours |= set((await session.execute(taken, asked)).scalars())
    return ours


@cache
def _claiming_one(dialect: str) -> ReturningInsert[str]:
    row = {"name": bindparam("one"), "owner": _MINE, "until": _END}
    return _unless_held(upsert(dialect, Lease).values(row))


def _unless_held(statement: Insert) -> ReturningInsert[str]:
    return statement.on_conflict_do_update(
        index_elements=["name"],
        set_={"owner": _MINE, "until": _END},
        where=or_(Lease.owner == _MINE, Lease.until <= bindparam("at", type_=UtcDateTime())),
    ).returning(Lease.name)


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
