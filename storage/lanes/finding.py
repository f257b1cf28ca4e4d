# SPDX-License-Identifier: Apache-2.0
"""Which lanes have something to send."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import (
    and_,
    func,
    not_,
    or_,
    select,
)
from sqlalchemy.ext.asyncio import AsyncSession

from storage.base import in_batches
from storage.lanes.conditions import has_rows, in_interval, is_behind, is_free, last_seq
from storage.lanes.work import COLUMNS, Item
from storage.log import Form, Lane, LogRecipient, LogRow, Parked, Subscription
from storage.peers import Peer


async def rows_after(session: AsyncSession, seq: int, limit: int) -> list[Item]:
    """The log's next rows, in order."""
    question = select(*COLUMNS).where(LogRow.seq > seq).order_by(LogRow.seq).limit(limit)
    return [Item(*row) for row in (await session.execute(question)).all()]


async def interested(session: AsyncSession, items: Sequence[Item]) -> set[int]:
    """The lanes that any of these rows is for."""
    if not items:
        return set()
    first, last = items[0].seq, items[-1].seq
    audiences = {item.audience for item in items if item.form != Form.DIRECT}
    found: set[int] = set()
    for batch in in_batches(sorted(audiences)):
        question = (
            select(Subscription.lane_id)
            .join(LogRow, LogRow.audience == Subscription.audience)
            .where(
                Subscription.audience.in_(batch),
                LogRow.seq.between(first, last),
                LogRow.form != Form.DIRECT,
                in_interval(),
            )
            .distinct()
        )
        found |= set((await session.execute(question)).scalars())
    named = select(LogRecipient.lane_id).where(LogRecipient.seq.between(first, last)).distinct()
    return found | set((await session.execute(named)).scalars())


async def waiting(session: AsyncSession, owner: str, now: datetime) -> set[int]:
    """Every lane with something to send now, looked for in the log itself: slow and sure."""
    ready = and_(Peer.paused.is_(None), or_(Peer.next_try.is_(None), Peer.next_try <= now))
    question = (
        select(Lane.id)
        .outerjoin(Peer, Peer.host == Lane.peer)
        .where(or_(Peer.host.is_(None), ready), is_free(owner, now), has_rows(Lane.cursor))
    )
    return set((await session.execute(question)).scalars())


async def returning(session: AsyncSession, now: datetime) -> set[int]:
    """The lanes of peers that are to be tried again now, and those with parked entries due."""
    again = (
        select(Lane.id)
        .join(Peer, Peer.host == Lane.peer)
        .where(Peer.next_try <= now, Peer.paused.is_(None), Lane.cursor < last_seq())
    )
    parked = (
        select(Parked.lane_id)
        .join(Lane, Lane.id == Parked.lane_id)
        .outerjoin(Peer, Peer.host == Lane.peer)
        .where(
            Parked.next_try <= now,
            Peer.paused.is_(None),
            or_(Peer.next_try.is_(None), Peer.next_try <= now),
            not_(is_behind()),
        )
        .distinct()
    )
    found = set((await session.execute(again)).scalars())
    return found | set((await session.execute(parked)).scalars())


async def paused(session: AsyncSession) -> set[str]:
    """The peers that an admin has nothing sent to."""
    return set((await session.execute(select(Peer.host).where(Peer.paused.is_not(None)))).scalars())


async def next_return(session: AsyncSession, now: datetime) -> datetime | None:
    """When the next peer or parked entry is to be tried again."""
    peer = (
        select(func.min(Peer.next_try))
        .join(Lane, Lane.peer == Peer.host)
        .where(Peer.next_try > now, Peer.paused.is_(None), Lane.cursor < last_seq())
    )
    parked = (
        select(func.min(Parked.next_try))
        .join(Lane, Lane.id == Parked.lane_id)
        .outerjoin(Peer, Peer.host == Lane.peer)
        .where(Parked.next_try > now, Peer.paused.is_(None), not_(is_behind()))
    )
    times = [(await session.execute(question)).scalar() for question in (peer, parked)]
    return min((moment for moment in times if moment is not None), default=None)
