# SPDX-License-Identifier: Apache-2.0
"""Having a practice reviewed by the stewards of a forum elsewhere."""

import json
from typing import Any

from server import peers
from server.errors import Invalid, NotAllowed, NotFound
from server.facts import ReviewRequested, ReviewRequestWithdrawn
from server.forums.standing import standing_now
from server.permissions import Permission, must
from server.reviews import notices
from server.reviews.course import DECIDED, OPEN, NotNow, State
from server.reviews.notices import Notice
from server.reviews.rows import latest_request
from server.transaction import Transaction
from server.vetting.cases import must_be_reviewable
from storage.forums import Forum
from storage.members import Member
from storage.posts import Post, PostState
from storage.reviews import ReviewRequest

REFUSED = "refused"


async def ask(tx: Transaction, member: Member, post: Post, note: str) -> ReviewRequest:
    """Ask a forum elsewhere to have a practice of ours reviewed."""
    post = await tx.session.get_one(Post, post.id)
    forum = await tx.session.get_one(Forum, post.forum_id)
    must(await standing_now(tx, member, forum), Permission.ASK_FOR_REVIEW, post)
    mode = tx.settings.federates
    if forum.peer is None or not await peers.is_agency(tx.session, mode, forum.peer, tx.now):
        raise NotAllowed("The agency of this forum does not take part in reviews.")
    if post.state != PostState.LIVE:
        raise NotAllowed("The forum’s agency has not confirmed this practice yet: ask again then.")
    practice = await must_be_reviewable(tx, post, note)
    held = await latest_request(tx.session, post.id)
    if held is not None and held.state in OPEN:
        raise NotAllowed("This practice is under review already.")
    request = ReviewRequest(
        id=tx.ids.next(), post_id=post.id, member_id=member.id, version=practice.version,
        state=State.SUBMITTED, note=note.strip(), letter="", told="{}", asked=tx.now,
    )  # fmt: skip
    tx.session.add(request)
    await tx.session.flush()
    tx.record(ReviewRequested(request.id))
    return request


async def withdraw(tx: Transaction, member: Member, post: Post) -> None:
    """Take it back: the forum's agency forgets what was written."""
    request = await latest_request(tx.session, post.id)
    if request is None or request.member_id != member.id:
        raise NotFound
    if request.state not in OPEN:
        raise NotNow("This review is no longer under way.")
    request.state, request.note, request.told = State.WITHDRAWN, "", "{}"
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
    post = await tx.session.get_one(Post, request.post_id)
    kind = Notice.DECIDED if state in DECIDED else Notice.WITHDRAWN
    await notices.tell(tx, member, kind, post.title, f"/p/{post.id}/review")
