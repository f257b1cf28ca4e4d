# SPDX-License-Identifier: Apache-2.0
"""Which lanes have something to send."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import (
    Integer,
    Text,
    bindparam,
    func,
    not_,
    or_,
    select,
)
from sqlalchemy.ext.asyncio import AsyncSession

from storage.among import among
from storage.base import UtcDateTime
from storage.lanes.conditions import has_rows, in_interval, is_behind, is_free, last_seq
from storage.lanes.work import COLUMNS, Item
from storage.log import Form, Lane, LogRecipient, LogRow, Parked, Subscription
from storage.peers import Peer
from storage.plain import Question, ask, given

# Asked at every post, and answered from an index or from next to nothing: by the plain driver.
# What may take long is asked by the engine, beside the loop.
_NOW = bindparam("now", type_=UtcDateTime())
_ROWS_AFTER = Question(
    select(*COLUMNS)
    .where(LogRow.seq > given("seq"))
    .order_by(LogRow.seq)
    .limit(given("most", Integer())),
    Item,
)
_SUBSCRIBED = (
    select(Subscription.lane_id)
    .join(LogRow, LogRow.audience == Subscription.audience)
    .where(
        among(Subscription.audience, "audiences", Text()),
        LogRow.seq.between(bindparam("first"), bindparam("last")),
        LogRow.form != Form.DIRECT,
        in_interval(),
    )
    .distinct()
)
_NAMED = Question(
    select(LogRecipient.lane_id)
    .where(LogRecipient.seq.between(given("first"), given("last")))
    .distinct(),
    int,
)
_AGAIN = Question(
    select(Lane.id)
    .join(Peer, Peer.host == Lane.peer)
    .where(Peer.next_try <= _NOW, Peer.paused.is_(None), Lane.cursor < last_seq()),
    int,
)
_ANY_PARKED = Question(select(Parked.seq).limit(1), int)
_PARKED = (
    select(Parked.lane_id)
    .join(Lane, Lane.id == Parked.lane_id)
    .outerjoin(Peer, Peer.host == Lane.peer)
    .where(
        Parked.next_try <= _NOW,
        Peer.paused.is_(None),
        or_(Peer.next_try.is_(None), Peer.next_try <= _NOW),
        not_(is_behind()),
    )
    .distinct()
)
_WAITING = (
    select(Lane.id)
    .outerjoin(Peer, Peer.host == Lane.peer)
    .where(
        Peer.paused.is_(None),
        or_(Peer.next_try.is_(None), Peer.next_try <= _NOW),
        is_free(bindparam("owner", type_=Text()), _NOW),
        has_rows(Lane.cursor),
    )
)
_PAUSED = Question(select(Peer.host).where(Peer.paused.is_not(None)), str)
# The first of them that has something to come, rather than all that wait.
_NEXT_OF_PEERS = Question(
    select(Peer.next_try)
    .join(Lane, Lane.peer == Peer.host)
    .where(Peer.next_try > _NOW, Peer.paused.is_(None), Lane.cursor < last_seq())
    .order_by(Peer.next_try)
    .limit(1),
    lambda moment: moment,
)
_NEXT_OF_PARKED = (
    select(func.min(Parked.next_try))
    .join(Lane, Lane.id == Parked.lane_id)
    .outerjoin(Peer, Peer.host == Lane.peer)
    .where(Parked.next_try > _NOW, Peer.paused.is_(None), not_(is_behind()))
)


async def rows_after(session: AsyncSession, seq: int, limit: int) -> list[Item]:
    """The log's next rows, in order."""
    return await ask(session, _ROWS_AFTER, seq=seq, most=limit)


async def interested(session: AsyncSession, items: Sequence[Item]) -> set[int]:
    """The lanes that any of these rows is for."""
    if not items:
        return set()
    between = {"first": items[0].seq, "last": items[-1].seq}
    audiences = sorted({item.audience for item in items if item.form != Form.DIRECT})
    found = set(await ask(session, _NAMED, **between))
    if audiences:
        theirs = between | {"audiences": audiences}
        found |= set((await session.execute(_SUBSCRIBED, theirs)).scalars())
    return found


async def waiting(session: AsyncSession, owner: str, now: datetime) -> set[int]:
    """Every lane with something to send now, looked for in the log itself: slow and sure."""
    return set((await session.execute(_WAITING, {"owner": owner, "now": now})).scalars())


async def returning(session: AsyncSession, now: datetime) -> set[int]:
    """The lanes of peers that are to be tried again now, and those with parked entries due."""
    found = set(await ask(session, _AGAIN, now=now))
    if await ask(session, _ANY_PARKED):
        found |= set((await session.execute(_PARKED, {"now": now})).scalars())
    return found


async def paused(session: AsyncSession) -> set[str]:
    """The peers that an admin has nothing sent to."""
    return set(await ask(session, _PAUSED))


async def next_return(session: AsyncSession, now: datetime) -> datetime | None:
    """When the next peer or parked entry is to be tried again."""
    times: list[datetime | None] = list(await ask(session, _NEXT_OF_PEERS, now=now))
    if await ask(session, _ANY_PARKED):
        times.append((await session.execute(_NEXT_OF_PARKED, {"now": now})).scalar())
    return min((moment for moment in times if moment is not None), default=None)
