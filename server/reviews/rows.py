# SPDX-License-Identifier: Apache-2.0
"""The rows of reviews, found and scrubbed."""

from collections.abc import Collection
from typing import TypeVar

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from server.reviews.course import OPEN, OPEN_TASKS
from server.transaction import Transaction
from storage.log import ActivityBody
from storage.plain import Question, ask, given, whole
from storage.reviews import Review, ReviewRequest, ReviewSeat, ReviewTask

T = TypeVar("T", Review, ReviewRequest)


def token(tx: Transaction) -> str:
    """128 bits that nobody can guess, in hex."""
    return f"{tx.randomness.bits(128):032x}"


def address(origin: str, word: str) -> str:
    """What an invitation, or a reviewer, is called outside."""
    return f"{origin}/reviews/{word}"


async def seats_of(session: AsyncSession, review: int) -> list[ReviewSeat]:
    """The seats of a review, in the order in which they were asked."""
    question = (
        select(ReviewSeat).where(ReviewSeat.review_id == review).order_by(ReviewSeat.id).limit(100)
    )
    return list((await session.execute(question)).scalars())


def _latest(table: type[T], *condition: ColumnElement[bool]) -> Question[T]:
    of_post = table.post_id == given("post")
    return Question(
        select(table).where(of_post, *condition).order_by(table.id.desc()).limit(1), whole
    )


_OPEN = _latest(Review, Review.state.in_(sorted(OPEN)))
_DECIDED = _latest(Review, Review.decided.is_not(None))
_ASKED = _latest(ReviewRequest)


async def _first(session: AsyncSession, question: Question[T], post: int) -> T | None:
    found = await ask(session, question, post=post)
    return found[0] if found else None


async def open_review(session: AsyncSession, post: int) -> Review | None:
    """The review of a practice that is going on."""
    return await _first(session, _OPEN, post)


async def decided_review(session: AsyncSession, post: int) -> Review | None:
    """The review of a practice that was decided last."""
    return await _first(session, _DECIDED, post)


async def review_of_draft(session: AsyncSession, draft: int) -> Review | None:
    """The last review of a practice that is not published yet."""
    question = select(Review).where(Review.draft_id == draft).order_by(Review.id.desc()).limit(1)
    return (await session.execute(question)).scalars().first()


async def task_of_seat(session: AsyncSession, seat: int) -> ReviewTask | None:
    """The task of a seat whose reviewer is a member here."""
    question = select(ReviewTask).where(ReviewTask.seat_id == seat)
    return (await session.execute(question)).scalars().first()


async def tasks_of_seats(
    session: AsyncSession, seats: Collection[ReviewSeat]
) -> dict[int, ReviewTask]:
    """The tasks of those seats whose reviewers are members here, by the seat."""
    question = select(ReviewTask).where(ReviewTask.seat_id.in_([seat.id for seat in seats]))
    return {task.seat_id or 0: task for task in (await session.execute(question)).scalars()}


async def task_at(session: AsyncSession, word: str) -> ReviewTask | None:
    """The task at `/reviews/<token>`."""
    question = select(ReviewTask).where(ReviewTask.token == word)
    return (await session.execute(question)).scalar_one_or_none()


async def task_for(session: AsyncSession, invitation: str) -> ReviewTask | None:
    """The task that an invitation made."""
    question = select(ReviewTask).where(ReviewTask.invitation == invitation)
    return (await session.execute(question)).scalar_one_or_none()


async def seat_at(session: AsyncSession, word: str) -> ReviewSeat | None:
    """The seat that `/reviews/<token>` invites to."""
    question = select(ReviewSeat).where(ReviewSeat.token == word)
    return (await session.execute(question)).scalar_one_or_none()


async def review_about(session: AsyncSession, peer: str, about: str) -> Review | None:
    """The review of a draft that another agency calls so."""
    question = (
        select(Review)
        .where(Review.about == about, Review.peer == peer)
        .order_by(Review.id.desc())
        .limit(1)
    )
    return (await session.execute(question)).scalars().first()


async def request_about(session: AsyncSession, about: str) -> ReviewRequest | None:
    """What one of our people asked for last, by what it is called between the two homes."""
    question = (
        select(ReviewRequest).where(ReviewRequest.about == about).order_by(ReviewRequest.id.desc())
    )
    return (await session.execute(question.limit(1))).scalars().first()


async def request_of_draft(session: AsyncSession, draft: int) -> ReviewRequest | None:
    """The last review of a practice that is not published yet, by a forum elsewhere."""
    question = (
        select(ReviewRequest)
        .where(ReviewRequest.draft_id == draft)
        .order_by(ReviewRequest.id.desc())
        .limit(1)
    )
    return (await session.execute(question)).scalars().first()


async def latest_request(session: AsyncSession, post: int) -> ReviewRequest | None:
    """What one of our people asked for last, of a forum elsewhere."""
    return await _first(session, _ASKED, post)


async def open_tasks_of(session: AsyncSession, member: int) -> list[ReviewTask]:
    """What a member still has to review."""
    question = select(ReviewTask).where(
        ReviewTask.member_id == member, ReviewTask.state.in_(sorted(OPEN_TASKS))
    )
    return list((await session.execute(question.limit(100))).scalars())


def scrub_seat(seat: ReviewSeat) -> None:
    """Leave nothing of what a reviewer wrote."""
    seat.answers = seat.conflict = seat.reason = seat.named = seat.recommendation = ""


def scrub_task(task: ReviewTask) -> None:
    """Leave nothing of what was to be reviewed, and of what was written about it."""
    task.record = task.answers = task.conflict = ""


async def scrub_bodies(tx: Transaction, subjects: Collection[str]) -> None:
    """Leave nothing of what was sent about these; what was not sent yet is not sent any more."""
    await tx.session.execute(
        update(ActivityBody).where(ActivityBody.subject.in_(set(subjects))).values(body=None)
    )
