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
from storage.members import Member
from storage.posts import Post
from storage.practices import Practice
from storage.reviews import ReviewSeat, ReviewStatement, ReviewTask

AT_ONCE = 100


async def tend(tx: Transaction) -> None:
    """Everything that is due; called again before long, so that a limit is no loss."""
    await _remind(tx)
    await _lapse(tx)
    await _age(tx)


async def _remind(tx: Transaction) -> None:
    question = (
        select(ReviewTask)
        .where(
            ReviewTask.state.in_(sorted(OPEN_TASKS)),
            ReviewTask.reminded.is_(None),
            ReviewTask.due <= tx.now + REMINDED_BEFORE,
        )
        .order_by(ReviewTask.due, ReviewTask.id)
        .limit(AT_ONCE)
    )
    for task in (await tx.session.execute(question)).scalars().all():
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
    question = (
        select(ReviewSeat)
        .where(ReviewSeat.state.in_(sorted(OPEN_SEATS)), ReviewSeat.due < tx.now - GRACE)
        .order_by(ReviewSeat.due, ReviewSeat.id)
        .limit(AT_ONCE)
    )
    for seat in (await tx.session.execute(question)).scalars().all():
        if has_lapsed(seat, tx.now):
            await seats.lapse(tx, seat)


async def _age(tx: Transaction) -> None:
    """Put practices whose review has grown old where they now belong."""
    kept = await library(tx.session)
    limit = tx.now - kept.period
    later = aliased(ReviewStatement)
    is_last = ~exists().where(later.of == ReviewStatement.of, later.at > ReviewStatement.at)
    question = (
        select(Practice)
        .join(Post, Post.id == Practice.post_id)
        .join(ReviewStatement, ReviewStatement.of == Post.uri)
        .where(
            Practice.evidence >= int(Step.REVIEWED),
            ReviewStatement.at < limit,
            is_last,
        )
        .order_by(ReviewStatement.at, Practice.post_id)
        .limit(AT_ONCE)
    )
    for practice in (await tx.session.execute(question)).scalars().unique().all():
        await standing.reckon(tx, practice)
