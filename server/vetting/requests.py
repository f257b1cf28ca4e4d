# SPDX-License-Identifier: Apache-2.0
"""Having a practice reviewed by the stewards of a forum elsewhere."""

import json
from typing import Any

from server import peers
from server.errors import Invalid, NotAllowed, NotFound
from server.facts import ReviewRequested, ReviewRequestPublished, ReviewRequestWithdrawn
from server.forums.standing import standing_now
from server.permissions import Permission, must
from server.practices.record import Record, pack
from server.reviews import notices
from server.reviews.course import DECIDED, OPEN, NotNow, State
from server.reviews.notices import Notice
from server.reviews.rows import address, latest_request, scrub_bodies, token
from server.transaction import Transaction
from server.vetting.cases import must_be_reviewable
from server.vetting.masking import masked
from storage.forums import Forum
from storage.members import Member
from storage.posts import Post, PostState
from storage.practices import PracticeDraft
from storage.reviews import ReviewRequest

REFUSED = "refused"


async def ask(tx: Transaction, member: Member, post: Post, note: str) -> ReviewRequest:
    """Ask a forum elsewhere to have a practice of ours reviewed."""
    post = await tx.session.get_one(Post, post.id)
    forum = await tx.session.get_one(Forum, post.forum_id)
    must(await standing_now(tx, member, forum), Permission.ASK_FOR_REVIEW, post)
    await _must_take_part(tx, forum)
    if post.state != PostState.LIVE:
        raise NotAllowed("The forum’s agency has not confirmed this practice yet: ask again then.")
    practice = await must_be_reviewable(tx, post, note)
    held = await latest_request(tx.session, post.id)
    if held is not None and held.state in OPEN:
        raise NotAllowed("This practice is under review already.")
    request = ReviewRequest(
        id=tx.ids.next(), post_id=post.id, forum_id=forum.id, about=post.uri, title=post.title,
        member_id=member.id, version=practice.version, state=State.SUBMITTED, record="",
        note=note.strip(), letter="", told="{}", asked=tx.now,
    )  # fmt: skip
    return await _begun(tx, request)


async def ask_for_draft(
    tx: Transaction, draft: PracticeDraft, forum: Forum, record: Record, note: str
) -> ReviewRequest:
    """Ask a forum elsewhere to have what is not published yet reviewed.

    It travels without whose it is, under an address that nobody can guess.
    """
    await _must_take_part(tx, forum)
    request = ReviewRequest(
        id=tx.ids.next(), draft_id=draft.id, forum_id=forum.id,
        about=address(tx.settings.origin, token(tx)), title=record.name, member_id=draft.owner_id,
        version=1, state=State.SUBMITTED, record=pack(masked(record)), note=note.strip(),
        letter="", told="{}", asked=tx.now,
    )  # fmt: skip
    return await _begun(tx, request)


async def _must_take_part(tx: Transaction, forum: Forum) -> None:
    mode = tx.settings.federates
    if forum.peer is None or not await peers.is_agency(tx.session, mode, forum.peer, tx.now):
        raise NotAllowed("The agency of this forum does not take part in reviews.")


async def _begun(tx: Transaction, request: ReviewRequest) -> ReviewRequest:
    tx.session.add(request)
    await tx.session.flush()
    tx.record(ReviewRequested(request.id))
    return request


def page_of(request: ReviewRequest) -> str:
    """Where its author reads how far it is; empty once the draft is gone."""
    if request.post_id is not None:
        return f"/p/{request.post_id}/review"
    return f"/reviews/drafts/{request.draft_id}" if request.draft_id is not None else ""


async def published(tx: Transaction, request: ReviewRequest, post: Post) -> None:
    """A draft was published as it was sent: its review goes on with the practice."""
    request.post_id, request.title = post.id, post.title
    tx.record(ReviewRequestPublished(request.id))


async def withdraw(tx: Transaction, member: Member, post: Post) -> None:
    """Take it back: the forum's agency forgets what was written."""
    request = await latest_request(tx.session, post.id)
    if request is None or request.member_id != member.id:
        raise NotFound
    await withdrawn(tx, request)


async def withdrawn(tx: Transaction, request: ReviewRequest) -> None:
    """A request as it is once it was taken back: nothing that was sent is kept."""
    if request.state not in OPEN:
        raise NotNow("This review is no longer under way.")
    request.state, request.note, request.told = State.WITHDRAWN, "", "{}"
    if request.post_id is None:
        request.record = ""
        await scrub_bodies(tx, [request.about])
    tx.record(ReviewRequestWithdrawn(request.id))


async def told(
    tx: Transaction, request: ReviewRequest, state: str, letter: str, said: dict[str, Any]
) -> None:
    """What the home of the forum says of it now; what was withdrawn here stays so."""
    if state not in {*State, REFUSED}:
        raise Invalid(message="This is no state of a review.")
    if request.state not in OPEN and not (request.state == State.ACCEPTED and state not in OPEN):
        return
    request.state, request.told = state, json.dumps(said)
    if state in OPEN:
        return
    request.letter = letter
    request.decided = tx.now
    member = await tx.session.get_one(Member, request.member_id)
    kind = Notice.DECIDED if state in DECIDED else Notice.WITHDRAWN
    await notices.tell(tx, member, kind, request.title, page_of(request) or "/reviews")
