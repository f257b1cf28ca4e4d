# SPDX-License-Identifier: Apache-2.0
"""What has come of files that are still on their way into a draft."""

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from server import files
from server.transaction import Transaction
from storage.arrivals import Arrival, Piece
from storage.members import Member

WAITS = timedelta(days=1)
AT_ONCE = 100


async def of_draft(session: AsyncSession, draft: int) -> tuple[Arrival, ...]:
    """The files on their way into a draft, in the order they were begun."""
    question = select(Arrival).where(Arrival.draft_id == draft).order_by(Arrival.id)
    return tuple((await session.execute(question)).scalars())


async def announced_by(session: AsyncSession, member: Member) -> tuple[int, int]:
    """How many files of a member are on their way, and how many bytes they will have."""
    question = select(func.count(), func.coalesce(func.sum(Arrival.size), 0)).where(
        Arrival.owner_id == member.id
    )
    count, size = (await session.execute(question)).one()
    return int(count), int(size)


async def of_arrival(session: AsyncSession, arrival: int) -> list[Piece]:
    """The pieces of a file that have come, in their order."""
    question = select(Piece).where(Piece.arrival_id == arrival).order_by(Piece.start)
    return list((await session.execute(question)).scalars())


async def drop(tx: Transaction, arrivals: Sequence[int]) -> list[str]:
    """Forget files on their way; the bytes to be let go, by `let_go`, are answered."""
    question = select(Piece.sha256).where(Piece.arrival_id.in_(arrivals)).distinct()
    found = list((await tx.session.execute(question)).scalars())
    await tx.session.execute(delete(Piece).where(Piece.arrival_id.in_(arrivals)))
    await tx.session.execute(delete(Arrival).where(Arrival.id.in_(arrivals)))
    return found


async def let_go(tx: Transaction, found: Sequence[str]) -> None:
    """Leave no bytes of pieces that nothing else has."""
    for sha256 in found:
        await files.forget_unused(tx, sha256)


async def drop_of_drafts(tx: Transaction, drafts: Sequence[int]) -> None:
    """Forget what is on its way into drafts that go."""
    question = select(Arrival.id).where(Arrival.draft_id.in_(drafts))
    await let_go(tx, await drop(tx, list((await tx.session.execute(question)).scalars())))


async def tidy(tx: Transaction) -> None:
    """Forget files of which nothing has come for a day."""
    late = select(Arrival.id).where(Arrival.last < tx.now - WAITS).limit(AT_ONCE)
    await let_go(tx, await drop(tx, list((await tx.session.execute(late)).scalars())))
