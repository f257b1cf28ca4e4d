# SPDX-License-Identifier: Apache-2.0
"""What the home of a review hears of its reviewers, wherever they are."""

from server import text
from server.facts import ReviewerReleased, ReviewMoved
from server.reviews import endings, notices, rubric
from server.reviews.course import DECIDED, NotNow, Said, Seat, seat_moves
from server.reviews.notices import Notice
from server.reviews.rows import address, scrub_bodies, scrub_seat, task_of_seat
from server.reviews.rubric import Answers
from server.transaction import Transaction
from storage.reviews import Review, ReviewSeat


async def accepted(tx: Transaction, seat: ReviewSeat, reviewer: str, conflict: str) -> None:
    """A reviewer will do it; `reviewer` is their pseudonym, `conflict` what could sway them."""
    seat_moves(seat, Said.ACCEPT)
    seat.reviewer, seat.conflict = reviewer[:2048], conflict[:2000]
    await _heard(tx, seat, Notice.TOOK)


async def declined(tx: Transaction, seat: ReviewSeat, reason: str) -> None:
    """A reviewer will not do it, or takes back what they wrote."""
    await _must_be_open(tx, seat)
    seat_moves(seat, Said.DECLINE)
    scrub_seat(seat)
    seat.reason = text.clean_line(reason, 300)
    seat.answered = None
    await scrub_bodies(tx, [address(tx.settings.origin, seat.token)])
    await _heard(tx, seat, Notice.REFUSED)


async def answered(tx: Transaction, seat: ReviewSeat, answers: Answers) -> None:
    """A reviewer gave their review."""
    rubric.must_be_whole(answers)
    seat_moves(seat, Said.ANSWER)
    seat.answers, seat.recommendation = rubric.pack(answers), answers.recommendation
    seat.answered = tx.now
    await _heard(tx, seat, Notice.ANSWERED)


async def named(tx: Transaction, seat: ReviewSeat, name: str) -> None:
    """A reviewer consents to be named, after the decision."""
    review = await tx.session.get_one(Review, seat.review_id)
    if review.state not in DECIDED or seat.state != Seat.ANSWERED:
        raise NotNow("Reviewers are named once it is decided.")
    seat.named = text.clean_line(name, 200)


async def lapse(tx: Transaction, seat: ReviewSeat) -> None:
    """A reviewer let the day go by."""
    seat_moves(seat, Said.LAPSE)
    await release(tx, seat)
    await _heard(tx, seat, Notice.LAPSED)


async def withdraw(tx: Transaction, seat: ReviewSeat) -> None:
    """The review's home asks this reviewer no longer; what they wrote goes."""
    seat_moves(seat, Said.WITHDRAW)
    scrub_seat(seat)
    await release(tx, seat)


async def release(tx: Transaction, seat: ReviewSeat) -> None:
    """Have a reviewer told that nothing more is asked of them, and scrub what was sent."""
    await scrub_bodies(tx, [address(tx.settings.origin, seat.token)])
    if seat.peer is not None:
        tx.record(ReviewerReleased(seat.id))
        return
    task = await task_of_seat(tx.session, seat.id)
    if task is not None:
        await endings.released(tx, task, "")


async def _must_be_open(tx: Transaction, seat: ReviewSeat) -> None:
    review = await tx.session.get_one(Review, seat.review_id)
    if review.decided is not None:
        raise NotNow("This review is decided.")


async def _heard(tx: Transaction, seat: ReviewSeat, kind: Notice) -> None:
    """Tell the stewards, and the author how far it has come."""
    review = await tx.session.get_one(Review, seat.review_id)
    path = f"/reviews/cases/{review.id}"
    people = await notices.stewards(tx, review.forum_id)
    await notices.tell_all(tx, people, kind, review.title, path)
    tx.record(ReviewMoved(review.id))
