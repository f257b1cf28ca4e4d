# SPDX-License-Identifier: Apache-2.0
"""Reviews of practices: the cases, their seats, what reviewers are at.

The home of a forum holds a `Review` and a seat for each reviewer, whom it knows as a pseudonym
and an agency. The person is known to their own instance alone, which holds a `ReviewTask`. The
home of an author elsewhere holds what it is told as a `ReviewRequest`.
"""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, Integer
from sqlalchemy.orm import Mapped, mapped_column

from storage.base import Base, Characters, Key, Url, Word


class Review(Base):
    """The review of one version of a practice, at the home of its forum.

    `record` is what is reviewed, as reviewers see it: frozen when it was submitted, empty once
    scrubbed. `told_id` is the reply that told the followers of an acceptance. Of a draft of
    another agency only that `peer` is known, and its name for it (`about`), until it is published.
    """

    __tablename__ = "reviews"
    __table_args__ = (
        Index("ix_reviews_post", "post_id", "id"),
        Index("ix_reviews_state", "state", "due"),
        Index("ix_reviews_draft", "draft_id", "id"),
        Index("ix_reviews_forum", "forum_id", "id"),
        Index("ix_reviews_author", "author_id", "id"),
        Index("ix_reviews_about", "about", "id"),
        Index("ix_reviews_peer", "peer", "state"),
    )

    id: Mapped[Key]
    post_id: Mapped[int | None] = mapped_column(ForeignKey("posts.id"))
    draft_id: Mapped[int | None]
    forum_id: Mapped[int] = mapped_column(ForeignKey("forums.id"))
    author_id: Mapped[int | None] = mapped_column(ForeignKey("members.id"))
    peer: Mapped[str | None] = mapped_column(Characters(255))
    about: Mapped[str] = mapped_column(Characters(2048), default="")
    title: Mapped[str] = mapped_column(Characters(500), default="")
    version: Mapped[int] = mapped_column(Integer)
    state: Mapped[Word]
    masked: Mapped[bool] = mapped_column(default=True)
    record: Mapped[str] = mapped_column(default="")
    note: Mapped[str] = mapped_column(Characters(2000), default="")
    letter: Mapped[str] = mapped_column(default="")
    submitted: Mapped[datetime]
    due: Mapped[datetime | None]
    decided: Mapped[datetime | None]
    decided_by: Mapped[int | None]
    told_id: Mapped[int | None] = mapped_column(ForeignKey("posts.id"))


class ReviewSeat(Base):
    """One reviewer of a review, as its home knows them; `/reviews/<token>` is the invitation.

    `peer` is None for a member here, whose name stands in their task alone. `reviewer` is the
    pseudonym that an agency elsewhere gave, `named` the name that the reviewer consented to.
    """

    __tablename__ = "review_seats"
    __table_args__ = (
        Index("ix_review_seats_review", "review_id", "id"),
        Index("ix_review_seats_due", "state", "due"),
    )

    id: Mapped[Key]
    review_id: Mapped[int] = mapped_column(ForeignKey("reviews.id"))
    token: Mapped[Word] = mapped_column(unique=True)
    peer: Mapped[str | None] = mapped_column(Characters(255))
    agency: Mapped[str] = mapped_column(Characters(500), default="")
    state: Mapped[Word]
    reviewer: Mapped[str] = mapped_column(Characters(2048), default="")
    conflict: Mapped[str] = mapped_column(Characters(2000), default="")
    reason: Mapped[str] = mapped_column(Characters(500), default="")
    answers: Mapped[str] = mapped_column(default="")
    recommendation: Mapped[Word] = mapped_column(default="")
    named: Mapped[str] = mapped_column(Characters(500), default="")
    invited: Mapped[datetime]
    due: Mapped[datetime]
    answered: Mapped[datetime | None]


class ReviewTask(Base):
    """A review asked of this agency; `/reviews/<token>` is the reviewer's pseudonym.

    `seat_id` where the review's home is this instance, `peer` where it is another. `record` and
    `answers` are empty once scrubbed.
    """

    __tablename__ = "review_tasks"
    __table_args__ = (
        Index("ix_review_tasks_member", "member_id", "state"),
        Index("ix_review_tasks_state", "state", "due"),
        Index("ix_review_tasks_seat", "seat_id"),
    )

    id: Mapped[Key]
    token: Mapped[Word] = mapped_column(unique=True)
    invitation: Mapped[Url] = mapped_column(unique=True)
    seat_id: Mapped[int | None] = mapped_column(ForeignKey("review_seats.id"))
    peer: Mapped[str | None] = mapped_column(Characters(255))
    asked_by: Mapped[str] = mapped_column(Characters(500), default="")
    forum: Mapped[str] = mapped_column(Characters(500), default="")
    title: Mapped[str] = mapped_column(Characters(500), default="")
    record: Mapped[str] = mapped_column(default="")
    version: Mapped[int] = mapped_column(Integer)
    masked: Mapped[bool] = mapped_column(default=True)
    member_id: Mapped[int | None] = mapped_column(ForeignKey("members.id"))
    state: Mapped[Word]
    conflict: Mapped[str] = mapped_column(Characters(2000), default="")
    answers: Mapped[str] = mapped_column(default="")
    decision: Mapped[Word] = mapped_column(default="")
    reason: Mapped[str] = mapped_column(Characters(500), default="")
    practice: Mapped[str] = mapped_column(Characters(2048), default="")
    named: Mapped[bool] = mapped_column(default=False)
    received: Mapped[datetime]
    due: Mapped[datetime]
    answered: Mapped[datetime | None]
    reminded: Mapped[datetime | None]


class ReviewRequest(Base):
    """A review that one of our people asked of a forum elsewhere, as its home tells of it.

    `about` is what both call it: the practice, or `/reviews/<token>` for a draft, whose `record` is
    what was sent. `told` is the JSON of what its home said last: who was asked, and in the end what
    they wrote.
    """

    __tablename__ = "review_requests"
    __table_args__ = (
        Index("ix_review_requests_post", "post_id", "id"),
        Index("ix_review_requests_draft", "draft_id", "id"),
        Index("ix_review_requests_about", "about", "id"),
        Index("ix_review_requests_member", "member_id", "id"),
    )

    id: Mapped[Key]
    post_id: Mapped[int | None] = mapped_column(ForeignKey("posts.id"))
    draft_id: Mapped[int | None]
    forum_id: Mapped[int] = mapped_column(ForeignKey("forums.id"))
    about: Mapped[str] = mapped_column(Characters(2048))
    title: Mapped[str] = mapped_column(Characters(500), default="")
    record: Mapped[str] = mapped_column(default="")
    member_id: Mapped[int] = mapped_column(ForeignKey("members.id"))
    version: Mapped[int] = mapped_column(Integer)
    state: Mapped[Word]
    note: Mapped[str] = mapped_column(Characters(2000), default="")
    letter: Mapped[str] = mapped_column(default="")
    told: Mapped[str] = mapped_column(default="{}")
    asked: Mapped[datetime]
    decided: Mapped[datetime | None]


class ReviewStatement(Base):
    """A reply by which a home states that a practice was reviewed; `of` is the practice's uri."""

    __tablename__ = "review_statements"
    __table_args__ = (Index("ix_review_statements_of", "of", "at"),)

    post_id: Mapped[int] = mapped_column(
        ForeignKey("posts.id"), primary_key=True, autoincrement=False
    )
    of: Mapped[str] = mapped_column(Characters(2048))
    version: Mapped[int] = mapped_column(Integer)
    reviewers: Mapped[int] = mapped_column(Integer)
    agencies: Mapped[int] = mapped_column(Integer)
    against: Mapped[int] = mapped_column(Integer, default=0)
    at: Mapped[datetime]


class ReviewNotice(Base):
    """One thing about reviews that a member is told; `path` is where it is dealt with."""

    __tablename__ = "review_notices"
    __table_args__ = (
        Index("ix_review_notices_member", "member_id", "id"),
        Index("ix_review_notices_unread", "member_id", "read"),
    )

    id: Mapped[Key]
    member_id: Mapped[int] = mapped_column(ForeignKey("members.id"))
    kind: Mapped[Word]
    title: Mapped[str] = mapped_column(Characters(500), default="")
    path: Mapped[str] = mapped_column(Characters(300))
    created: Mapped[datetime]
    read: Mapped[datetime | None]
