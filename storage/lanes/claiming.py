# SPDX-License-Identifier: Apache-2.0
"""Lanes claimed by one process, and what they have, read in bulk."""

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import (
    and_,
    exists,
    not_,
    or_,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncSession

from storage.base import in_batches
from storage.lanes.conditions import in_interval, is_behind, is_free, last_seq
from storage.lanes.work import COLUMNS, Held, Item, Work, covers
from storage.log import ActivityBody, Form, Lane, LogRecipient, LogRow, Parked, Subscription


async def claim(
    session: AsyncSession, lanes: Sequence[int], owner: str, now: datetime, until: datetime
) -> list[Work]:
    """Take lanes that nobody else works on; one statement, so that only one process gets each."""
    taken: list[Work] = []
    for batch in in_batches(lanes):
        statement = (
            update(Lane)
            .where(Lane.id.in_(batch), is_free(owner, now))
            .values(owner=owner, lease_until=until)
            .returning(Lane.id, Lane.inbox, Lane.peer, Lane.cursor)
            .execution_options(synchronize_session=False)
        )
        taken += [Work(*row) for row in (await session.execute(statement)).all()]
    return taken


async def renew(session: AsyncSession, owner: str, lanes: Sequence[int], until: datetime) -> None:
    """Keep lanes for longer."""
    for batch in in_batches(lanes):
        await session.execute(
            update(Lane).where(Lane.id.in_(batch), Lane.owner == owner).values(lease_until=until)
        )


async def owners(session: AsyncSession) -> set[str]:
    """Everybody who works on a lane."""
    question = select(Lane.owner).where(Lane.owner.is_not(None)).distinct()
    return {owner for owner in (await session.execute(question)).scalars() if owner}


async def free(session: AsyncSession, owner: str) -> None:
    """Let go of every lane of a process that is no more."""
    await session.execute(
        update(Lane).where(Lane.owner == owner).values(owner=None, lease_until=None)
    )


async def fill(
    session: AsyncSession, works: Sequence[Work], tail: Sequence[Item], now: datetime, limit: int
) -> None:
    """Read what claimed lanes have to send, at most `limit` rows each.

    `tail` are the log's last rows without a gap. Lanes that have come that far, which is nearly
    all of them, are served from there in two questions; the others are asked for one by one.
    """
    near = [work for work in works if tail and work.cursor >= tail[0].seq - 1]
    for work in near:
        work.until = max(tail[-1].seq, work.cursor)
    await _from_tail(session, near, tail, limit)
    far = [work for work in works if not tail or work.cursor < tail[0].seq - 1]
    if far:
        last = (await session.execute(select(last_seq()))).scalar_one()
        for work in far:
            await _from_log(session, work, last, limit)
    await _parked(session, works, now)


async def _from_tail(
    session: AsyncSession, works: Sequence[Work], tail: Sequence[Item], limit: int
) -> None:
    lowest = min((work.cursor for work in works), default=0)
    rows = [item for item in tail if item.seq > lowest]
    if not rows or not works:
        return
    by_seq = {item.seq: item for item in rows}
    audiences = sorted({item.audience for item in rows if item.form != Form.DIRECT})
    told: dict[int, set[int]] = {work.lane: set() for work in works}
    by_audience: dict[str, list[Item]] = {}
    for item in rows:
        if item.form != Form.DIRECT:
            by_audience.setdefault(item.audience, []).append(item)
    for batch in in_batches([work.lane for work in works]):
        for some in in_batches(audiences):
            question = select(
                Subscription.lane_id,
                Subscription.audience,
                Subscription.from_seq,
                Subscription.until_seq,
            ).where(Subscription.lane_id.in_(batch), Subscription.audience.in_(some))
            for lane, audience, from_seq, until_seq in (await session.execute(question)).all():
                told[lane].update(
                    item.seq for item in by_audience[audience] if covers(from_seq, until_seq, item)
                )
        named = select(LogRecipient.lane_id, LogRecipient.seq).where(
            LogRecipient.lane_id.in_(batch),
            LogRecipient.seq.between(rows[0].seq, rows[-1].seq),
        )
        for lane, seq in (await session.execute(named)).all():
            told[lane].add(seq)
    for work in works:
        mine = sorted(seq for seq in told[work.lane] if seq > work.cursor)
        work.items = [by_seq[seq] for seq in mine[:limit]]
        work.more = len(mine) > limit


async def _from_log(session: AsyncSession, work: Work, last: int, limit: int) -> None:
    lane = Subscription.lane_id == work.lane
    subscribed = exists().where(lane, Subscription.audience == LogRow.audience, in_interval())
    named = exists().where(LogRecipient.lane_id == work.lane, LogRecipient.seq == LogRow.seq)
    audiences = select(Subscription.audience).where(lane)
    question = (
        select(*COLUMNS)
        .where(
            LogRow.seq > work.cursor,
            LogRow.seq <= last,
            or_(
                and_(LogRow.form != Form.DIRECT, LogRow.audience.in_(audiences), subscribed),
                named,
            ),
        )
        .order_by(LogRow.seq)
        .limit(limit + 1)
    )
    rows = [Item(*row) for row in (await session.execute(question)).all()]
    work.items, work.more, work.until = rows[:limit], len(rows) > limit, last


async def _parked(session: AsyncSession, works: Sequence[Work], now: datetime) -> None:
    by_lane = {work.lane: work for work in works}
    for batch in in_batches(list(by_lane)):
        keys = select(Parked.lane_id, Parked.order_key).where(Parked.lane_id.in_(batch)).distinct()
        for lane, key in (await session.execute(keys)).all():
            by_lane[lane].behind.add(key)
        due = (
            select(Parked.lane_id, Parked.attempts, *COLUMNS)
            .join(LogRow, LogRow.seq == Parked.seq)
            .where(Parked.lane_id.in_(batch), Parked.next_try <= now, not_(is_behind()))
            .order_by(Parked.seq)
            .limit(1_000)
        )
        for row in (await session.execute(due)).all():
            by_lane[row[0]].held.append(Held(Item(*tuple(row)[2:]), row[1]))


async def bodies(session: AsyncSession, ids: Collection[int]) -> dict[int, tuple[str, str | None]]:
    """(subject, body) of stored activities; the body is None after it was scrubbed."""
    found: dict[int, tuple[str, str | None]] = {}
    for batch in in_batches(sorted(ids)):
        question = select(ActivityBody.id, ActivityBody.subject, ActivityBody.body)
        rows = await session.execute(question.where(ActivityBody.id.in_(batch)))
        found |= {row[0]: (row[1], row[2]) for row in rows.all()}
    return found
