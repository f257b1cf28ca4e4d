# SPDX-License-Identifier: Apache-2.0
"""Posts, people and forums as pages show them: the columns shown, no more."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import func, select

from storage.forums import Forum
from storage.members import Member
from storage.posts import Post, PostTag

Row = TypeVar("Row")


@dataclass(slots=True)
class ShownReply:
    """What pages show of any post of a thread."""

    id: int
    uri: str
    url: str
    author_id: int
    thread_id: int
    branch_id: int | None
    parent_id: int | None
    slug: str
    html: str
    language: str
    published: datetime
    deleted: datetime | None
    arrived: datetime
    state: str
    reason: str
    revision: int
    endorsement_count: int
    quoted_uri: str | None

    @property
    def is_thread(self) -> bool:
        return self.id == self.thread_id


@dataclass(slots=True)
class ShownPost(ShownReply):
    """What pages show of an opener."""

    kind: str
    title: str
    reply_count: int
    withheld_count: int
    bumped: datetime
    pinned: bool
    locked: bool


@dataclass(slots=True)
class ShownPerson:
    """What pages show of a person."""

    id: int
    handle: str
    peer: str | None
    name: str
    role_title: str
    agency: str
    avatar_file: str | None
    avatar_url: str | None

    @property
    def is_local(self) -> bool:
        return self.peer is None


@dataclass(slots=True)
class ShownForum:
    """What pages show of a forum."""

    id: int
    uri: str
    handle: str
    peer: str | None
    url: str
    title: str
    agency: str
    description_html: str
    visibility: str
    language: str
    inbox: str
    shared_inbox: str | None
    copy_state: str
    backfill_done: int
    backfill_total: int
    checked: datetime | None
    compared: datetime | None
    compare_tried: datetime | None
    compare_error: str
    compare_missing: int
    thread_count: int
    follower_count: int
    bumped: datetime | None
    moved_to: str | None

    @property
    def is_local(self) -> bool:
        return self.peer is None


def _columns(row: type[Any], table: type[Any]) -> tuple[Any, ...]:
    return tuple(getattr(table, name) for name in row.__dataclass_fields__)


REPLY = _columns(ShownReply, Post)
POST = _columns(ShownPost, Post)
PERSON = _columns(ShownPerson, Member)
FORUM = _columns(ShownForum, Forum)
_BETWEEN_TAGS = "\x1f"
# A cell beside POST, for `tags_of`.
TAGS = (
    select(func.aggregate_strings(PostTag.tag, _BETWEEN_TAGS))
    .where(PostTag.post_id == Post.id)
    .scalar_subquery()
    .label("tags")
)
_R, _P, _M = len(REPLY), len(POST), len(POST) + len(PERSON)


def reply_person(*cells: Any) -> tuple[ShownReply, ShownPerson, bool]:
    """A row of REPLY, PERSON and a yes or no."""
    return ShownReply(*cells[:_R]), ShownPerson(*cells[_R:-1]), bool(cells[-1])


def post_person_forum(*cells: Any) -> tuple[ShownPost, ShownPerson, ShownForum]:
    """A row of POST, PERSON and FORUM."""
    return ShownPost(*cells[:_P]), ShownPerson(*cells[_P:_M]), ShownForum(*cells[_M:])


def tags_of(cell: str | None) -> tuple[str, ...]:
    """The tags of a cell of TAGS, in order."""
    return tuple(sorted(cell.split(_BETWEEN_TAGS))) if cell else ()
