# SPDX-License-Identifier: Apache-2.0
"""The questions behind a thread's page, written once for each kind of viewer."""

from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, exists, false, func, select

from server import shown
from server.shown import ShownForum, ShownPerson, ShownPost, ShownReply
from server.viewers import Sight, posts_in
from storage.endorsements import Endorsement
from storage.forums import Forum, ForumFollow, ForumMember, ForumSteward
from storage.members import Member
from storage.moderation import ForumBlock
from storage.mutes import MutedThread
from storage.plain import Question, given
from storage.posts import Post, PostState, PostTag, ReadMark

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


@cache
def opening(sight: Sight) -> Question[tuple[ShownPost, ShownPerson, ShownForum]]:
    """A post with its author and its forum."""
    return Question(
        select(*shown.POST, *shown.PERSON, *shown.FORUM)
        .join(Forum, Forum.id == Post.forum_id)
        .join(Member, Member.id == Post.author_id)
        .where(Post.id == given("id"), posts_in(sight)),
        shown.post_person_forum,
    )


@cache
def heads(sight: Sight) -> Question[int]:
    """The replies to an opener, which begin its branches."""
    return Question(
        select(Post.id)
        .join(Forum, Forum.id == Post.forum_id)
        .where(
            Post.thread_id == given("thread"),
            Post.id > given("after"),
            Post.branch_id == Post.id,
            posts_in(sight),
        )
        .order_by(Post.id)
        .limit(BRANCHES_A_PAGE + 1),
        int,
    )


@cache
def replies(sight: Sight) -> Question[Row]:
    """The replies of the branches from `first` to `last`, with their authors."""
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
        .where(
            Post.thread_id == given("thread"),
            Post.branch_id.between(given("first"), given("last")),
            posts_in(sight),
        )
        .order_by(Post.branch_id, Post.id)
        .limit(REPLIES_A_PAGE),
        shown.reply_person,
    )


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
def tags() -> Question[str]:
    return Question(
        select(PostTag.tag).where(PostTag.post_id == given("id")).order_by(PostTag.tag), str
    )


@cache
def own() -> Question[Own]:
    """What a member is to a thread and its forum, in one row."""
    me, thread, forum = (given(name) for name in ("me", "thread", "forum"))
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
    return Question(select(*(cell.label(f"c{n}") for n, cell in enumerate(cells))), Own)
