# SPDX-License-Identifier: Apache-2.0
"""What each page about reviews shows, and to whom: decided here, once.

A running review is seen by its author (how far it is), by the stewards of its forum who did not
write the practice, and by its reviewers, each their own part. Everybody else finds nothing.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from server import peers
from server.errors import NotFound
from server.practices.record import Record
from server.reviews import rubric
from server.reviews.course import OPEN, Seat
from server.reviews.rows import decided_review, latest_request, open_review, seats_of
from server.reviews.rubric import Answers
from server.settings import Federation
from server.vetting.cases import sender
from server.vetting.masking import shown_record
from storage.forums import Forum, ForumSteward
from storage.members import Member
from storage.peers import Peer
from storage.plain import found as found_row
from storage.posts import Post
from storage.reviews import Review, ReviewSeat, ReviewTask


@dataclass(frozen=True)
class SeatLine:
    """A reviewer as the stewards see them; `name` where they are a member here."""

    seat: ReviewSeat
    name: str
    answers: Answers


@dataclass(frozen=True)
class Case:
    """A review as the stewards of its forum see it.

    `sender` is the agency of an author elsewhere who is not known here.
    """

    review: Review
    post: Post | None
    forum: Forum
    record: Record | None
    seats: list[SeatLine]
    agencies: list[Peer]
    sender: str = ""

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
    if review is None or review.author_id == member.id:
        raise NotFound
    forum = await session.get_one(Forum, review.forum_id)
    steward = await session.get(ForumSteward, (forum.id, member.id))
    if steward is None or not forum.is_local:
        raise NotFound
    seats = await seats_of(session, review.id)
    names = await _names(session, [seat.id for seat in seats])
    host = await sender(session, review)
    peer = await session.get(Peer, host) if host is not None and review.author_id is None else None
    return Case(
        review=review,
        post=await session.get(Post, review.post_id or 0),
        forum=forum,
        record=shown_record(review) if review.record else None,
        seats=[SeatLine(s, names.get(s.id, ""), rubric.unpack(s.answers)) for s in seats],
        agencies=[one for one in agencies if one.host != host],
        sender=peer.name or peer.host if peer is not None else "",
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
    if await found_row(session, ForumSteward, forum, member.id) is None:
        return Beside(False, "", None)
    found = await open_review(session, post_id)
    return Beside(False, "", found.id if found else None)


async def partners(session: AsyncSession, mode: Federation, now: datetime) -> list[Peer]:
    """The agencies that may be asked for a reviewer: a rule names them, and they run Guildhall."""
    in_force = await peers.rules(session)
    question = select(Peer).where(Peer.software == peers.GUILDHALL).order_by(Peer.host).limit(500)
    return [
        peer
        for peer in (await session.execute(question)).scalars()
        if peers.decide(mode, in_force, peer.host, now).explicit
    ]
