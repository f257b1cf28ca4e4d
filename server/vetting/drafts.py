# SPDX-License-Identifier: Apache-2.0
"""Having a practice reviewed by a forum before it is published.

Nobody but its reviewers and those stewards sees it, and no forum knows that it exists: only so is
its author kept from reviewers who look. A forum of another agency is sent what its reviewers are to
read, and not who wrote it. Its author publishes it, and what was decided holds for
what is published if that is what was reviewed.
"""

from sqlalchemy import func, select, update

from server.errors import Invalid, NotAllowed, NotFound
from server.facts import ReviewPublished
from server.forums.standing import standing_now
from server.library import drafts
from server.permissions import Permission, must
from server.practices.record import Record, pack, unpack
from server.practices.typed import record_of
from server.reviews import endings, notices
from server.reviews.course import OPEN, State
from server.reviews.forgetting import apply_withdrawal
from server.reviews.rows import (
    request_of_draft,
    review_about,
    review_of_draft,
    seats_of,
    tasks_of_seats,
)
from server.transaction import Transaction
from server.vetting import cases, requests
from server.vetting.masking import masked
from storage.forums import Forum
from storage.members import Member
from storage.posts import Post
from storage.practices import Practice, PracticeDraft
from storage.reviews import Review, ReviewRequest

MOST_FROM_ONE = 50


async def submit(
    tx: Transaction, member: Member, number: int, forum: int, note: str
) -> Review | ReviewRequest:
    """Ask the stewards of a forum, here or elsewhere, to have a draft reviewed, as it is now.

    Invalid names the fields of the draft that need another look.
    """
    draft = await _must_own(tx, member, number)
    if draft.post_id is not None:
        raise NotAllowed("Publish the new version first: then it can be reviewed.")
    place = await tx.session.get(Forum, forum)
    if place is None:
        raise Invalid({"forum": "Choose the forum whose stewards have it reviewed."})
    must(await standing_now(tx, member, place), Permission.POST_THREAD)
    if len(note) > cases.LONGEST_NOTE:
        raise Invalid({"note": f"Keep it under {cases.LONGEST_NOTE:,} characters."})
    if await _under_review(tx, number) is not None:
        raise NotAllowed("This practice is under review already.")
    record = record_of(drafts.fields_of(draft))
    await drafts.place(tx, member, number, place.id)
    if not place.is_local:
        return await requests.ask_for_draft(tx, draft, place, record, note)
    review = Review(
        id=tx.ids.next(), draft_id=draft.id, forum_id=place.id, author_id=member.id,
        title=record.name, version=1, state=State.SUBMITTED, masked=True, record=pack(record),
        note=note.strip(), letter="", submitted=tx.now,
    )  # fmt: skip
    return await cases.begun(tx, review)


async def withdraw(tx: Transaction, member: Member, number: int) -> None:
    """The author takes a draft out of its review: nothing of it is kept."""
    draft = await _must_own(tx, member, number)
    under = await _under_review(tx, draft.id)
    if under is None:
        raise NotFound
    await _end(tx, under)


async def _under_review(tx: Transaction, number: int) -> Review | ReviewRequest | None:
    """The review of a draft that goes on, here or elsewhere."""
    for held in (
        await review_of_draft(tx.session, number), await request_of_draft(tx.session, number),
    ):  # fmt: skip
        if held is not None and held.state in OPEN:
            return held
    return None


async def _end(tx: Transaction, under: Review | ReviewRequest) -> None:
    if isinstance(under, Review):
        await apply_withdrawal(tx, under)
    else:
        await requests.withdrawn(tx, under)


async def _must_own(tx: Transaction, member: Member, number: int) -> PracticeDraft:
    draft = await drafts.must_write(tx.session, member, number)
    if draft.owner_id != member.id:
        raise NotAllowed("Only the owner of a draft can do this.")
    return draft


async def ended(tx: Transaction, number: int, post: Post | None) -> None:
    """A draft is gone: its review goes on with the practice that came of it, or ends.

    What differs from what was reviewed is not reviewed. What its author was told leads on.
    """
    for held in (
        await review_of_draft(tx.session, number), await request_of_draft(tx.session, number),
    ):  # fmt: skip
        if held is None:
            continue
        owner = held.author_id if isinstance(held, Review) else held.member_id
        leads = f"/p/{post.id}/review" if post is not None else "/reviews"
        await notices.follow(tx, owner or 0, f"/reviews/drafts/{number}", leads)
        goes_on = held.state in {*OPEN, State.ACCEPTED}
        if post is None or not goes_on or not await _is_what_was_reviewed(tx, held, post):
            if held.state in OPEN:
                await _end(tx, held)
        elif isinstance(held, Review):
            await join(tx, held, post)
        else:
            await requests.published(tx, held, post)
    await tx.session.flush()
    for table in (Review, ReviewRequest):
        # What came to nothing, this time or before, leads nowhere now.
        left = update(table).where(table.draft_id == number, table.post_id.is_(None))
        await tx.session.execute(left.values(draft_id=None))


async def join(tx: Transaction, review: Review, post: Post) -> None:
    """What was reviewed is published: the review is of that practice, and what it found is told."""
    review.post_id, review.author_id = post.id, post.author_id
    await tx.session.flush()
    if review.state != State.ACCEPTED:
        return
    held = await seats_of(tx.session, review.id)
    for task in (await tasks_of_seats(tx.session, held)).values():
        await endings.published(tx, task, post.uri)
    tx.record(ReviewPublished(review.id))
    steward = await tx.session.get_one(Member, review.decided_by)
    await cases.state(tx, steward, post, review, held)


async def apply_publication(tx: Transaction, review: Review, post: Post) -> None:
    """Another agency says what came of a draft that we were sent: the same goes as for one of ours.

    Taken of a review that goes on or was accepted; what is published otherwise ends it.
    """
    if review.post_id is not None or review.state not in {*OPEN, State.ACCEPTED}:
        return
    if await _is_what_was_reviewed(tx, review, post):
        await join(tx, review, post)
    elif review.state in OPEN:
        await apply_withdrawal(tx, review)


async def _is_what_was_reviewed(
    tx: Transaction, review: Review | ReviewRequest, post: Post
) -> bool:
    """Whether a practice says what its reviewers read, in the forum that had it reviewed."""
    practice = await tx.session.get_one(Practice, post.id)
    read, said = masked(unpack(review.record)), masked(unpack(practice.record))
    return pack(read) == pack(said) and post.forum_id == review.forum_id


async def apply_submission(
    tx: Transaction, peer: str, about: str, forum: Forum, record: Record, note: str
) -> Review:
    """Another agency sends a draft for review; it names nobody."""
    if len(note) > cases.LONGEST_NOTE:
        raise Invalid({"note": f"Keep it under {cases.LONGEST_NOTE:,} characters."})
    if await review_about(tx.session, peer, about) is not None:
        raise NotAllowed("This practice is under review already.")
    going = select(func.count()).where(Review.peer == peer, Review.state.in_(sorted(OPEN)))
    if (await tx.session.execute(going)).scalar_one() >= MOST_FROM_ONE:
        raise NotAllowed(f"{MOST_FROM_ONE} practices of your agency are under review already.")
    review = Review(
        id=tx.ids.next(), forum_id=forum.id, peer=peer, about=about, title=record.name, version=1,
        state=State.SUBMITTED, masked=True, record=pack(masked(record)), note=note.strip(),
        letter="", submitted=tx.now,
    )  # fmt: skip
    return await cases.begun(tx, review)
