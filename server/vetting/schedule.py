# SPDX-License-Identifier: Apache-2.0
"""What the clock does to reviews: reminders, days gone by, reviews grown old."""

from sqlalchemy import exists, select
from sqlalchemy.orm import aliased

from server.practices import standing
from server.practices.evidence import Step
from server.practices.keeping import library
from server.reviews import notices, seats
from server.reviews.course import (
    GRACE,
    OPEN_SEATS,
    OPEN_TASKS,
    REMINDED_BEFORE,
    has_lapsed,
    is_to_remind,
)
from server.reviews.notices import Notice
from server.transaction import Transaction
from storage.base import UtcDateTime
from storage.members import Member
from storage.plain import given
from storage.posts import Post
from storage.practices import Practice
from storage.reviews import ReviewSeat, ReviewStatement, ReviewTask

AT_ONCE = 100
# Written once, for they are asked every few minutes.
_BEFORE = given("before", UtcDateTime())
_DUE = (
    select(ReviewTask)
    .where(
        ReviewTask.state.in_(sorted(OPEN_TASKS)),
        ReviewTask.reminded.is_(None),
        ReviewTask.due <= _BEFORE,
    )
    .order_by(ReviewTask.due, ReviewTask.id)
    .limit(AT_ONCE)
)
_LATE = (
    select(ReviewSeat)
    .where(ReviewSeat.state.in_(sorted(OPEN_SEATS)), ReviewSeat.due < _BEFORE)
    .order_by(ReviewSeat.due, ReviewSeat.id)
    .limit(AT_ONCE)
)
_later = aliased(ReviewStatement)
_IS_LAST = ~exists().where(_later.of == ReviewStatement.of, _later.at > ReviewStatement.at)
_OLD = (
    select(Practice)
    .join(Post, Post.id == Practice.post_id)
    .join(ReviewStatement, ReviewStatement.of == Post.uri)
    .where(Practice.evidence >= int(Step.REVIEWED), ReviewStatement.at < _BEFORE, _IS_LAST)
    .order_by(ReviewStatement.at, Practice.post_id)
    .limit(AT_ONCE)
)


async def tend(tx: Transaction) -> None:
    """Everything that is due; called again before long, so that a limit is no loss."""
    await _remind(tx)
    await _lapse(tx)
    await _age(tx)


async def _remind(tx: Transaction) -> None:
    due = await tx.session.execute(_DUE, {"before": tx.now + REMINDED_BEFORE})
    for task in due.scalars().all():
        if not is_to_remind(task, tx.now):
            continue
        task.reminded = tx.now
        path = f"/reviews/{task.token}"
        if task.member_id is None:
            people = await notices.admins(tx)
            await notices.tell_all(tx, people, Notice.OFFERED, task.title, path)
        else:
            member = await tx.session.get_one(Member, task.member_id)
            await notices.tell(tx, member, Notice.DUE, task.title, path)


async def _lapse(tx: Transaction) -> None:
    late = await tx.session.execute(_LATE, {"before": tx.now - GRACE})
    for seat in late.scalars().all():
        if has_lapsed(seat, tx.now):
            await seats.lapse(tx, seat)


async def _age(tx: Transaction) -> None:
    """Put practices whose review has grown old where they now belong."""
    kept = await library(tx.session)
    old = await tx.session.execute(_OLD, {"before": tx.now - kept.period})
    for practice in old.scalars().unique().all():
        await standing.reckon(tx, practice)
