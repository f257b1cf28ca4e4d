# SPDX-License-Identifier: Apache-2.0
"""How far lanes have come, written down for many at once."""

from collections.abc import Sequence
from datetime import datetime
from typing import cast

from sqlalchemy import (
    Table,
    bindparam,
    delete,
    exists,
    func,
    not_,
    or_,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncSession

from storage.base import in_batches
from storage.lanes.conditions import has_rows, in_interval, last_seq
from storage.lanes.work import Settled
from storage.log import Form, Lane, LogRecipient, LogRow, Parked, Subscription
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
    oldest = (
        select(func.min(LogRow.at))
        .where(
            LogRow.seq > Lane.cursor,
            or_(
                exists().where(
                    Subscription.lane_id == Lane.id,
                    Subscription.audience == LogRow.audience,
                    LogRow.form != Form.DIRECT,
                    in_interval(),
                ),
                exists().where(LogRecipient.lane_id == Lane.id, LogRecipient.seq == LogRow.seq),
            ),
        )
        .correlate(Lane)
        .scalar_subquery()
    )
    question = select(Lane.id, Lane.inbox).where(Lane.peer == host, oldest < before)
    late = (await session.execute(question)).all()
    for lane, _ in late:
        await session.execute(delete(Parked).where(Parked.lane_id == lane))
        await session.execute(
            update(Lane).where(Lane.id == lane).values(cursor=last_seq(), catch_up=now)
        )
    return [inbox for _, inbox in late]


async def unpark(session: AsyncSession, lane: int, seqs: Sequence[int]) -> None:
    """Parked entries that are dealt with."""
    for batch in in_batches(list(seqs)):
        await session.execute(delete(Parked).where(Parked.lane_id == lane, Parked.seq.in_(batch)))
