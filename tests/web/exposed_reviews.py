# SPDX-License-Identifier: Apache-2.0
"""A running review with words of its own in everything that is written in it."""

from dataclasses import replace

from server.instance import Instance
from server.practices.record import unpack
from server.reviews import rubric
from server.reviews.rows import token
from server.transaction import Transaction
from server.vetting import cases, drafts
from storage.forums import Forum
from storage.members import Member
from storage.posts import Post
from storage.reviews import Review, ReviewSeat, ReviewTask
from tests.server.reviews.bench import answers


async def under_review(
    instance: Instance, author: Member, steward: Member, reviewer: Member, post: Post, taint: str
) -> tuple[str, list[str]]:
    """(number, tokens) of a review that has been answered once, and asked of our agency once."""
    async with instance.transaction() as tx:
        review = await cases.submit(tx, author, post, f"Kerb {taint}")
        words = {"reason": taint, "conflict": taint, "agency": taint}
        given = rubric.pack(answers(words=taint))
        seat = ReviewSeat(
            id=tx.ids.next(), review_id=review.id, token=token(tx), peer=None, state="answered",
            reviewer="", answers=given, recommendation="accept", named="", invited=tx.now,
            due=tx.now, answered=tx.now, **words,
        )  # fmt: skip
        tx.session.add(seat)
        await tx.session.flush()
        made = [seat.token]
        for number, who in enumerate((reviewer, None)):
            task = ReviewTask(
                id=tx.ids.next(), token=token(tx), invitation=f"http://{taint}/{number}",
                seat_id=seat.id if who else None, peer=None if who else "lakeside.localhost",
                asked_by=taint, forum=taint, title=taint, record=review.record, version=1,
                masked=True, member_id=who.id if who else steward.id,
                state="answered" if who else "accepted", conflict=taint, answers=given,
                decision="", reason=taint, practice="", named=False, received=tx.now, due=tx.now,
            )  # fmt: skip
            tx.session.add(task)
            made.append(task.token)
        await _from_elsewhere(tx, review, taint)
    return str(review.id), made


async def _from_elsewhere(tx: Transaction, review: Review, taint: str) -> None:
    """A draft of another agency that our stewards are asked to have reviewed."""
    forum = await tx.session.get_one(Forum, review.forum_id)
    about = f"http://lakeside.localhost/reviews/{taint}"
    record = unpack(review.record)
    sent = replace(record, name=f"Kerb {taint}", summary=taint)
    await drafts.apply_submission(tx, "lakeside.localhost", about, forum, sent, taint)
