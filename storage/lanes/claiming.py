# SPDX-License-Identifier: Apache-2.0
"""Lanes claimed by one process, and what they have, read in bulk."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import cast

from sqlalchemy import (
    Table,
    Text,
    and_,
    bindparam,
    exists,
    not_,
    or_,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncSession

from storage.among import among
from storage.base import in_batches
from storage.lanes.conditions import in_interval, last_seq
from storage.lanes.work import COLUMNS, Held, Item, Work, covers
from storage.log import ActivityBody, Form, Lane, LogRecipient, LogRow, Parked, Subscription
from storage.plain import Question, as_it_is, ask, given

_LANES, _LOG, _PARKED = (cast(Table, table.__table__) for table in (Lane, LogRow, Parked))
_SUBSCRIPTIONS, _RECIPIENTS = (
    cast(Table, table.__table__) for table in (Subscription, LogRecipient)
)


# One SQL text for any number of lanes, written once.
_CLAIMED = (
    update(_LANES)
    .where(
        among(_LANES.c.id, "lanes"),
        or_(
            _LANES.c.owner.is_(None),
            _LANES.c.owner == bindparam("by"),
            _LANES.c.lease_until <= bindparam("now"),
        ),
    )
    .values(owner=bindparam("by"), lease_until=bindparam("until"))
    .returning(_LANES.c.id, _LANES.c.inbox, _LANES.c.peer, _LANES.c.cursor)
)
_SUBSCRIBED = Question(
    select(
        _SUBSCRIPTIONS.c.lane_id,
        _SUBSCRIPTIONS.c.audience,
        _SUBSCRIPTIONS.c.from_seq,
        _SUBSCRIPTIONS.c.until_seq,
    ).where(
        among(_SUBSCRIPTIONS.c.lane_id, "lanes"),
        among(_SUBSCRIPTIONS.c.audience, "audiences", Text()),
    ),
    as_it_is,
)
_NAMED = Question(
    select(_RECIPIENTS.c.lane_id, _RECIPIENTS.c.seq).where(
        among(_RECIPIENTS.c.lane_id, "lanes"),
        _RECIPIENTS.c.seq.between(given("first"), given("last")),
    ),
    as_it_is,
)
_BEHIND = Question(
    select(_PARKED.c.lane_id, _PARKED.c.order_key)
    .where(among(_PARKED.c.lane_id, "lanes"))
    .distinct(),
    as_it_is,
)
_BODIES = Question(
    select(ActivityBody.id, ActivityBody.body).where(among(ActivityBody.id, "ids")),
    as_it_is,
)
_EARLIER = _PARKED.alias()
_DUE = (
    select(_PARKED.c.lane_id, _PARKED.c.attempts, *(_LOG.c[column.key] for column in COLUMNS))
    .join(_LOG, _LOG.c.seq == _PARKED.c.seq)
    .where(
        among(_PARKED.c.lane_id, "lanes"),
        _PARKED.c.next_try <= bindparam("now"),
        not_(
            exists().where(
                _EARLIER.c.lane_id == _PARKED.c.lane_id,
                _EARLIER.c.order_key == _PARKED.c.order_key,
                _EARLIER.c.seq < _PARKED.c.seq,
            )
        ),
    )
    .order_by(_PARKED.c.seq)
    .limit(1_000)
)


async def claim(
    session: AsyncSession, lanes: Sequence[int], owner: str, now: datetime, until: datetime
) -> list[Work]:
    """Take lanes that nobody else works on; one statement, so that only one process gets each."""
    given = {"lanes": list(lanes), "by": owner, "now": now, "until": until}
    return [Work(*row) for row in (await session.execute(_CLAIMED, given)).all()]


async def renew(
    session: AsyncSession, owner: str, lanes: Sequence[int], until: datetime
) -> set[int]:
    """Keep lanes for longer; answers those that are still the owner's."""
    kept: set[int] = set()
    for batch in in_batches(lanes):
        renewed = (
            update(_LANES)
            .where(_LANES.c.id.in_(batch), _LANES.c.owner == owner)
            .values(lease_until=until)
            .returning(_LANES.c.id)
        )
        kept.update((await session.execute(renewed)).scalars())
    return kept


async def holds(session: AsyncSession, owner: str, lane: int) -> bool:
    """Whether a lane is the owner's, and stays so until the commit."""
    question = select(_LANES.c.id).where(_LANES.c.id == lane, _LANES.c.owner == owner)
    return (await session.execute(question.with_for_update())).first() is not None


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
    told = await _told(session, [work.lane for work in works], rows)
    for work in works:
        mine = told[work.lane]
        if len(mine) > 1:
            mine = sorted(set(mine))
        if mine and mine[0] <= work.cursor:
            mine = [seq for seq in mine if seq > work.cursor]
        work.items = [by_seq[seq] for seq in mine[:limit]]
        work.more = len(mine) > limit


async def _told(
    session: AsyncSession, lanes: list[int], rows: Sequence[Item]
) -> dict[int, list[int]]:
    """Which of these rows are for which lane, by their seq; one may stand there twice."""
    told: dict[int, list[int]] = {lane: [] for lane in lanes}
    by_audience: dict[str, list[Item]] = {}
    for item in rows:
        if item.form != Form.DIRECT:
            by_audience.setdefault(item.audience, []).append(item)
    if by_audience:
        audiences = sorted(by_audience)
        found = await ask(session, _SUBSCRIBED, lanes=lanes, audiences=audiences)
        for lane, audience, from_seq, until_seq in found:
            for item in by_audience[audience]:
                if covers(from_seq, until_seq, item):
                    told[lane].append(item.seq)
    # Changes of a post are told to those who know it besides the forum's own followers.
    first, last = rows[0].seq, rows[-1].seq
    for lane, seq in await ask(session, _NAMED, lanes=lanes, first=first, last=last):
        told[lane].append(seq)
    return told


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
    for lane, key in await ask(session, _BEHIND, lanes=list(by_lane)):
        by_lane[lane].behind.add(key)
    # Where nothing is set aside, nothing is due.
    aside = [lane for lane, work in by_lane.items() if work.behind]
    for batch in in_batches(aside):
        for row in (await session.execute(_DUE, {"lanes": list(batch), "now": now})).all():
            by_lane[row[0]].held.append(Held(Item(*tuple(row)[2:]), row[1]))


async def bodies(session: AsyncSession, ids: Collection[int]) -> dict[int, str | None]:
    """The bodies of stored activities; None after one was scrubbed."""
    return dict(await ask(session, _BODIES, ids=sorted(ids)))
