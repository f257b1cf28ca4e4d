# SPDX-License-Identifier: Apache-2.0
"""How far lanes have come, written down for many at once."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import cast

from sqlalchemy import (
    ColumnElement,
    Integer,
    Table,
    Text,
    and_,
    bindparam,
    case,
    delete,
    exists,
    func,
    literal,
    not_,
    null,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncSession

from storage.among import among
from storage.base import Identifier, UtcDateTime, in_batches, insert
from storage.lanes.claiming import fill
from storage.lanes.conditions import has_rows, last_seq
from storage.lanes.work import Settled, Work
from storage.log import Form, Lane, LogRecipient, LogRow, Parked
from storage.peers import Peer
from storage.plain import Question, ask

FEW = 3
UNREACHED = "It was not reached for a month."
_LANES = cast(Table, Lane.__table__)
_PEERS = cast(Table, Peer.__table__)
_TO = bindparam("to", type_=Identifier)
# Whoever has lost a lane to another writes nothing of it, and lets go of nothing.
_IS_MINE = _LANES.c.owner == bindparam("by", type_=_LANES.c.owner.type)
_SENT = bindparam("sent", type_=Integer)
# Who takes anything refuses no longer.
_REFUSING = case((_SENT > 0, null()), else_=_LANES.c.refusing_since)
_MOVED = (
    update(_LANES)
    .where(_LANES.c.id == bindparam("of"), _IS_MINE)
    .values(
        # A cursor never goes back, whoever writes last.
        cursor=case((_LANES.c.cursor < _TO, _TO), else_=_LANES.c.cursor),
        delivered=_LANES.c.delivered + _SENT,
        refused=_LANES.c.refused + bindparam("refusals"),
        refusing_since=_REFUSING,
    )
)
_FREED = _MOVED.values(owner=None, lease_until=None)
# Most lanes have come as far as the others, with one more delivered: these are one statement.
_ALIKE = (
    update(_LANES)
    .where(among(_LANES.c.id, "lanes"), _IS_MINE)
    .values(
        cursor=case((_LANES.c.cursor < _TO, _TO), else_=_LANES.c.cursor),
        delivered=_LANES.c.delivered + _SENT,
        refused=_LANES.c.refused + bindparam("refusals"),
        refusing_since=_REFUSING,
    )
)
_ALIKE_FREED = _ALIKE.values(owner=None, lease_until=None)
_SAID = (
    update(_LANES)
    .where(_LANES.c.id == bindparam("of"), _IS_MINE)
    .values(
        last_refusal=bindparam("said"),
        refusing_since=func.coalesce(
            _LANES.c.refusing_since, bindparam("now", type_=UtcDateTime())
        ),
    )
)
# Processes that write down the same peers take their rows in the same order.
_IN_ORDER = (
    select(_PEERS.c.host)
    .where(among(_PEERS.c.host, "hosts", Text()))
    .order_by(_PEERS.c.host)
    .with_for_update(key_share=True)
)
_DELIVERED = (
    update(_PEERS).where(_PEERS.c.host.in_(_IN_ORDER)).values(last_delivered=bindparam("now"))
)


async def settle(
    session: AsyncSession, settled: Sequence[Settled], owner: str, now: datetime
) -> None:
    """Write down how far lanes of this owner have come, all of them in a few statements.

    What another has claimed meanwhile is passed over: they send again what is not written down.
    """
    said = [
        {"of": one.lane, "by": owner, "said": one.last_refusal, "now": now}
        for one in settled
        if one.last_refusal
    ]
    if said:
        await session.execute(_SAID, said)
    # What a lane was moved to stands before it is let go of, and counts once each time.
    for release in (False, True):
        alike: dict[tuple[int, int, int], list[int]] = {}
        for one in settled:
            if one.release is release:
                came = one.cursor, one.delivered, one.refused
                alike.setdefault(came, []).append(one.lane)
        await _move(session, alike, owner, release=release)
    hosts = sorted({one.host for one in settled if one.delivered})
    if hosts:
        await session.execute(_DELIVERED, {"hosts": hosts, "now": now})


async def _move(
    session: AsyncSession,
    alike: Mapping[tuple[int, int, int], list[int]],
    owner: str,
    *,
    release: bool,
) -> None:
    """Move lanes by (cursor, delivered, refused); a lane that stands there twice moves twice."""
    rows: list[dict[str, int | str]] = []
    for (cursor, sent, refusals), lanes in alike.items():
        came: dict[str, int | str] = {"to": cursor, "sent": sent, "refusals": refusals, "by": owner}
        if len(set(lanes)) == len(lanes) > FEW:
            statement = _ALIKE_FREED if release else _ALIKE
            await session.execute(statement, came | {"lanes": lanes})
        else:
            rows += [came | {"of": lane} for lane in lanes]
    if rows:
        await session.execute(_FREED if release else _MOVED, rows)


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
    after so long asks for the digest, which tells them more quickly what is now true. What one
    of ours said to them alone is in no digest: it is set aside, and told when they are back.
    """
    last = (await session.execute(select(last_seq()))).scalar_one()
    question = select(Lane.id, Lane.inbox, Lane.peer, Lane.cursor).where(Lane.peer == host)
    given: list[str] = []
    for row in (await session.execute(question)).all():
        work = Work(*row)
        await fill(session, [work], [], now, 1)
        if not work.items or work.items[0].at >= before:
            continue
        await _set_aside(session, work, now)
        moved = update(Lane).where(Lane.id == work.lane).values(cursor=last, catch_up=now)
        await session.execute(moved)
        given.append(work.inbox)
    return given


async def _set_aside(session: AsyncSession, work: Work, now: datetime) -> None:
    """Park what is said to this lane alone, and nothing else."""
    direct = exists().where(LogRow.seq == Parked.seq, LogRow.form == Form.DIRECT)
    await session.execute(delete(Parked).where(Parked.lane_id == work.lane, not_(direct)))
    waiting = (
        select(
            LogRecipient.lane_id,
            LogRow.seq,
            LogRow.order_key,
            literal(1),
            literal(now, Parked.next_try.type),
            literal(UNREACHED),
        )
        .join(LogRow, LogRow.seq == LogRecipient.seq)
        .where(
            LogRecipient.lane_id == work.lane,
            LogRecipient.seq > work.cursor,
            LogRow.form == Form.DIRECT,
        )
    )
    columns = ("lane_id", "seq", "order_key", "attempts", "next_try", "error")
    parked = insert(session, Parked).from_select(columns, waiting)
    await session.execute(parked.on_conflict_do_nothing())


def _nothing_waits() -> ColumnElement[bool]:
    """The condition on `Peer` for those to be tried now for whom nothing waits."""
    behind = exists().where(Lane.peer == Peer.host, Lane.cursor < last_seq())
    parked = exists().where(Lane.peer == Peer.host, Parked.lane_id == Lane.id)
    due = Peer.next_try <= bindparam("now", type_=UtcDateTime())
    return and_(due, Peer.paused.is_(None), not_(behind), not_(parked))


_RESTING = Question(select(Peer.host).where(_nothing_waits()), str)
_REST = update(_PEERS).where(_nothing_waits()).values(next_try=None)


async def resting(session: AsyncSession, now: datetime) -> bool:
    """Whether peers are to be tried for whom nothing waits any more."""
    return bool(await ask(session, _RESTING, now=now))


async def rest(session: AsyncSession, now: datetime) -> None:
    """Try none of these until there is something for it: each sign of life would be a commit."""
    await session.execute(_REST, {"now": now})


async def due_by(session: AsyncSession, host: str, moment: datetime) -> None:
    """Have what is parked for a peer tried at this moment, where its own would be later."""
    theirs = select(Lane.id).where(Lane.peer == host)
    await session.execute(
        update(Parked)
        .where(Parked.lane_id.in_(theirs), Parked.next_try > moment)
        .values(next_try=moment)
    )


async def unpark(session: AsyncSession, lane: int, seqs: Sequence[int]) -> None:
    """Parked entries that are dealt with."""
    for batch in in_batches(list(seqs)):
        await session.execute(delete(Parked).where(Parked.lane_id == lane, Parked.seq.in_(batch)))
