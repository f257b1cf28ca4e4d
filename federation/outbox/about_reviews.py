# SPDX-License-Identifier: Apache-2.0
"""Telling other instances of reviews, each what is between us.

Rows for one inbox each, signed by our instance, and closed: whatever the rules say later, they
go only to an agency on our list.
"""

from dataclasses import replace

import orjson

from federation.outbox.telling import Telling
from federation.reviews import Given, Message, Route, Step, to_wire
from federation.urls import host_of_uri
from server.facts import (
    ReviewDecided,
    ReviewerInvited,
    ReviewerReleased,
    ReviewerSpoke,
    ReviewMoved,
    ReviewPublished,
    ReviewRequested,
    ReviewRequestPublished,
    ReviewRequestRefused,
    ReviewRequestWithdrawn,
)
from server.practices.record import unpack
from server.reviews import rows, rubric
from server.reviews.course import DECIDED, OPEN_SEATS, Said, Seat
from server.vetting.authors import given as given_to_author
from server.vetting.cases import sender
from server.vetting.masking import shown_record
from storage.forums import Forum
from storage.log import Entry, Form
from storage.members import Member
from storage.peers import Peer
from storage.posts import Post, PostState
from storage.reviews import Review, ReviewRequest, ReviewSeat, ReviewTask

_STEPS = {
    Said.ACCEPT: Step.ACCEPT,
    Said.DECLINE: Step.DECLINE,
    Said.ANSWER: Step.REVIEW,
    Said.NAME: Step.NAME,
}


async def _send(
    t: Telling, host: str, about: str, mark: str, message: Message, *, after: str = ""
) -> None:
    """One message to the instance at a host, in order with all about the same, or about `after`."""
    peer = await t.tx.session.get(Peer, host)
    if peer is None:
        return
    signer = t.wire.urls.instance
    document = to_wire(Route(signer, f"{peer.origin}/instance", about, mark), message)
    inbox = f"{peer.origin}/inbox"
    entry = Entry(
        form=Form.DIRECT,
        activity_id=str(document["id"]),
        signer=signer,
        order_key=after or about,
        audience=inbox,
        subject=about,
        closed=True,
    )
    raw = orjson.dumps(await t.sign(signer, document)).decode()
    await t.append(raw, [(entry, [(await t.lane(inbox)).id])])


async def invited(t: Telling, fact: ReviewerInvited) -> None:
    seat = await t.tx.session.get_one(ReviewSeat, fact.seat)
    review = await t.tx.session.get_one(Review, seat.review_id)
    if seat.peer is None or seat.state != Seat.INVITED or not review.record:
        return
    forum = await t.tx.session.get_one(Forum, review.forum_id)
    message = Message(
        step=Step.INVITE, forum=forum.title, practice=shown_record(review),
        version=review.version, masked=review.masked, due=seat.due,
    )  # fmt: skip
    await _send(t, seat.peer, _invitation(t, seat), seat.token, message)


def _invitation(t: Telling, seat: ReviewSeat) -> str:
    return rows.address(t.wire.urls.origin, seat.token)


async def released(t: Telling, fact: ReviewerReleased) -> None:
    seat = await t.tx.session.get_one(ReviewSeat, fact.seat)
    if seat.peer is not None:
        message = Message(step=Step.RELEASE)
        await _send(t, seat.peer, _invitation(t, seat), seat.token, message)


async def spoke(t: Telling, fact: ReviewerSpoke) -> None:
    task = await t.tx.session.get_one(ReviewTask, fact.task)
    if task.peer is None:
        return
    step = _STEPS[Said(fact.what)]
    if step is Step.REVIEW and not task.answers:
        # Taken back before it was sent.
        return
    message = Message(step=step)
    if step is Step.ACCEPT:
        reviewer = rows.address(t.wire.urls.origin, task.token)
        message = replace(message, reviewer=reviewer, conflict=task.conflict)
    elif step is Step.DECLINE:
        message = replace(message, reason=task.reason)
    elif step is Step.REVIEW:
        message = replace(message, answers=rubric.unpack(task.answers))
    elif step is Step.NAME:
        member = await t.tx.session.get_one(Member, task.member_id)
        message = replace(message, name=member.name)
    await _send(t, task.peer, task.invitation, task.token, message)


async def decided(t: Telling, fact: ReviewDecided) -> None:
    """To every agency whose reviewer answered, and to the author's."""
    review = await t.tx.session.get_one(Review, fact.review)
    post = await t.tx.session.get(Post, review.post_id or 0)
    held = await rows.seats_of(t.tx.session, review.id)
    await _tell_reviewers(t, review, post, held)
    await _tell_author(t, review, post, held)


async def published(t: Telling, fact: ReviewPublished) -> None:
    """To the same agencies, where what they read as a draft can be found now."""
    review = await t.tx.session.get_one(Review, fact.review)
    post = await t.tx.session.get(Post, review.post_id or 0)
    if post is not None and post.state != PostState.DELETED:
        await _tell_reviewers(t, review, post, await rows.seats_of(t.tx.session, review.id))


async def _tell_reviewers(
    t: Telling, review: Review, post: Post | None, held: list[ReviewSeat]
) -> None:
    uri = post.uri if post is not None else ""
    for seat in held:
        if seat.peer is not None and seat.state == Seat.ANSWERED:
            message = Message(step=Step.DECISION, state=review.state, of=uri, at=t.tx.now)
            mark = f"{seat.token} {uri}" if uri else seat.token
            await _send(t, seat.peer, _invitation(t, seat), mark, message)


async def moved(t: Telling, fact: ReviewMoved) -> None:
    review = await t.tx.session.get_one(Review, fact.review)
    post = await t.tx.session.get(Post, review.post_id or 0)
    if review.state in DECIDED:
        return
    await _tell_author(t, review, post, await rows.seats_of(t.tx.session, review.id))


async def _tell_author(
    t: Telling, review: Review, post: Post | None, held: list[ReviewSeat]
) -> None:
    """How far it is, in numbers; once it is decided the letter, and what the reviewers wrote."""
    host = await sender(t.tx.session, review)
    about = review.about or (post.uri if post else "")
    if host is None or not about:
        return
    is_over = review.decided is not None
    states = [seat.state for seat in held]
    given = given_to_author(held) if review.state in DECIDED else []
    message = Message(
        step=Step.VERDICT if is_over else Step.PROGRESS,
        version=review.version,
        state=review.state,
        letter=review.letter if is_over else "",
        asked=sum(state in {*OPEN_SEATS, Seat.ANSWERED} for state in states),
        accepted=sum(state in {Seat.ACCEPTED, Seat.ANSWERED} for state in states),
        answered=states.count(Seat.ANSWERED),
        reviews=tuple(Given(agency=one.agency, answers=one.answers) for one in given),
        at=t.tx.now,
    )
    mark = f"{review.id} {review.state} {t.tx.ids.next()}"
    await _send(t, host, about, mark, message)


async def requested(t: Telling, fact: ReviewRequested) -> None:
    request = await t.tx.session.get_one(ReviewRequest, fact.request)
    message = Message(step=Step.SUBMIT, version=request.version, note=request.note)
    if request.draft_id is not None:
        if not request.record:
            # Taken back before it was sent.
            return
        forum = await t.tx.session.get_one(Forum, request.forum_id)
        message = replace(message, group=forum.uri, practice=unpack(request.record))
    await _about_request(t, request, message)


async def request_withdrawn(t: Telling, fact: ReviewRequestWithdrawn) -> None:
    request = await t.tx.session.get_one(ReviewRequest, fact.request)
    await _about_request(t, request, Message(step=Step.WITHDRAW, version=request.version))


async def request_published(t: Telling, fact: ReviewRequestPublished) -> None:
    """What became of a draft, after what was published itself."""
    request = await t.tx.session.get_one(ReviewRequest, fact.request)
    post = await t.tx.session.get(Post, request.post_id or 0)
    if post is not None and post.state != PostState.DELETED:
        message = Message(step=Step.PUBLISH, version=request.version, of=post.uri)
        await _about_request(t, request, message, after=post.uri)


async def _about_request(
    t: Telling, request: ReviewRequest, message: Message, *, after: str = ""
) -> None:
    forum = await t.tx.session.get_one(Forum, request.forum_id)
    host = host_of_uri(forum.uri)
    await _send(t, host, request.about, str(request.id), message, after=after)


async def request_refused(t: Telling, fact: ReviewRequestRefused) -> None:
    message = Message(step=Step.VERDICT, state="refused", reason=fact.reason, at=t.tx.now)
    mark = f"{fact.practice} {t.tx.ids.next()}"
    await _send(t, fact.host, fact.practice, mark, message)
