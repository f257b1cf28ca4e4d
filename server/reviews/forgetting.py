# SPDX-License-Identifier: Apache-2.0
"""What follows in reviews when a post is deleted."""

from sqlalchemy import delete, select, update

from server.facts import PostDeleted
from server.practices import standing
from server.reviews.cases import apply_withdrawal
from server.reviews.course import OPEN
from server.reviews.rows import open_review, scrub_seat, seats_of
from server.transaction import Transaction
from storage.posts import Post
from storage.reviews import Review, ReviewRequest, ReviewStatement


async def forget(tx: Transaction, fact: PostDeleted) -> None:
    """Leave nothing of the reviews of a deleted practice, and of what a deleted reply stated."""
    said = await tx.session.get(ReviewStatement, fact.post)
    if said is not None:
        uri = said.of
        await tx.session.execute(
            delete(ReviewStatement).where(ReviewStatement.post_id == fact.post)
        )
        await standing.reckon_uri(tx, uri)
    review = await open_review(tx.session, fact.post)
    if review is not None:
        await apply_withdrawal(tx, await tx.session.get_one(Post, fact.post), review)
    held = await tx.session.execute(select(Review).where(Review.post_id == fact.post).limit(100))
    for one in held.scalars().all():
        one.record = one.note = one.letter = ""
        for seat in await seats_of(tx.session, one.id):
            scrub_seat(seat)
    await tx.session.execute(
        update(ReviewRequest)
        .where(ReviewRequest.post_id == fact.post, ReviewRequest.state.in_(sorted(OPEN)))
        .values(note="", letter="", told="{}")
    )
