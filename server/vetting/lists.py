# SPDX-License-Identifier: Apache-2.0
"""The reviews that a member has to do with, in lists."""

from dataclasses import dataclass

from sqlalchemy import exists, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from server.reviews.course import OPEN, OPEN_SEATS, OPEN_TASKS, Seat, Task
from server.vetting import requests
from storage.forums import Forum, ForumSteward
from storage.members import Member
from storage.reviews import Review, ReviewRequest, ReviewSeat, ReviewTask

PAGE = 50
LATEST = (1 << 63) - 1


@dataclass(frozen=True)
class Line:
    """A review in a list, with how many are asked, at it and done."""

    review: Review
    forum: Forum
    asked: int
    given: int


@dataclass(frozen=True)
class Written:
    """A practice that its author has had reviewed, where that stands, and the page of it."""

    title: str
    state: str
    path: str


@dataclass(frozen=True)
class Mine:
    """All that a member has to do with reviews; `keeps`: some forum is theirs to look after."""

    tasks: list[ReviewTask]
    offers: list[ReviewTask]
    done: list[ReviewTask]
    written: list[Written]
    cases: list[Line]
    keeps: bool
    older: "Older"


@dataclass(frozen=True)
class Older:
    """Where the lists that only grow go on: below these ids, None for one that has ended.

    `done` is of tasks, `here` of reviews at this instance, `elsewhere` of requests.
    """

    done: int | None = None
    here: int | None = None
    elsewhere: int | None = None


async def mine(session: AsyncSession, member: Member) -> Mine:
    """What a member is asked for, has done, wrote and keeps."""
    question = (
        select(ReviewTask)
        .where(ReviewTask.member_id == member.id, ReviewTask.state.in_(sorted(OPEN_TASKS)))
        .order_by(ReviewTask.due, ReviewTask.id)
        .limit(PAGE)
    )
    offers: list[ReviewTask] = []
    if member.is_admin:
        offered = (
            select(ReviewTask)
            .where(ReviewTask.state.in_([Task.OFFERED, Task.ASKED]), ReviewTask.peer.is_not(None))
            .order_by(ReviewTask.due)
            .limit(PAGE)
        )
        offers = [
            task
            for task in (await session.execute(offered)).scalars()
            if task.member_id != member.id
        ]
    start = Older(LATEST, LATEST, LATEST)
    done, written, older = await earlier(session, member, start)
    return Mine(
        tasks=list((await session.execute(question)).scalars()),
        offers=offers,
        done=done,
        written=written,
        cases=await board(session, member, only_open=True),
        keeps=await _keeps(session, member),
        older=older,
    )


async def earlier(
    session: AsyncSession, member: Member, before: Older
) -> tuple[list[ReviewTask], list[Written], Older]:
    """The reviews that a member has given and the practices they had reviewed, below these ids."""
    done: list[ReviewTask] = []
    if before.done is not None:
        question = (
            select(ReviewTask)
            .where(
                ReviewTask.member_id == member.id,
                ReviewTask.state.not_in(sorted(OPEN_TASKS)),
                ReviewTask.id < before.done,
            )
            .order_by(ReviewTask.id.desc())
            .limit(PAGE)
        )
        done = list((await session.execute(question)).scalars())
    here, elsewhere = await _here(session, member, before), await _asked(session, member, before)
    written = [
        *(Written(one.title, one.state, _page_of(one)) for one in here),
        *(Written(one.title, one.state, requests.page_of(one)) for one in elsewhere),
    ]
    older = Older(*(rows[-1].id if len(rows) == PAGE else None for rows in (done, here, elsewhere)))
    return done, written, older


async def _keeps(session: AsyncSession, member: Member) -> bool:
    question = (
        select(ForumSteward.forum_id)
        .join(Forum, Forum.id == ForumSteward.forum_id)
        .where(ForumSteward.member_id == member.id, Forum.peer.is_(None))
        .limit(1)
    )
    return (await session.execute(question)).first() is not None


def _page_of(review: Review) -> str:
    if review.post_id is not None:
        return f"/p/{review.post_id}/review"
    return f"/reviews/drafts/{review.draft_id}"


async def _here(session: AsyncSession, member: Member, before: Older) -> list[Review]:
    """The last review of each practice of the member's that a forum here was asked for."""
    if before.here is None:
        return []
    later = aliased(Review)
    is_same = or_(later.post_id == Review.post_id, later.draft_id == Review.draft_id)
    question = (
        select(Review)
        .where(
            Review.author_id == member.id,
            Review.title != "",
            or_(Review.post_id.is_not(None), Review.draft_id.is_not(None)),
            Review.id < before.here,
            ~exists().where(later.author_id == member.id, later.id > Review.id, is_same),
        )
        .order_by(Review.id.desc())
        .limit(PAGE)
    )
    return list((await session.execute(question)).scalars())


async def _asked(session: AsyncSession, member: Member, before: Older) -> list[ReviewRequest]:
    """The last request for each practice of the member's, of forums elsewhere."""
    if before.elsewhere is None:
        return []
    later = aliased(ReviewRequest)
    is_same = or_(later.post_id == ReviewRequest.post_id, later.draft_id == ReviewRequest.draft_id)
    question = (
        select(ReviewRequest)
        .where(
            ReviewRequest.member_id == member.id,
            ReviewRequest.title != "",
            or_(ReviewRequest.post_id.is_not(None), ReviewRequest.draft_id.is_not(None)),
            ReviewRequest.id < before.elsewhere,
            ~exists().where(later.member_id == member.id, later.id > ReviewRequest.id, is_same),
        )
        .order_by(ReviewRequest.id.desc())
        .limit(PAGE)
    )
    return list((await session.execute(question)).scalars())


async def board(
    session: AsyncSession, member: Member, *, only_open: bool = False, before: int | None = None
) -> list[Line]:
    """The reviews in the forums that a member looks after, the latest submitted first."""
    kept = select(ForumSteward.forum_id).where(ForumSteward.member_id == member.id)
    question = (
        select(Review, Forum)
        .join(Forum, Forum.id == Review.forum_id)
        .where(
            Forum.id.in_(kept),
            Forum.peer.is_(None),
            or_(Review.author_id.is_(None), Review.author_id != member.id),
            Review.id < (before or LATEST),
        )
        .order_by(Review.id.desc())
        .limit(PAGE)
    )
    if only_open:
        question = question.where(Review.state.in_(sorted(OPEN)))
    rows = (await session.execute(question)).all()
    numbers = [row[0].id for row in rows]
    seats = await session.execute(
        select(ReviewSeat.review_id, ReviewSeat.state).where(ReviewSeat.review_id.in_(numbers))
    )
    states: dict[int, list[str]] = {}
    for number, state in seats.all():
        states.setdefault(number, []).append(state)
    lines = [
        Line(
            review, forum,
            asked=sum(s in {*OPEN_SEATS, Seat.ANSWERED} for s in states.get(review.id, ())),
            given=states.get(review.id, []).count(Seat.ANSWERED),
        )
        for review, forum in rows
    ]  # fmt: skip
    return sorted(lines, key=lambda line: line.review.state not in OPEN)
