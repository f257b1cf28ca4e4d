# SPDX-License-Identifier: Apache-2.0
"""What each page about reviews shows, and to whom: decided here, once.

A running review is seen by its author (how far it is), by the stewards of its forum who did not
write the practice, and by its reviewers, each their own part. Everybody else finds nothing.
"""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from server import peers
from server.errors import NotFound
from server.practices.record import Record, unpack
from server.reviews import rubric
from server.reviews.course import DECIDED, OPEN, OPEN_SEATS, OPEN_TASKS, Seat, State, Task
from server.reviews.masking import shown_record
from server.reviews.rows import decided_review, latest_request, open_review, seats_of, task_at
from server.reviews.rubric import Answers
from server.settings import Federation
from storage.forums import Forum, ForumSteward
from storage.members import Member
from storage.peers import Peer
from storage.posts import Post, PostState
from storage.practices import Practice
from storage.reviews import Review, ReviewRequest, ReviewSeat, ReviewTask

PAGE = 50


@dataclass(frozen=True)
class Line:
    """A review in a list, with whose practice it is and how many are asked, at it and done."""

    review: Review
    post: Post
    forum: Forum
    asked: int
    given: int


@dataclass(frozen=True)
class Mine:
    """All that a member has to do with reviews."""

    tasks: list[ReviewTask]
    offers: list[ReviewTask]
    done: list[ReviewTask]
    written: list[tuple[Post, str]]
    cases: list[Line]


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
    )


async def _written(session: AsyncSession, member: Member) -> list[tuple[Post, str]]:
    """The member's practices that are or were under review, with the state of the last one."""
    found: dict[int, tuple[Post, str]] = {}
    for table in (Review, ReviewRequest):
        question = (
            select(Post, table.state)
            .join(table, table.post_id == Post.id)
            .where(Post.author_id == member.id, Post.state != PostState.DELETED)
            .order_by(table.id)
            .limit(PAGE)
        )
        found |= {post.id: (post, state) for post, state in (await session.execute(question)).all()}
    return list(found.values())[::-1]


async def board(session: AsyncSession, member: Member, *, only_open: bool = False) -> list[Line]:
    """The reviews in the forums that a member looks after, those that wait first."""
    kept = select(ForumSteward.forum_id).where(ForumSteward.member_id == member.id)
    question = (
        select(Review, Post, Forum)
        .join(Post, Post.id == Review.post_id)
        .join(Forum, Forum.id == Post.forum_id)
        .where(Forum.id.in_(kept), Forum.peer.is_(None), Post.author_id != member.id)
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
            review, post, forum,
            asked=sum(s in {*OPEN_SEATS, Seat.ANSWERED} for s in states.get(review.id, ())),
            given=states.get(review.id, []).count(Seat.ANSWERED),
        )
        for review, post, forum in rows
    ]  # fmt: skip
    return sorted(lines, key=lambda line: line.review.state not in OPEN)


@dataclass(frozen=True)
class SeatLine:
    """A reviewer as the stewards see them; `name` where they are a member here."""

    seat: ReviewSeat
    name: str
    answers: Answers


@dataclass(frozen=True)
class Case:
    """A review as the stewards of its forum see it."""

    review: Review
    post: Post
    forum: Forum
    record: Record | None
    seats: list[SeatLine]
    agencies: list[Peer]

    @property
    def is_open(self) -> bool:
        return self.review.state in OPEN

    @property
    def given(self) -> int:
        return sum(line.seat.state == Seat.ANSWERED for line in self.seats)


async def case_page(
    session: AsyncSession, member: Member, number: int, agencies: list[Peer]
) -> Case:
    """A review for a steward who did not write the practice; NotFound for everybody else."""
    review = await session.get(Review, number)
    post = await session.get(Post, review.post_id) if review else None
    if review is None or post is None or post.author_id == member.id:
        raise NotFound
    forum = await session.get_one(Forum, post.forum_id)
    steward = await session.get(ForumSteward, (forum.id, member.id))
    if steward is None or not forum.is_local:
        raise NotFound
    seats = await seats_of(session, review.id)
    names = await _names(session, [seat.id for seat in seats])
    author = await session.get_one(Member, post.author_id)
    return Case(
        review=review,
        post=post,
        forum=forum,
        record=shown_record(review) if review.record else None,
        seats=[SeatLine(s, names.get(s.id, ""), rubric.unpack(s.answers)) for s in seats],
        agencies=[peer for peer in agencies if peer.host != author.peer],
    )


async def _names(session: AsyncSession, seats: list[int]) -> dict[int, str]:
    """The members here who sit on seats, by the seat."""
    question = (
        select(ReviewTask.seat_id, Member.name)
        .join(Member, Member.id == ReviewTask.member_id)
        .where(ReviewTask.seat_id.in_(seats))
    )
    return {seat or 0: name for seat, name in (await session.execute(question)).all()}


@dataclass(frozen=True)
class TaskPage:
    """A review asked of our agency, for its reviewer or for an admin who names one."""

    task: ReviewTask
    record: Record | None
    answers: Answers
    is_reviewer: bool
    may_name: bool
    reviewer: str


async def task_page(session: AsyncSession, member: Member, word: str) -> TaskPage:
    """The task at an address; NotFound for everybody it is not for.

    An admin sees it until somebody has accepted: then it is between the reviewer and its home.
    """
    task = await task_at(session, word[:64])
    if task is None:
        raise NotFound
    is_reviewer = task.member_id == member.id
    may_name = (
        member.is_admin and task.peer is not None and task.state in {Task.OFFERED, Task.ASKED}
    )
    if not is_reviewer and not may_name:
        raise NotFound
    who = await session.get(Member, task.member_id or 0)
    return TaskPage(
        task=task,
        record=unpack(task.record) if task.record else None,
        answers=rubric.unpack(task.answers if is_reviewer else ""),
        is_reviewer=is_reviewer,
        may_name=may_name,
        reviewer=who.name if who is not None else "",
    )


@dataclass(frozen=True)
class Given:
    """A review as its author reads it after the decision: an agency, and maybe a name."""

    agency: str
    name: str
    answers: Answers


@dataclass(frozen=True)
class AuthorPage:
    """Where the review of one's own practice stands; numbers only until it is decided."""

    post: Post
    forum: Forum
    version: int
    state: str
    reviewed_version: int
    submitted: datetime | None
    due: datetime | None
    decided: datetime | None
    note: str
    letter: str
    asked: int
    accepted: int
    answered: int
    reviews: list[Given]

    @property
    def is_open(self) -> bool:
        return self.state in OPEN

    @property
    def may_submit(self) -> bool:
        return not self.is_open and self.post.state == PostState.LIVE


async def author_page(session: AsyncSession, member: Member, post_id: int) -> AuthorPage:
    """The review of a practice for its author; NotFound for everybody else."""
    post = await session.get(Post, post_id)
    practice = await session.get(Practice, post_id)
    if post is None or practice is None or post.author_id != member.id:
        raise NotFound
    forum = await session.get_one(Forum, post.forum_id)
    if not forum.is_local:
        request = await latest_request(session, post.id)
        return _of_request(post, forum, practice, request)
    review = await open_review(session, post.id) or await decided_review(session, post.id)
    held = await seats_of(session, review.id) if review else []
    return _of_review(post, forum, practice, review, held)


def _of_review(
    post: Post, forum: Forum, practice: Practice, review: Review | None, seats: list[ReviewSeat]
) -> AuthorPage:
    states = [seat.state for seat in seats]
    is_told = review is not None and review.state in DECIDED
    return AuthorPage(
        post=post,
        forum=forum,
        version=practice.version,
        state=review.state if review else "",
        reviewed_version=review.version if review else 0,
        submitted=review.submitted if review else None,
        due=review.due if review else None,
        decided=review.decided if review else None,
        note=review.note if review else "",
        letter=review.letter if review and review.decided else "",
        asked=sum(state in {*OPEN_SEATS, Seat.ANSWERED} for state in states),
        accepted=sum(state in {Seat.ACCEPTED, Seat.ANSWERED} for state in states),
        answered=states.count(Seat.ANSWERED),
        reviews=given(seats) if is_told else [],
    )


def given(seats: list[ReviewSeat]) -> list[Given]:
    """What the reviewers wrote, for the author of the practice."""
    return [
        Given(seat.agency, seat.named, rubric.unpack(seat.answers))
        for seat in seats
        if seat.state == Seat.ANSWERED and seat.answers
    ]


def _of_request(
    post: Post, forum: Forum, practice: Practice, request: ReviewRequest | None
) -> AuthorPage:
    said: dict[str, Any] = json.loads(request.told) if request else {}
    return AuthorPage(
        post=post,
        forum=forum,
        version=practice.version,
        state=request.state if request else "",
        reviewed_version=request.version if request else 0,
        submitted=request.asked if request else None,
        due=None,
        decided=request.decided if request else None,
        note=request.note if request else "",
        letter=request.letter if request else "",
        asked=said.get("asked") or 0,
        accepted=said.get("accepted") or 0,
        answered=said.get("answered") or 0,
        reviews=[
            Given(one.get("agency", ""), "", rubric.unpack(json.dumps(one.get("answers", {}))))
            for one in said.get("reviews", [])
        ],
    )


@dataclass(frozen=True)
class Beside:
    """What the page of a practice says of reviews: who may ask, who is asked to look."""

    may_ask: bool
    state: str
    case: int | None


async def beside(
    session: AsyncSession, member: Member | None, post_id: int, author_id: int, forum: int
) -> Beside:
    """For the author of a practice and the stewards of its forum; nothing for others."""
    if member is None or not member.is_local:
        return Beside(False, "", None)
    if member.id == author_id:
        found = await open_review(session, post_id) or await decided_review(session, post_id)
        asked = await latest_request(session, post_id)
        state = found.state if found else asked.state if asked else ""
        return Beside(True, state, None)
    if await session.get(ForumSteward, (forum, member.id)) is None:
        return Beside(False, "", None)
    found = await open_review(session, post_id)
    return Beside(False, "", found.id if found else None)


STATES: dict[str, str] = {
    State.SUBMITTED: "Submitted",
    State.UNDERWAY: "Under review",
    State.ACCEPTED: "Accepted",
    State.CHANGES: "Changes asked for",
    State.DECLINED: "Declined",
    State.WITHDRAWN: "Withdrawn",
    "refused": "Not taken up",
}
SEATS: dict[str, str] = {
    Seat.INVITED: "Invited",
    Seat.ACCEPTED: "Reviewing",
    Seat.ANSWERED: "Review given",
    Seat.DECLINED: "Declined",
    Seat.LAPSED: "Let the day go by",
    Seat.WITHDRAWN: "No longer asked",
}
TASKS: dict[str, str] = {
    Task.OFFERED: "Nobody is named yet",
    Task.ASKED: "Waiting for a yes or no",
    Task.ACCEPTED: "To be written",
    Task.ANSWERED: "Sent, not decided yet",
    Task.DECLINED: "Declined",
    Task.CLOSED: "No longer asked for",
    Task.DECIDED: "Decided",
}


async def partners(session: AsyncSession, mode: Federation, now: datetime) -> list[Peer]:
    """The agencies that may be asked for a reviewer: a rule names them, and they run Guildhall."""
    in_force = await peers.rules(session)
    question = select(Peer).where(Peer.software == peers.GUILDHALL).order_by(Peer.host).limit(500)
    return [
        peer
        for peer in (await session.execute(question)).scalars()
        if peers.decide(mode, in_force, peer.host, now).explicit
    ]
