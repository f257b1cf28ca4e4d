# SPDX-License-Identifier: Apache-2.0
"""Leaving nothing of a review that was withdrawn, or whose practice is gone."""

from sqlalchemy import select, update

from server.facts import PostDeleted, ReviewMoved
from server.reviews import notices, seats
from server.reviews.course import Event, Said, may_move_seat, move
from server.reviews.notices import Notice
from server.reviews.rows import open_review, scrub_seat, seats_of
from server.transaction import Transaction
from storage.reviews import Review, ReviewRequest


async def apply_withdrawal(tx: Transaction, review: Review) -> None:
    """The review as it then is: what was written in it goes, here and with its reviewers."""
    move(review, Event.WITHDRAW)
    for seat in await seats_of(tx.session, review.id):
        if may_move_seat(seat, Said.WITHDRAW):
            await seats.withdraw(tx, seat)
    review.record = review.note = review.letter = ""
    people = await notices.stewards(tx, review.forum_id)
    path = f"/reviews/cases/{review.id}"
    await notices.tell_all(tx, people, Notice.WITHDRAWN, review.title, path)
    tx.record(ReviewMoved(review.id))


async def forget(tx: Transaction, fact: PostDeleted) -> None:
    """Leave nothing of the reviews of a deleted practice."""
    review = await open_review(tx.session, fact.post)
    if review is not None:
        await apply_withdrawal(tx, review)
    held = await tx.session.execute(select(Review).where(Review.post_id == fact.post).limit(100))
    for one in held.scalars().all():
        one.record = one.note = one.letter = one.title = ""
        for seat in await seats_of(tx.session, one.id):
            scrub_seat(seat)
    await tx.session.execute(
        update(ReviewRequest)
        .where(ReviewRequest.post_id == fact.post)
        .values(note="", letter="", told="{}", record="", title="")
    )
