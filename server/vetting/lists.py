# SPDX-License-Identifier: Apache-2.0
"""The reviews that a member has to do with, in lists."""

from dataclasses import dataclass

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from server.reviews.course import OPEN, OPEN_SEATS, OPEN_TASKS, Seat, Task
from server.vetting import requests
from storage.forums import Forum, ForumSteward
from storage.members import Member
from storage.reviews import Review, ReviewRequest, ReviewSeat, ReviewTask

PAGE = 50


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


async def mine(session: AsyncSession, member: Member) -> Mine:
    """What a member is asked for, has done, wrote and keeps."""
    question = (
        select(ReviewTask)
        .where(ReviewTask.member_id == member.id)
        .order_by(ReviewTask.due.desc())
        .limit(PAGE)
    )
    held = list((await session.execute(question)).scalars())
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
    return Mine(
        tasks=sorted((t for t in held if t.state in OPEN_TASKS), key=lambda t: t.due),
        offers=offers,
        done=[task for task in held if task.state not in OPEN_TASKS],
        written=await _written(session, member),
        cases=await board(session, member, only_open=True),
        keeps=await _keeps(session, member),
    )


async def _keeps(session: AsyncSession, member: Member) -> bool:
    question = (
        select(ForumSteward.forum_id)
        .join(Forum, Forum.id == ForumSteward.forum_id)
        .where(ForumSteward.member_id == member.id, Forum.peer.is_(None))
        .limit(1)
    )
    return (await session.execute(question)).first() is not None


async def _written(session: AsyncSession, member: Member) -> list[Written]:
    """The member's practices that are or were under review, with the state of the last one."""
    found: dict[str, Written] = {}
    here = (
        select(Review)
        .where(Review.author_id == member.id, Review.title != "")
        .order_by(Review.id.desc())
        .limit(PAGE)
    )
    for review in (await session.execute(here)).scalars():
        if review.post_id is None and review.draft_id is None:
            continue
        path = f"/p/{review.post_id}/review"
        if review.post_id is None:
            path = f"/reviews/drafts/{review.draft_id}"
        found.setdefault(path, Written(review.title, review.state, path))
    elsewhere = (
        select(ReviewRequest)
        .where(ReviewRequest.member_id == member.id, ReviewRequest.title != "")
        .order_by(ReviewRequest.id.desc())
        .limit(PAGE)
    )
    for request in (await session.execute(elsewhere)).scalars():
        path = requests.page_of(request)
        if path:
            found.setdefault(path, Written(request.title, request.state, path))
    return list(found.values())


async def board(session: AsyncSession, member: Member, *, only_open: bool = False) -> list[Line]:
    """The reviews in the forums that a member looks after, those that wait first."""
    kept = select(ForumSteward.forum_id).where(ForumSteward.member_id == member.id)
    question = (
        select(Review, Forum)
        .join(Forum, Forum.id == Review.forum_id)
        .where(
            Forum.id.in_(kept),
            Forum.peer.is_(None),
            or_(Review.author_id.is_(None), Review.author_id != member.id),
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
