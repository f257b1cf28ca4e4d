# SPDX-License-Identifier: Apache-2.0
"""Reviews at the home of a forum: submitted, put to reviewers, decided."""

from datetime import date, datetime, time, timedelta

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from server import peers
from server.errors import Gone, Invalid, NotAllowed, NotFound
from server.facts import ReviewDecided, ReviewerInvited, ReviewMoved
from server.forums.standing import standing_now
from server.permissions import Permission, may_enter, must
from server.practices import standing
from server.practices.record import pack
from server.reviews import endings, notices, seats, tasks
from server.reviews.course import (
    LONGEST,
    SHORTEST,
    USUAL,
    Event,
    Seat,
    State,
    move,
    must_be_decidable,
    must_have_room,
    to_close,
)
from server.reviews.forgetting import apply_withdrawal
from server.reviews.notices import Notice
from server.reviews.rows import address, open_review, open_tasks_of, seats_of, tasks_of_seats, token
from server.reviews.tasks import Invitation
from server.transaction import Transaction
from server.vetting import statements
from server.vetting.masking import shown_record
from storage import members
from storage.forums import FEDERATED, Forum
from storage.members import Member, MemberState
from storage.peers import Peer
from storage.posts import Kind, Post, PostState
from storage.practices import Practice
from storage.reviews import Review, ReviewSeat

LONGEST_NOTE = 2_000
LONGEST_LETTER = 10_000


async def submit(tx: Transaction, member: Member, post: Post, note: str) -> Review:
    """Ask the stewards of a forum here to have a practice reviewed, in the version it is in."""
    post = await tx.session.get_one(Post, post.id)
    forum = await tx.session.get_one(Forum, post.forum_id)
    must(await standing_now(tx, member, forum), Permission.ASK_FOR_REVIEW, post)
    if not forum.is_local:
        raise NotFound
    practice = await must_be_reviewable(tx, post, note)
    return await apply_submission(tx, post, practice.version, note)


async def must_be_reviewable(tx: Transaction, post: Post, note: str) -> Practice:
    """Refuse what is no practice that stands, and a second review at the same time."""
    if post.state == PostState.DELETED:
        raise Gone("The practice was deleted meanwhile.")
    practice = await tx.session.get(Practice, post.id)
    if practice is None or post.kind != Kind.PRACTICE:
        raise NotFound
    if len(note) > LONGEST_NOTE:
        raise Invalid({"note": f"Keep it under {LONGEST_NOTE:,} characters."})
    if await open_review(tx.session, post.id) is not None:
        raise NotAllowed("This practice is under review already.")
    return practice


async def apply_submission(tx: Transaction, post: Post, version: int, note: str) -> Review:
    """The review as it then is; the stewards hear of it."""
    practice = await tx.session.get_one(Practice, post.id)
    review = Review(
        id=tx.ids.next(), post_id=post.id, forum_id=post.forum_id, author_id=post.author_id,
        title=post.title, version=version, state=State.SUBMITTED, masked=True,
        record=practice.record, note=note.strip(), letter="", submitted=tx.now,
    )  # fmt: skip
    return await begun(tx, review)


async def begun(tx: Transaction, review: Review) -> Review:
    """A review that was just submitted: the stewards hear of it."""
    tx.session.add(review)
    await tx.session.flush()
    people = await notices.stewards(tx, review.forum_id)
    path = f"/reviews/cases/{review.id}"
    await notices.tell_all(tx, people, Notice.SUBMITTED, review.title, path)
    tx.record(ReviewMoved(review.id))
    return review


async def must_keep(tx: Transaction, member: Member, number: int) -> tuple[Review, Forum]:
    """A review that this member keeps as a steward; NotFound for everybody else.

    A steward who wrote the practice takes no part in its review, and one who reviews it cannot
    decide about it.
    """
    found = await tx.session.execute(select(Review).where(Review.id == number).with_for_update())
    review = found.scalar_one_or_none()
    if review is None:
        raise NotFound
    forum = await tx.session.get_one(Forum, review.forum_id)
    stands = await standing_now(tx, member, forum)
    if not stands.steward or review.author_id == member.id:
        raise NotFound
    must(stands, Permission.KEEP_REVIEWS)
    return review, forum


async def post_of(tx: Transaction, review: Review) -> Post | None:
    """The practice that is reviewed, if it is published."""
    return await tx.session.get(Post, review.post_id) if review.post_id is not None else None


async def set_masked(tx: Transaction, member: Member, number: int, *, is_masked: bool) -> None:
    """Whether author and reviewers are kept from each other until the decision."""
    review, _ = await must_keep(tx, member, number)
    if review.state != State.SUBMITTED:
        raise Invalid({"masked": "Reviewers are asked already: this stays as it is."})
    if review.author_id is None:
        raise Invalid({"masked": "Its author’s agency tells nobody who wrote it."})
    review.masked = is_masked


def due_of(tx: Transaction, day: str) -> datetime:
    """The day by which a review is wanted, from a form; four weeks from now where it is empty."""
    if not day.strip():
        return tx.now + USUAL
    try:
        wanted = datetime.combine(date.fromisoformat(day.strip()), time(23, 59), tx.now.tzinfo)
    except ValueError:
        raise Invalid({"due": "Give the day as 2027-03-31."}) from None
    if not SHORTEST <= wanted - tx.now <= LONGEST + timedelta(days=1):
        raise Invalid({"due": "Leave reviewers between three days and half a year."})
    return wanted


async def invite_member(
    tx: Transaction, steward: Member, number: int, handle: str, due: datetime
) -> ReviewSeat:
    """Ask a member of this agency to review it."""
    review, forum = await must_keep(tx, steward, number)
    member = await members.by_handle(tx.session, handle.strip().lstrip("@").lower())
    if member is None or member.state != MemberState.ACTIVE:
        raise Invalid({"invite": "Nobody here has this name: write it as in their address."})
    if member.id == review.author_id:
        raise Invalid({"invite": "Nobody reviews their own practice."})
    if member.id == steward.id:
        raise Invalid({"invite": "You decide about it: ask somebody else to review it."})
    if not may_enter(await standing_now(tx, member, forum)):
        raise Invalid({"invite": "They may not enter this forum: put them on its list first."})
    invitations = {task.seat_id for task in await open_tasks_of(tx.session, member.id)}
    held = await seats_of(tx.session, review.id)
    if invitations & {seat.id for seat in held}:
        raise Invalid({"invite": "They are asked already."})
    seat = await _seat(tx, review, held, None, tx.settings.agency_name, due)
    await tasks.offered(tx, invitation(tx, review, forum, seat), seat=seat, member=member)
    return seat


async def invite_agency(
    tx: Transaction, steward: Member, number: int, host: str, due: datetime
) -> ReviewSeat:
    """Ask another agency to name a reviewer of theirs."""
    review, forum = await must_keep(tx, steward, number)
    if forum.visibility not in FEDERATED:
        raise Invalid({"invite": "What is written in this forum stays within our agency."})
    mode = tx.settings.federates
    if not await peers.is_agency(tx.session, mode, host, tx.now):
        raise Invalid({"invite": "Choose an agency that is on our list and runs Guildhall."})
    if host == await sender(tx.session, review):
        raise Invalid({"invite": "This is the author’s own agency: ask another."})
    peer = await tx.session.get_one(Peer, host)
    held = await seats_of(tx.session, review.id)
    seat = await _seat(tx, review, held, host, peer.name or host, due)
    tx.record(ReviewerInvited(seat.id))
    return seat


async def sender(session: AsyncSession, review: Review) -> str | None:
    """The host of the author's agency; None where it is this one."""
    author = await session.get(Member, review.author_id or 0)
    return author.peer if author is not None else review.peer


async def _seat(
    tx: Transaction,
    review: Review,
    held: list[ReviewSeat],
    peer: str | None,
    agency: str,
    due: datetime,
) -> ReviewSeat:
    must_have_room(held, peer)
    move(review, Event.INVITE)
    seat = ReviewSeat(
        id=tx.ids.next(), review_id=review.id, token=token(tx), peer=peer, agency=agency,
        state=Seat.INVITED, reviewer="", conflict="", reason="", answers="", recommendation="",
        named="", invited=tx.now, due=due,
    )  # fmt: skip
    review.due = max(review.due or due, due)
    tx.session.add(seat)
    await tx.session.flush()
    tx.record(ReviewMoved(review.id))
    return seat


def invitation(tx: Transaction, review: Review, forum: Forum, seat: ReviewSeat) -> Invitation:
    """What the reviewer of a seat is given to read."""
    record = shown_record(review)
    return Invitation(
        uri=address(tx.settings.origin, seat.token),
        peer=None,
        agency=tx.settings.agency_name,
        forum=forum.title,
        title=record.name,
        record=pack(record),
        version=review.version,
        masked=review.masked,
        due=seat.due,
    )


async def withdraw_seat(tx: Transaction, steward: Member, number: int, seat_id: int) -> None:
    """Ask one reviewer no longer."""
    review, _ = await must_keep(tx, steward, number)
    seat = await tx.session.get(ReviewSeat, seat_id)
    if seat is None or seat.review_id != review.id:
        raise NotFound
    if review.decided is not None:
        raise Invalid(message="This review is decided.")
    await seats.withdraw(tx, seat)
    tx.record(ReviewMoved(review.id))


async def decide(
    tx: Transaction, steward: Member, number: int, decision: str, letter: str
) -> Review:
    """Decide, with a letter to the author; an acceptance is told to everybody who follows."""
    review, _ = await must_keep(tx, steward, number)
    post = await post_of(tx, review)
    held = await seats_of(tx.session, review.id)
    await _must_not_review(tx, steward, held)
    try:
        event = Event(decision)
    except ValueError:
        raise Invalid({"decision": "Choose what you decide."}) from None
    if len(letter) > LONGEST_LETTER:
        raise Invalid({"letter": f"Keep the letter under {LONGEST_LETTER:,} characters."})
    must_be_decidable(review, held, event, letter)
    move(review, event)
    review.letter, review.decided, review.decided_by = letter.strip(), tx.now, steward.id
    for seat in to_close(held):
        await seats.withdraw(tx, seat)
    by_seat = await tasks_of_seats(tx.session, held)
    for seat in held:
        if seat.id in by_seat and seat.state == Seat.ANSWERED:
            await endings.decided(tx, by_seat[seat.id], review.state, post.uri if post else "")
    await tx.session.flush()
    if post is not None:
        await state(tx, steward, post, review, held)
    await _tell_author(tx, review, Notice.DECIDED)
    tx.record(ReviewDecided(review.id))
    return review


async def _must_not_review(tx: Transaction, steward: Member, held: list[ReviewSeat]) -> None:
    by_seat = await tasks_of_seats(tx.session, held)
    own = {number for number, task in by_seat.items() if task.member_id == steward.id}
    if any(seat.id in own and seat.state != Seat.DECLINED for seat in held):
        raise NotAllowed("You review this practice: another steward decides about it.")


async def state(
    tx: Transaction, steward: Member, post: Post, review: Review, held: list[ReviewSeat]
) -> None:
    """State an acceptance; any other decision takes back what was stated before."""
    if review.state == State.ACCEPTED:
        said = statements.count(post, review, held)
        await statements.make(tx, steward, post, review, said)
    else:
        await statements.take_back(tx, steward, post)
        await standing.reckon_uri(tx, post.uri)


async def _tell_author(tx: Transaction, review: Review, kind: Notice) -> None:
    author = await tx.session.get(Member, review.author_id or 0)
    draft = f"/reviews/drafts/{review.draft_id}"
    path = f"/p/{review.post_id}/review" if review.post_id is not None else draft
    await notices.tell(tx, author, kind, review.title, path)


async def revoke(tx: Transaction, steward: Member, number: int, letter: str) -> None:
    """Take an acceptance back, with the reason for the author."""
    review, _ = await must_keep(tx, steward, number)
    if not letter.strip():
        raise Invalid({"letter": "Write to the author why you take it back."})
    if review.state != State.ACCEPTED:
        raise Invalid(message="Only an acceptance can be taken back.")
    move(review, Event.WITHDRAW)
    review.letter = letter.strip()[:LONGEST_LETTER]
    await tx.session.flush()
    post = await post_of(tx, review)
    if post is not None:
        await statements.take_back(tx, steward, post)
        await standing.reckon_uri(tx, post.uri)
    await _tell_author(tx, review, Notice.WITHDRAWN)
    tx.record(ReviewMoved(review.id))


async def withdraw(tx: Transaction, member: Member, post: Post) -> None:
    """The author withdraws a practice from its review: nothing of it is kept."""
    post = await tx.session.get_one(Post, post.id)
    review = await open_review(tx.session, post.id)
    if post.author_id != member.id or review is None:
        raise NotFound
    await apply_withdrawal(tx, review)
