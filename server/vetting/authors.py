# SPDX-License-Identifier: Apache-2.0
"""Where a review stands, for the author of the practice."""

import json
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from server.errors import NotFound
from server.library import drafts
from server.reviews import rubric
from server.reviews.course import DECIDED, OPEN, OPEN_SEATS, Seat
from server.reviews.rows import (
    decided_review,
    latest_request,
    open_review,
    request_of_draft,
    review_of_draft,
    seats_of,
)
from server.reviews.rubric import Answers
from storage.forums import Forum
from storage.members import Member
from storage.posts import Post, PostState
from storage.practices import Practice
from storage.reviews import Review, ReviewRequest, ReviewSeat


@dataclass(frozen=True)
class Given:
    """A review as its author reads it after the decision: an agency, and maybe a name."""

    agency: str
    name: str
    answers: Answers


@dataclass(frozen=True)
class AuthorPage:
    """Where the review of one's own practice stands; numbers only until it is decided.

    `path` is this page's own; `post` is None for what is not published yet, `forum` where no
    forum is chosen for it either.
    """

    title: str
    path: str
    post: Post | None
    forum: Forum | None
    version: int
    state: str
    reviewed_version: int
    submitted: datetime | None
    due: datetime | None
    decided: datetime | None
    note: str
    letter: str
    asked: int
    accepted: int
    answered: int
    reviews: list[Given]
    draft: int | None = None

    @property
    def is_open(self) -> bool:
        return self.state in OPEN

    @property
    def post_is_here(self) -> bool:
        return self.forum is not None and self.forum.is_local

    @property
    def may_submit(self) -> bool:
        return not self.is_open and (self.post is None or self.post.state == PostState.LIVE)


async def author_page(session: AsyncSession, member: Member, post_id: int) -> AuthorPage:
    """The review of a practice for its author; NotFound for everybody else."""
    post = await session.get(Post, post_id)
    practice = await session.get(Practice, post_id)
    if post is None or practice is None or post.author_id != member.id:
        raise NotFound
    forum = await session.get_one(Forum, post.forum_id)
    if not forum.is_local:
        request = await latest_request(session, post.id)
        return _of_request(post, forum, practice.version, request)
    review = await open_review(session, post.id) or await decided_review(session, post.id)
    held = await seats_of(session, review.id) if review else []
    return _of_review(post, forum, practice.version, review, held)


async def draft_page(session: AsyncSession, member: Member, number: int) -> AuthorPage:
    """The review of a draft for its owner; NotFound for everybody else."""
    draft = await drafts.must_write(session, member, number)
    if draft.owner_id != member.id or draft.post_id is not None:
        raise NotFound
    review = await review_of_draft(session, number)
    request = await request_of_draft(session, number)
    if request is not None and (review is None or review.id < request.id):
        page = _of_request(None, await session.get_one(Forum, request.forum_id), 1, request)
    else:
        forum = await session.get(Forum, (review.forum_id if review else draft.forum_id) or 0)
        held = await seats_of(session, review.id) if review else []
        page = _of_review(None, forum, 1, review, held)
    title = draft.title or "A new practice"
    return replace(page, title=title, path=f"/reviews/drafts/{number}", draft=number)


async def published_as(session: AsyncSession, member: Member, number: int) -> int | None:
    """The practice that came of a draft of theirs which was reviewed; None where none did."""
    review = await review_of_draft(session, number)
    if review is not None and review.author_id == member.id and review.post_id is not None:
        return review.post_id
    request = await request_of_draft(session, number)
    if request is not None and request.member_id == member.id:
        return request.post_id
    return None


def _of_review(
    post: Post | None,
    forum: Forum | None,
    version: int,
    review: Review | None,
    seats: list[ReviewSeat],
) -> AuthorPage:
    states = [seat.state for seat in seats]
    is_told = review is not None and review.state in DECIDED
    return AuthorPage(
        title=post.title if post else "",
        path=f"/p/{post.id}/review" if post else "",
        post=post,
        forum=forum,
        version=version,
        state=review.state if review else "",
        reviewed_version=review.version if review else 0,
        submitted=review.submitted if review else None,
        due=review.due if review else None,
        decided=review.decided if review else None,
        note=review.note if review else "",
        letter=review.letter if review and review.decided else "",
        asked=sum(state in {*OPEN_SEATS, Seat.ANSWERED} for state in states),
        accepted=sum(state in {Seat.ACCEPTED, Seat.ANSWERED} for state in states),
        answered=states.count(Seat.ANSWERED),
        reviews=given(seats) if is_told else [],
    )


def given(seats: list[ReviewSeat]) -> list[Given]:
    """What the reviewers wrote, for the author of the practice."""
    return [
        Given(seat.agency, seat.named, rubric.unpack(seat.answers))
        for seat in seats
        if seat.state == Seat.ANSWERED and seat.answers
    ]


def _of_request(
    post: Post | None, forum: Forum, version: int, request: ReviewRequest | None
) -> AuthorPage:
    said: dict[str, Any] = json.loads(request.told) if request else {}
    return AuthorPage(
        title=post.title if post else "",
        path=f"/p/{post.id}/review" if post else "",
        post=post,
        forum=forum,
        version=version,
        state=request.state if request else "",
        reviewed_version=request.version if request else 0,
        submitted=request.asked if request else None,
        due=None,
        decided=request.decided if request else None,
        note=request.note if request else "",
        letter=request.letter if request else "",
        asked=said.get("asked") or 0,
        accepted=said.get("accepted") or 0,
        answered=said.get("answered") or 0,
        reviews=[
            Given(one.get("agency", ""), "", rubric.unpack(json.dumps(one.get("answers", {}))))
            for one in said.get("reviews", [])
        ],
    )
