# SPDX-License-Identifier: Apache-2.0
"""How far lanes have come, written down for many at once."""

from collections.abc import Sequence
from datetime import datetime
from typing import cast

from sqlalchemy import (
    Table,
    bindparam,
    delete,
    func,
    not_,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncSession

from storage.base import in_batches
from storage.lanes.claiming import fill
from storage.lanes.conditions import has_rows, last_seq
from storage.lanes.work import Settled, Work
from storage.log import Lane, Parked
from storage.peers import Peer


async def settle(session: AsyncSession, settled: Sequence[Settled], now: datetime) -> None:
    """Write down how far lanes have come, all of them in a few statements."""
    lane = cast(Table, Lane.__table__)
    moved = (
        update(lane)
        .where(lane.c.id == bindparam("of"))
        .values(
            # A cursor never goes back, whoever writes last.
            cursor=func.max(lane.c.cursor, bindparam("to"))
            if session.get_bind().dialect.name == "sqlite"
            else func.greatest(lane.c.cursor, bindparam("to")),
            delivered=lane.c.delivered + bindparam("sent"),
            refused=lane.c.refused + bindparam("refusals"),
        )
    )
    await session.execute(
        moved,
        [
            {"of": one.lane, "to": one.cursor, "sent": one.delivered, "refusals": one.refused}
            for one in settled
        ],
    )
    said = [{"of": one.lane, "said": one.last_refusal} for one in settled if one.last_refusal]
    if said:
        refusal = update(lane).where(lane.c.id == bindparam("of"))
        await session.execute(refusal.values(last_refusal=bindparam("said")), said)
    done = [one.lane for one in settled if one.release]
    for batch in in_batches(done):
        freed = update(Lane).where(Lane.id.in_(batch)).values(owner=None, lease_until=None)
        await session.execute(freed)
    hosts = sorted({one.host for one in settled if one.delivered})
    for batch in in_batches(hosts):
        await session.execute(update(Peer).where(Peer.host.in_(batch)).values(last_delivered=now))


async def move_along(session: AsyncSession, last: int) -> int:
    """Move the cursors of idle lanes that nothing up to `last` is for; answers how many."""
    statement = (
        update(Lane)
        .where(Lane.cursor < last, Lane.owner.is_(None), not_(has_rows(Lane.cursor)))
        .values(cursor=last)
        .execution_options(synchronize_session=False)
    )
    found = await session.execute(statement)
    return int(found.rowcount)  # type: ignore[attr-defined]


async def give_up(session: AsyncSession, host: str, before: datetime, now: datetime) -> list[str]:
    """Give up what has waited for a peer since before `before`; answers the inboxes concerned.

    Their cursors go to the end of the log and what was parked is dropped: whoever comes back
    after so long asks for the digest, which tells them more quickly what is now true.
    """
    last = (await session.execute(select(last_seq()))).scalar_one()
    question = select(Lane.id, Lane.inbox, Lane.peer, Lane.cursor).where(Lane.peer == host)
    given: list[str] = []
    for row in (await session.execute(question)).all():
        work = Work(*row)
        await fill(session, [work], [], now, 1)
        if not work.items or work.items[0].at >= before:
            continue
        await session.execute(delete(Parked).where(Parked.lane_id == work.lane))
        moved = update(Lane).where(Lane.id == work.lane).values(cursor=last, catch_up=now)
        await session.execute(moved)
        given.append(work.inbox)
    return given


async def unpark(session: AsyncSession, lane: int, seqs: Sequence[int]) -> None:
    """Parked entries that are dealt with."""
    for batch in in_batches(list(seqs)):
        await session.execute(delete(Parked).where(Parked.lane_id == lane, Parked.seq.in_(batch)))
