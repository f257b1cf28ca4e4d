# SPDX-License-Identifier: Apache-2.0
"""How sending to other origins fares, asked of the log and its lanes."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    and_,
    case,
    delete,
    exists,
    func,
    or_,
    select,
    union_all,
    update,
)
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from storage.base import in_batches
from storage.inbox import InboxRow, InboxState, of_origin
from storage.lanes.conditions import in_interval
from storage.log import ActivityBody, Form, Lane, LogRecipient, LogRow, Parked, Subscription
from storage.peers import Peer

IN_USE_FOR = timedelta(days=30)


@dataclass(frozen=True)
class Sums:
    """What the lanes of one origin add up to; `cursor` is the one furthest back.

    `refusing` of the `lanes` have taken nothing since they refused, the first `refusing_since`,
    and are still used; of `in_hand` a process is sending what there is.
    """

    delivered: int = 0
    refused: int = 0
    last_refusal: str = ""
    cursor: int | None = None
    catch_up: datetime | None = None
    lanes: int = 0
    refusing: int = 0
    refusing_since: datetime | None = None
    in_hand: int = 0


@dataclass(frozen=True)
class Count:
    """How many there are; `more` when the counting stopped there."""

    number: int
    more: bool


def known(*conditions: ColumnElement[bool], limit: int | None = None) -> Select[Peer]:
    """The question for origins, by host."""
    return select(Peer).where(*conditions).order_by(Peer.host).limit(limit)


async def sums(
    session: AsyncSession, now: datetime, hosts: Sequence[str] | None = None
) -> dict[str, Sums]:
    """What lanes add up to, by host; of every origin unless `hosts` names some."""
    refusing = case((_refuses(now), Lane.refusing_since))
    question = select(
        Lane.peer,
        func.sum(Lane.delivered),
        func.sum(Lane.refused),
        # An empty one sorts before every other.
        func.max(Lane.last_refusal),
        func.min(Lane.cursor),
        func.max(Lane.catch_up),
        func.count(),
        func.count(refusing),
        func.min(refusing),
        # A process that died has its lanes for as long as their leases run.
        func.count(case((Lane.lease_until > now, Lane.owner))),
    ).group_by(Lane.peer)
    rows: list[Any] = []
    for batch in [None] if hosts is None else in_batches(hosts):
        asked = question if batch is None else question.where(Lane.peer.in_(batch))
        rows += (await session.execute(asked)).all()
    return {row[0]: Sums(int(row[1]), int(row[2]), *row[3:]) for row in rows}


async def parked_counts(
    session: AsyncSession, hosts: Sequence[str] | None = None
) -> dict[str, int]:
    """How many entries are parked, by host; hosts without one are left out."""
    question = (
        select(Lane.peer, func.count()).join(Parked, Parked.lane_id == Lane.id).group_by(Lane.peer)
    )
    found: dict[str, int] = {}
    for batch in [None] if hosts is None else in_batches(hosts):
        asked = question if batch is None else question.where(Lane.peer.in_(batch))
        found.update((row[0], row[1]) for row in (await session.execute(asked)).all())
    return found


async def refusals(session: AsyncSession, host: str, limit: int) -> list[str]:
    """What an origin said when it refused, each once."""
    question = (
        select(Lane.last_refusal)
        .where(Lane.peer == host, Lane.last_refusal != "")
        .distinct()
        .order_by(Lane.last_refusal)
        .limit(limit)
    )
    return list((await session.execute(question)).scalars())


async def parked(
    session: AsyncSession, host: str, limit: int
) -> list[tuple[Parked, LogRow, str | None]]:
    """The oldest parked entries of an origin, with the bodies that there still are."""
    question = (
        select(Parked, LogRow, ActivityBody.body)
        .join(Lane, Lane.id == Parked.lane_id)
        .join(LogRow, LogRow.seq == Parked.seq)
        .join(ActivityBody, ActivityBody.id == LogRow.body_id)
        .where(Lane.peer == host)
        .order_by(Parked.seq, Parked.lane_id)
        .limit(limit)
    )
    return [(row[0], row[1], row[2]) for row in (await session.execute(question)).all()]


def _covered() -> ColumnElement[bool]:
    """The condition on a lane, a subscription and a row of its audience that still has to go."""
    return and_(
        LogRow.audience == Subscription.audience,
        LogRow.seq > Lane.cursor,
        LogRow.form != Form.DIRECT,
        in_interval(),
    )


async def outstanding(
    session: AsyncSession, host: str, forms: Collection[Form], most: int
) -> Count:
    """How many deliveries to an origin are behind its lanes' cursors; counts to `most`.

    One entry may go to several inboxes, and is then as many deliveries. Only `forms` are sent.
    """
    told = (
        select(Lane.id.label("lane"), LogRow.seq.label("seq"))
        .select_from(Lane)
        .join(Subscription, Subscription.lane_id == Lane.id)
        .join(LogRow, _covered())
        .where(Lane.peer == host, LogRow.form.in_(forms))
        .limit(most + 1)
        .subquery()
    )
    named = (
        select(Lane.id.label("lane"), LogRecipient.seq.label("seq"))
        .select_from(Lane)
        .join(LogRecipient, LogRecipient.lane_id == Lane.id)
        .join(LogRow, LogRow.seq == LogRecipient.seq)
        .where(Lane.peer == host, LogRecipient.seq > Lane.cursor, LogRow.form.in_(forms))
        .limit(most + 1)
        .subquery()
    )
    # Two subscriptions of a lane to one forum, one of them ended, may both cover a row.
    rows = union_all(select(told), select(named)).cte("rows")
    once = select(rows.c.lane, rows.c.seq).distinct().subquery()
    found = await session.execute(
        select(
            select(func.count()).select_from(rows).scalar_subquery(),
            select(func.count()).select_from(once).scalar_subquery(),
        )
    )
    seen, distinct = found.one()
    return Count(min(distinct, most), seen > most)


async def oldest_outstanding(
    session: AsyncSession, host: str, forms: Collection[Form]
) -> datetime | None:
    """When the first entry behind an origin's cursors was written; None when there is none."""
    named_row = aliased(LogRow)
    told = (
        select(LogRow.seq)
        .where(_covered(), LogRow.form.in_(forms))
        .order_by(LogRow.seq)
        .limit(1)
        .correlate(Lane, Subscription)
        .scalar_subquery()
    )
    named = (
        select(LogRecipient.seq)
        .join(named_row, named_row.seq == LogRecipient.seq)
        .where(
            LogRecipient.lane_id == Lane.id,
            LogRecipient.seq > Lane.cursor,
            named_row.form.in_(forms),
        )
        .order_by(LogRecipient.seq)
        .limit(1)
        .correlate(Lane)
        .scalar_subquery()
    )
    firsts = union_all(
        select(told.label("seq"))
        .select_from(Lane)
        .join(Subscription, Subscription.lane_id == Lane.id)
        .where(Lane.peer == host),
        select(named.label("seq")).select_from(Lane).where(Lane.peer == host),
    ).subquery()
    first = select(func.min(firsts.c.seq)).scalar_subquery()
    found = await session.execute(select(LogRow.at).where(LogRow.seq == first))
    return found.scalar_one_or_none()


async def unapplied(session: AsyncSession, origin: str, most: int) -> Count:
    """How many activities of an origin's actors wait to be worked on; counts to `most`.

    What waits is found by its state, of which little is ever held, and not by the signer, of
    whom a year's worth may be.
    """
    rows = (
        select(InboxRow.id)
        .where(InboxRow.state == InboxState.WAITING, of_origin(session, origin))
        .limit(most + 1)
        .subquery()
    )
    number = (await session.execute(select(func.count()).select_from(rows))).scalar_one()
    return Count(min(number, most), number > most)


async def try_parked(session: AsyncSession, host: str, now: datetime) -> None:
    """Have every parked entry of an origin tried at once."""
    await session.execute(
        update(Parked)
        .where(Parked.lane_id.in_(select(Lane.id).where(Lane.peer == host)))
        .values(next_try=now)
    )


async def due_count(session: AsyncSession, host: str, moment: datetime) -> int:
    """How many parked entries of an origin were to be tried at this moment or before."""
    question = (
        select(func.count())
        .select_from(Parked)
        .join(Lane, Lane.id == Parked.lane_id)
        .where(Lane.peer == host, Parked.next_try <= moment)
    )
    return (await session.execute(question)).scalar_one()


async def drop(session: AsyncSession, host: str, last: int) -> None:
    """Give up what waits for an origin: its lanes go on after `last`, nothing stays parked.

    What is known against them is forgotten as well.
    """
    lanes = select(Lane.id).where(Lane.peer == host)
    await session.execute(delete(Parked).where(Parked.lane_id.in_(lanes)))
    await session.execute(
        update(Lane).where(Lane.peer == host, Lane.cursor < last).values(cursor=last)
    )
    known = update(Lane).where(Lane.peer == host)
    await session.execute(known.values(catch_up=None, refusing_since=None))


async def given_up(session: AsyncSession, host: str) -> list[tuple[int, datetime, str | None]]:
    """Lanes of an origin on which something was given up: which, when, and what each takes now.

    A lane has a row for each audience, and one with None where it takes nothing by subscription.
    """
    takes = and_(Subscription.lane_id == Lane.id, Subscription.until_seq.is_(None))
    question = (
        select(Lane.id, Lane.catch_up, Subscription.audience)
        .outerjoin(Subscription, takes)
        .where(Lane.peer == host, Lane.catch_up.is_not(None))
    )
    rows: Sequence[Any] = (await session.execute(question)).all()
    return [(row[0], row[1], row[2]) for row in rows]


async def caught_up(session: AsyncSession, lanes: Sequence[int]) -> None:
    """The peer has made good what was given up on these lanes."""
    for batch in in_batches(lanes):
        await session.execute(update(Lane).where(Lane.id.in_(batch)).values(catch_up=None))


def is_refusing(now: datetime) -> ColumnElement[bool]:
    """The condition on `Peer` that a lane still used has taken nothing since it last refused."""
    return exists().where(Lane.peer == Peer.host, _refuses(now))


def _refuses(now: datetime) -> ColumnElement[bool]:
    """The condition on `Lane` that it has taken nothing since it refused, and is still used.

    It is while it takes an audience, or was sent something by name within IN_USE_FOR: one whose
    follower has left has nothing any more by which it could show that it is well.
    """
    takes = exists().where(Subscription.lane_id == Lane.id, Subscription.until_seq.is_(None))
    newest = select(func.max(LogRecipient.seq)).where(LogRecipient.lane_id == Lane.id)
    named = exists().where(
        LogRow.seq == newest.correlate(Lane).scalar_subquery(), LogRow.at > now - IN_USE_FOR
    )
    return and_(Lane.refusing_since.is_not(None), or_(takes, named))
