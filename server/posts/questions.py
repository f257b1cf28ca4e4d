# SPDX-License-Identifier: Apache-2.0
"""The questions behind a thread's page, written once for each kind of viewer."""

from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, exists, false, func, select
from sqlalchemy.orm import aliased

from server import shown
from server.shown import ShownForum, ShownPerson, ShownPost, ShownReply
from server.viewers import Sight, posts_in
from storage.endorsements import Endorsement
from storage.forums import Forum, ForumFollow, ForumMember, ForumSteward
from storage.members import Member
from storage.moderation import ForumBlock
from storage.mutes import MutedThread
from storage.plain import Question, given
from storage.polls import Poll
from storage.posts import Post, PostState, ReadMark
from storage.practices import PracticeThread

BRANCHES_A_PAGE = 40
REPLIES_A_PAGE = 600

Row = tuple[ShownReply, ShownPerson, bool]


@dataclass(frozen=True)
class Own:
    """What a member is to a thread and its forum; as here, for visitors."""

    steward: bool = False
    listed: bool = False
    endorsed: bool = False
    seen: datetime | None = None
    follow: str | None = None
    reason: str | None = None
    blocked: bool = False
    muted: bool = False


class Opening(NamedTuple):
    """A post with its author, its forum and its tags, and what else must be asked for."""

    post: ShownPost
    author: ShownPerson
    forum: ShownForum
    tags: tuple[str, ...]
    has_poll: bool
    has_practices: bool


def _opening(*cells: Any) -> Opening:
    *shown_cells, tags, has_poll, has_practices = cells
    seen = shown.post_person_forum(*shown_cells)
    return Opening(*seen, shown.tags_of(tags), bool(has_poll), bool(has_practices))


@cache
def opening(sight: Sight) -> Question[Opening]:
    """A post by its id."""
    has_poll = exists().where(Poll.post_id == Post.id)
    # Whether any of them is to be seen is another question, and most threads have none.
    has_practices = exists().where(PracticeThread.thread_id == Post.id)
    others = (shown.TAGS, has_poll.label("has_poll"), has_practices.label("has_practices"))
    return Question(
        select(*shown.POST, *shown.PERSON, *shown.FORUM, *others)
        .join(Forum, Forum.id == Post.forum_id)
        .join(Member, Member.id == Post.author_id)
        .where(Post.id == given("id"), posts_in(sight)),
        _opening,
    )


def _count() -> Any:
    """How many replies the thread has that the parameter names."""
    opener = aliased(Post)
    return select(opener.reply_count).where(opener.id == given("thread")).scalar_subquery()


def _heads(sight: Sight, *only: ColumnElement[bool]) -> Any:
    return (
        select(Post.id)
        .join(Forum, Forum.id == Post.forum_id)
        .where(
            Post.thread_id == given("thread"),
            Post.id > given("after"),
            Post.branch_id == Post.id,
            posts_in(sight),
            *only,
        )
        .order_by(Post.id)
    )


@cache
def heads(sight: Sight) -> Question[int]:
    """The replies to an opener, which begin its branches."""
    return Question(_heads(sight).limit(BRANCHES_A_PAGE + 1), int)


@cache
def heads_if_long(sight: Sight) -> Question[int]:
    """`heads` of a thread of which not all may be on a page; none of a shorter one."""
    is_long = _count() > BRANCHES_A_PAGE
    return Question(_heads(sight, is_long).limit(BRANCHES_A_PAGE + 1), int)


def _replies(sight: Sight, *where: ColumnElement[bool]) -> Question[Row]:
    endorsed: ColumnElement[bool] = false()
    if sight.signed_in:
        endorsed = exists().where(
            Endorsement.post_id == Post.id,
            Endorsement.member_id == given("me"),
            Endorsement.active,
        )
    return Question(
        select(*shown.REPLY, *shown.PERSON, endorsed.label("endorsed"))
        .join(Forum, Forum.id == Post.forum_id)
        .join(Member, Member.id == Post.author_id)
        .where(Post.thread_id == given("thread"), *where, posts_in(sight))
        .order_by(Post.branch_id, Post.id)
        .limit(REPLIES_A_PAGE),
        shown.reply_person,
    )


@cache
def replies(sight: Sight) -> Question[Row]:
    """The replies of the branches from `first` to `last`, with their authors."""
    return _replies(sight, Post.branch_id.between(given("first"), given("last")))


@cache
def replies_if_short(sight: Sight) -> Question[Row]:
    """All replies from `first` on, of a thread that may be on one page; none of a longer one."""
    return _replies(sight, Post.branch_id >= given("first"), _count() <= BRANCHES_A_PAGE)


@cache
def replies_if_long(sight: Sight) -> Question[Row]:
    """The replies of the branches of a page after `after`; none of a thread that is short."""
    heads = _heads(sight, _count() > BRANCHES_A_PAGE).limit(BRANCHES_A_PAGE).subquery()
    first = select(func.min(heads.c.id)).scalar_subquery()
    last = select(func.max(heads.c.id)).scalar_subquery()
    return _replies(sight, Post.branch_id.between(first, last))


@cache
def waiting() -> Question[int]:
    """How many replies of a thread wait for its home, which members alone are shown."""
    return Question(
        select(func.count()).where(
            Post.thread_id == given("thread"),
            Post.state == PostState.SENT,
            Post.id != Post.thread_id,
        ),
        int,
    )


@cache
def own() -> Question[Own]:
    """What a member is to a thread and its forum, in one row; none where there is no thread."""
    me, thread, forum = given("me"), Post.id, Post.forum_id
    follow = (ForumFollow.forum_id == forum, ForumFollow.member_id == me)
    cells: tuple[Any, ...] = (
        exists().where(ForumSteward.forum_id == forum, ForumSteward.member_id == me),
        exists().where(ForumMember.forum_id == forum, ForumMember.member_id == me),
        exists().where(
            Endorsement.post_id == thread, Endorsement.member_id == me, Endorsement.active
        ),
        select(ReadMark.seen)
        .where(ReadMark.thread_id == thread, ReadMark.member_id == me)
        .scalar_subquery(),
        select(ForumFollow.state).where(*follow).scalar_subquery(),
        select(ForumFollow.reason).where(*follow).scalar_subquery(),
        exists().where(ForumBlock.forum_id == forum, ForumBlock.member_id == me),
        exists().where(MutedThread.thread_id == thread, MutedThread.member_id == me),
    )
    named = (cell.label(f"c{n}") for n, cell in enumerate(cells))
    return Question(select(*named).select_from(Post).where(Post.id == given("thread")), Own)
