# SPDX-License-Identifier: Apache-2.0
"""Posts with what stands around them, in one question."""

from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Text, exists, or_, select
from sqlalchemy.orm import aliased

from storage.among import among
from storage.forums import Forum, Visibility
from storage.members import Member
from storage.mentoring import OfferPost
from storage.plain import Question, as_it_is
from storage.polls import Poll
from storage.posts import Post, PostMention, PostState, PostTag
from storage.practices import PracticeWithdrawal
from storage.replications import Announcing
from storage.resources import ResourceUse
from storage.reviews import ReviewStatement

_OWN = (
    *("id", "kind", "uri", "url", "title", "source", "html", "language", "published"),
    *("updated", "locked", "endorsement_count", "parent_uri", "author_id"),
)


@dataclass(slots=True)
class Row:
    """A post, who wrote it, where it stands and what it answers.

    The last few say whether there is anything to be asked for beside it.
    """

    id: int
    kind: str
    uri: str
    url: str
    title: str
    source: str
    html: str
    language: str
    published: datetime
    updated: datetime | None
    locked: bool
    endorsement_count: int
    parent_uri: str | None
    author_id: int
    author: str
    forum: str
    visibility: str
    context: str
    above: str | None
    answered_id: int | None
    answered: str | None
    answered_handle: str | None
    is_tagged: bool
    names: bool
    has_poll: bool
    offers: bool
    says: bool


@cache
def rows() -> Question[Row]:
    """The posts `ids`, in no order."""
    opener, parent, answered = aliased(Post), aliased(Post), aliased(Member)
    says = (
        exists().where(table.post_id == Post.id)
        for table in (Announcing, ResourceUse, ReviewStatement)
    )
    cells: tuple[Any, ...] = (
        *(getattr(Post, name) for name in _OWN),
        Member.uri.label("author"),
        Forum.uri.label("forum"),
        Forum.visibility,
        opener.context,
        parent.uri.label("above"),
        answered.id.label("answered_id"),
        answered.uri.label("answered"),
        answered.handle.label("answered_handle"),
        exists().where(PostTag.post_id == Post.id).label("is_tagged"),
        exists().where(PostMention.post_id == Post.id).label("names"),
        exists().where(Poll.post_id == Post.id).label("has_poll"),
        exists().where(OfferPost.post_id == Post.id).label("offers"),
        or_(*says, exists().where(PracticeWithdrawal.note == Post.uri)).label("says"),
    )
    question = (
        select(*cells)
        .join(Forum, Forum.id == Post.forum_id)
        .join(Member, Member.id == Post.author_id)
        .join(opener, opener.id == Post.thread_id)
        .outerjoin(parent, parent.id == Post.parent_id)
        .outerjoin(answered, answered.id == parent.author_id)
        .where(among(Post.id, "ids"))
    )
    return Question(question, Row)


@cache
def tags() -> Question[tuple[int, str]]:
    """The tags of the posts `ids`: (post, tag)."""
    question = select(PostTag.post_id, PostTag.tag).order_by(PostTag.post_id, PostTag.tag)
    return Question(question.where(among(PostTag.post_id, "ids")), as_it_is)


@cache
def mentions() -> Question[tuple[int, str, str]]:
    """Whom the posts `ids` name: (post, handle, uri)."""
    question = (
        select(PostMention.post_id, Member.handle, Member.uri)
        .join(Member, PostMention.member_id == Member.id)
        .where(among(PostMention.post_id, "ids"))
        .order_by(Member.id)
    )
    return Question(question, as_it_is)


@cache
def linked() -> Question[tuple[str, str]]:
    """The posts at `addresses` that anybody may see: (uri, url)."""
    written = among(Post.uri, "addresses", Text()), among(Post.url, "addresses", Text())
    question = (
        select(Post.uri, Post.url)
        .join(Forum, Forum.id == Post.forum_id)
        .where(
            or_(*written),
            Post.state == PostState.LIVE,
            Forum.visibility == Visibility.PUBLIC,
        )
    )
    return Question(question, as_it_is)
