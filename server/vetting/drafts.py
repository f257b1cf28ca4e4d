# SPDX-License-Identifier: Apache-2.0
"""Having a practice reviewed by a forum here before it is published.

Nobody but its reviewers and those stewards sees it, and no forum knows that it exists: only so is
its author kept from reviewers who look. Its author publishes it, and what was decided holds for
what is published if that is what was reviewed.
"""

from server.errors import Invalid, NotAllowed, NotFound
from server.forums.standing import standing_now
from server.library import drafts
from server.permissions import Permission, must
from server.practices.record import pack, unpack
from server.practices.typed import record_of
from server.reviews.course import OPEN, State
from server.reviews.forgetting import apply_withdrawal
from server.reviews.rows import review_of_draft, seats_of, tasks_of_seats
from server.transaction import Transaction
from server.vetting import cases
from server.vetting.masking import masked
from storage.forums import Forum
from storage.members import Member
from storage.posts import Post
from storage.practices import Practice, PracticeDraft
from storage.reviews import Review


async def submit(tx: Transaction, member: Member, number: int, forum: int, note: str) -> Review:
    """Ask the stewards of a forum here to have a draft reviewed, as it is now.

    Invalid names the fields of the draft that need another look.
    """
    draft = await _must_own(tx, member, number)
    if draft.post_id is not None:
        raise NotAllowed("Publish the new version first: then it can be reviewed.")
    place = await tx.session.get(Forum, forum)
    if place is None:
        raise Invalid({"forum": "Choose the forum whose stewards have it reviewed."})
    must(await standing_now(tx, member, place), Permission.POST_THREAD)
    if not place.is_local:
        raise Invalid({"forum": "A forum of another agency reviews what is published in it."})
    if len(note) > cases.LONGEST_NOTE:
        raise Invalid({"note": f"Keep it under {cases.LONGEST_NOTE:,} characters."})
    held = await review_of_draft(tx.session, number)
    if held is not None and held.state in OPEN:
        raise NotAllowed("This practice is under review already.")
    record = record_of(drafts.fields_of(draft))
    await drafts.place(tx, member, number, place.id)
    review = Review(
        id=tx.ids.next(), draft_id=draft.id, forum_id=place.id, author_id=member.id,
        title=record.name, version=1, state=State.SUBMITTED, masked=True, record=pack(record),
        note=note.strip(), letter="", submitted=tx.now,
    )  # fmt: skip
    return await cases.begun(tx, review)


async def withdraw(tx: Transaction, member: Member, number: int) -> None:
    """The author takes a draft out of its review: nothing of it is kept."""
    draft = await _must_own(tx, member, number)
    review = await review_of_draft(tx.session, draft.id)
    if review is None or review.state not in OPEN:
        raise NotFound
    await apply_withdrawal(tx, review)


async def _must_own(tx: Transaction, member: Member, number: int) -> PracticeDraft:
    draft = await drafts.must_write(tx.session, member, number)
    if draft.owner_id != member.id:
        raise NotAllowed("Only the owner of a draft can do this.")
    return draft


async def ended(tx: Transaction, number: int, post: Post | None) -> None:
    """A draft is gone: its review goes on with the practice that came of it, or ends.

    What differs from what was reviewed is not reviewed.
    """
    review = await review_of_draft(tx.session, number)
    if review is None or review.state not in {*OPEN, State.ACCEPTED}:
        return
    if post is None or not await _is_what_was_reviewed(tx, review, post):
        if review.state in OPEN:
            await apply_withdrawal(tx, review)
        return
    review.post_id = post.id
    await tx.session.flush()
    if review.state != State.ACCEPTED:
        return
    held = await seats_of(tx.session, review.id)
    for task in (await tasks_of_seats(tx.session, held)).values():
        task.practice = post.uri
    steward = await tx.session.get_one(Member, review.decided_by)
    await cases.state(tx, steward, post, review, held)


async def _is_what_was_reviewed(tx: Transaction, review: Review, post: Post) -> bool:
    """Whether a practice says what its reviewers read, in the forum that had it reviewed."""
    practice = await tx.session.get_one(Practice, post.id)
    read, said = masked(unpack(review.record)), masked(unpack(practice.record))
    return pack(read) == pack(said) and post.forum_id == review.forum_id
