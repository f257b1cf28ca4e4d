# SPDX-License-Identifier: Apache-2.0
"""What reviewers do, at their own instance, which alone knows who they are."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from server import text
from server.errors import Invalid, NotFound
from server.facts import ReviewerSpoke
from server.permissions import Permission, Standing, must
from server.reviews import notices, rubric, seats
from server.reviews.course import Said, Task, task_moves
from server.reviews.notices import Notice
from server.reviews.rows import address, scrub_bodies, scrub_task, token
from server.reviews.rubric import Answers
from server.transaction import Transaction
from storage import members
from storage.members import Member, MemberState
from storage.reviews import ReviewSeat, ReviewTask

LONGEST_REASON = 300
LONGEST_CONFLICT = 2_000


@dataclass(frozen=True)
class Invitation:
    """What a reviewer is invited to; `uri` is the invitation's, `peer` None for one of ours.

    `record` is the JSON of the practice as they are to see it.
    """

    uri: str
    peer: str | None
    agency: str
    forum: str
    title: str
    record: str
    version: int
    masked: bool
    due: datetime


async def offered(
    tx: Transaction,
    invitation: Invitation,
    *,
    seat: ReviewSeat | None = None,
    member: Member | None = None,
) -> ReviewTask:
    """An invitation came: to a member for a `seat` here, else to our agency."""
    task = ReviewTask(
        id=tx.ids.next(), token=token(tx), invitation=invitation.uri,
        seat_id=seat.id if seat else None, peer=invitation.peer,
        asked_by=text.clean_line(invitation.agency, 500),
        forum=text.clean_line(invitation.forum, 500),
        title=text.clean_line(invitation.title, 500),
        record=invitation.record, version=invitation.version, masked=invitation.masked,
        member_id=member.id if member else None, state=Task.ASKED if member else Task.OFFERED,
        conflict="", answers="", decision="", reason="", practice="", named=False,
        received=tx.now, due=invitation.due,
    )  # fmt: skip
    tx.session.add(task)
    await tx.session.flush()
    path = f"/reviews/{task.token}"
    if member is not None:
        await notices.tell(tx, member, Notice.ASKED, task.title, path)
    else:
        await notices.tell_all(tx, await notices.admins(tx), Notice.OFFERED, task.title, path)
    return task


async def name(tx: Transaction, admin: Member, task: ReviewTask, handle: str) -> None:
    """Ask a member of ours to do a review that our agency is asked for."""
    must(Standing(admin), Permission.NAME_REVIEWERS)
    if task.peer is None:
        raise NotFound
    member = await members.by_handle(tx.session, handle.strip().lstrip("@").lower())
    if member is None or member.state != MemberState.ACTIVE:
        raise Invalid({"handle": "Nobody here has this name: write it as in their address."})
    task_moves(task, Said.NAME)
    task.member_id = member.id
    await notices.tell(tx, member, Notice.ASKED, task.title, f"/reviews/{task.token}")


async def accept(tx: Transaction, member: Member, task: ReviewTask, conflict: str | None) -> None:
    """Accept an invitation; `conflict` is "" for none, None where nothing was said of it."""
    _must_be_theirs(member, task)
    if conflict is None:
        raise Invalid({"conflict": "Say whether anything could sway you."})
    conflict = conflict.strip()
    if len(conflict) > LONGEST_CONFLICT:
        raise Invalid({"which": f"Keep it under {LONGEST_CONFLICT:,} characters."})
    task_moves(task, Said.ACCEPT)
    task.conflict = conflict
    await _speak(tx, task, Said.ACCEPT)


async def decline(tx: Transaction, member: Member, task: ReviewTask, reason: str) -> None:
    """Say no, or stop; one who was asked for our agency hands it back to whoever asked them."""
    is_admin = member.is_admin and task.peer is not None
    if not is_admin:
        _must_be_theirs(member, task)
    task.reason = text.clean_line(reason, LONGEST_REASON)
    if task.peer is not None and task.member_id == member.id and task.state == Task.ASKED:
        task_moves(task, Said.HAND_BACK)
        task.member_id = None
        path = f"/reviews/{task.token}"
        await notices.tell_all(tx, await notices.admins(tx), Notice.HANDED_BACK, task.title, path)
        return
    if task.member_id not in (None, member.id) and task.state != Task.ASKED:
        raise NotFound
    task_moves(task, Said.DECLINE)
    scrub_task(task)
    await scrub_bodies(tx, [task.invitation])
    await _speak(tx, task, Said.DECLINE)


def _must_be_theirs(member: Member, task: ReviewTask) -> None:
    if task.member_id != member.id:
        raise NotFound


async def save(tx: Transaction, member: Member, task: ReviewTask, answers: Answers) -> None:
    """Keep what is written so far; nobody else sees it."""
    _must_be_theirs(member, task)
    if task.state != Task.ACCEPTED:
        task_moves(task, Said.ANSWER)
    task.answers = rubric.pack(answers)


async def send(tx: Transaction, member: Member, task: ReviewTask, answers: Answers) -> None:
    """Give the review; Invalid names the fields that are still open."""
    await save(tx, member, task, answers)
    rubric.must_be_whole(answers)
    task_moves(task, Said.ANSWER)
    task.answered = tx.now
    await _speak(tx, task, Said.ANSWER)


async def consent(tx: Transaction, member: Member, task: ReviewTask) -> None:
    """Be named as a reviewer, now that it is decided."""
    _must_be_theirs(member, task)
    if task.state != Task.DECIDED:
        raise Invalid(message="You can be named once the review is decided.")
    task.named = True
    await _speak(tx, task, Said.NAME)


async def _speak(tx: Transaction, task: ReviewTask, what: Said) -> None:
    """Tell the review's home, here or elsewhere."""
    if task.seat_id is None:
        tx.record(ReviewerSpoke(task.id, what.value))
        return
    seat = await tx.session.get_one(ReviewSeat, task.seat_id)
    if what is Said.ACCEPT:
        reviewer = address(tx.settings.origin, task.token)
        await seats.accepted(tx, seat, reviewer, task.conflict)
    elif what is Said.DECLINE:
        await seats.declined(tx, seat, task.reason)
    elif what is Said.ANSWER:
        await seats.answered(tx, seat, rubric.unpack(task.answers))
    elif what is Said.NAME:
        member = await tx.session.get_one(Member, task.member_id)
        await seats.named(tx, seat, member.name)


async def must_find(tx: Transaction, word: str) -> ReviewTask:
    """The task at an address, as it is now."""
    question = select(ReviewTask).where(ReviewTask.token == word[:64]).with_for_update()
    task = (await tx.session.execute(question)).scalar_one_or_none()
    if task is None:
        raise NotFound
    return task
