# SPDX-License-Identifier: Apache-2.0
"""The latest threads of forums, found without reading the others."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import Boolean, Select, and_, exists, func, null, select, tuple_, union_all
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from server import mutes, shown
from server.shown import ShownForum, ShownPerson, ShownPost
from server.viewers import Sight, Viewer, forums_in, posts_in
from storage.base import Characters, UtcDateTime, in_batches
from storage.forums import FollowState, Forum, ForumFollow, ForumMember, ForumSteward
from storage.members import Member
from storage.moderation import ForumBlock
from storage.plain import Question, ask, given
from storage.posts import Post, PostState, PostTag, ReadMark
from storage.tag_follows import TagFollow

PAGE = 30
FORUMS_AT_ONCE = 8
OF_EACH_TAG = 100
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True)
class Place:
    """Where a keyset page ends: printed into a link, read back from it."""

    pinned: bool
    bumped: datetime
    id: int

    def __str__(self) -> str:
        return f"{int(self.pinned)}-{(self.bumped - _EPOCH) // _MICROSECOND}-{self.id}"

    @classmethod
    def read(cls, value: str) -> "Place | None":
        """A place from a link; None for anything else."""
        parts = value.split("-")
        if len(parts) != 3 or not all(part.isdecimal() and len(part) < 20 for part in parts):
            return None
        pinned, moment, identifier = (int(part) for part in parts)
        if moment > 253_402_300_000_000_000 or identifier >= 1 << 63:
            return None
        return cls(bool(pinned), _EPOCH + moment * _MICROSECOND, identifier)


@dataclass(frozen=True)
class ForumLine:
    """A forum in a list, and how the viewer follows it."""

    forum: Forum | ShownForum
    follow: str | None


@dataclass(frozen=True)
class Line:
    """A thread in a list, and how far the viewer has read it."""

    post: ShownPost
    author: ShownPerson
    forum: ShownForum
    tags: tuple[str, ...]
    seen: datetime | None


@dataclass(frozen=True)
class Own:
    """What a member is to a forum; as here, for visitors."""

    steward: bool = False
    listed: bool = False
    state: str | None = None
    reason: str | None = None
    blocked: bool = False


def _line(*cells: Any) -> Line:
    return Line(*shown.post_person_forum(*cells[:-2]), shown.tags_of(cells[-2]), cells[-1])


@cache
def lines(sight: Sight) -> Question[Line]:
    """The threads `id0` to `id29`, as far as they are to be seen."""
    seen: Any = null()
    if sight.signed_in:
        seen = (
            select(ReadMark.seen)
            .where(ReadMark.thread_id == Post.id, ReadMark.member_id == given("me"))
            .scalar_subquery()
        )
    return Question(
        select(*shown.POST, *shown.PERSON, *shown.FORUM, shown.TAGS, seen.label("seen"))
        .join(Forum, Forum.id == Post.forum_id)
        .join(Member, Member.id == Post.author_id)
        .where(Post.id.in_([given(f"id{n}") for n in range(PAGE)]), posts_in(sight)),
        _line,
    )


def _threads(
    sight: Sight, forum: str, *, after: bool, home: bool = False
) -> Select[bool, datetime, int]:
    """The latest threads of the forum that a parameter names."""
    question = (
        select(Post.pinned, Post.bumped, Post.id)
        .join(Forum, Forum.id == Post.forum_id)
        .where(
            Post.forum_id == given(forum),
            Post.thread_id == Post.id,
            Post.state != PostState.DELETED,
            posts_in(sight),
        )
        .order_by(Post.bumped.desc(), Post.id.desc())
        .limit(PAGE + 1)
    )
    if home and sight.signed_in:
        question = question.where(mutes.heard(given("me")))
    elif sight.signed_in:
        # A muted thread is still to be found where it is.
        question = question.where(~mutes.kept_away(given("me"), Post.author_id))
    if after:
        place = tuple_(given("bumped", UtcDateTime()), given("last"))
        question = question.where(tuple_(Post.bumped, Post.id) < place)
    return question


@cache
def _latest(sight: Sight, *, after: bool) -> Question[Place]:
    """The latest threads of one forum: only those pinned, or only those not."""
    question = _threads(sight, "forum", after=after)
    return Question(question.where(Post.pinned == given("pinned", Boolean())), Place)


@cache
def _latest_of_several(sight: Sight, *, after: bool) -> Question[Place]:
    """The latest threads of the forums `forum0` to `forum7`."""
    each = [
        select(_threads(sight, f"forum{n}", after=after, home=True).subquery())
        for n in range(FORUMS_AT_ONCE)
    ]
    found = union_all(*each).subquery().c
    latest = select(found.pinned, found.bumped, found.id)
    latest = latest.order_by(found.bumped.desc(), found.id.desc()).limit(PAGE + 1)
    return Question(latest, Place)


async def of_forum(
    session: AsyncSession, viewer: Viewer, forum: int, after: Place | None
) -> list[Place]:
    """A page of a forum's threads and one more: pinned first, then the latest activity."""
    found: list[Place] = []
    for pinned in (True, False):
        if len(found) > PAGE or (after is not None and pinned and not after.pinned):
            continue
        begins = after if after is not None and after.pinned is pinned else None
        question = _latest(viewer.sight, after=begins is not None)
        values = {"forum": forum, "pinned": pinned, **_begin(begins), **viewer.values}
        found += await ask(session, question, **values)
    return found[: PAGE + 1]


async def of_forums(
    session: AsyncSession,
    viewer: Viewer,
    forums: Sequence[Forum | ShownForum],
    after: Place | None,
) -> list[Place]:
    """The latest threads of several forums, a page of them and one more.

    The liveliest forums are asked first, eight in a question, and none in which nothing
    happened since the last of a whole page: most often one question, or two.
    """
    question = _latest_of_several(viewer.sight, after=after is not None)
    found: list[Place] = []
    future = datetime.max.replace(tzinfo=UTC)
    liveliest = sorted(forums, key=lambda forum: forum.bumped or future, reverse=True)
    for chunk in in_batches(liveliest, FORUMS_AT_ONCE):
        if len(found) > PAGE and (chunk[0].bumped or future) < found[PAGE].bumped:
            break
        named = dict.fromkeys((f"forum{n}" for n in range(FORUMS_AT_ONCE)), 0)
        named |= {f"forum{n}": forum.id for n, forum in enumerate(chunk)}
        found += await ask(session, question, **named, **_begin(after), **viewer.values)
        found.sort(key=lambda place: (place.bumped, place.id), reverse=True)
        del found[PAGE + 1 :]
    return found


@cache
def _latest_of_tags(sight: Sight, *, after: bool) -> Question[Place]:
    """The latest threads with a tag that the member follows, among the newest of each tag."""
    inner = aliased(PostTag)
    # Only what is compared with a value is looked for by the index, on PostgreSQL as well.
    oldest = (
        select(inner.post_id)
        .where(inner.tag == TagFollow.tag)
        .order_by(inner.post_id.desc())
        .offset(OF_EACH_TAG - 1)
        .limit(1)
        .correlate(TagFollow)
        .scalar_subquery()
    )
    question = (
        select(Post.pinned, Post.bumped, Post.id)
        .distinct()
        .select_from(TagFollow)
        .join(
            PostTag,
            and_(PostTag.tag == TagFollow.tag, PostTag.post_id >= func.coalesce(oldest, 0)),
        )
        .join(Post, Post.id == PostTag.post_id)
        .join(Forum, Forum.id == Post.forum_id)
        .where(
            TagFollow.member_id == given("me"),
            Post.state != PostState.DELETED,
            posts_in(sight),
            mutes.heard(given("me")),
        )
        .order_by(Post.bumped.desc(), Post.id.desc())
        .limit(PAGE + 1)
    )
    if after:
        place = tuple_(given("bumped", UtcDateTime()), given("last"))
        question = question.where(tuple_(Post.bumped, Post.id) < place)
    return Question(question, Place)


async def of_tags(session: AsyncSession, viewer: Viewer, after: Place | None) -> list[Place]:
    """The latest threads with the tags that a member follows, a page of them and one more."""
    question = _latest_of_tags(viewer.sight, after=after is not None)
    return await ask(session, question, **_begin(after), **viewer.values)


def _begin(after: Place | None) -> dict[str, Any]:
    return {"bumped": after.bumped, "last": after.id} if after is not None else {}


@cache
def forum_named(sight: Sight, away: bool) -> Question[ShownForum]:
    """The forum `handle` here, or of the peer `of`."""
    at = Forum.peer == given("of", Characters(255)) if away else Forum.peer.is_(None)
    return Question(
        select(*shown.FORUM)
        .where(Forum.handle == given("handle", Characters(64)), at, forums_in(sight))
        .order_by(Forum.id.desc())
        .limit(1),
        ShownForum,
    )


def _forum_line(*cells: Any) -> ForumLine:
    return ForumLine(ShownForum(*cells[:-1]), cells[-1])


@cache
def followed(sight: Sight) -> Question[ForumLine]:
    """The forums a member follows; the public ones that live here, for visitors."""
    if not sight.signed_in:
        return Question(
            select(*shown.FORUM, null().label("state"))
            .where(forums_in(sight), Forum.peer.is_(None))
            .order_by(Forum.id)
            .limit(100),
            _forum_line,
        )
    return Question(
        select(*shown.FORUM, ForumFollow.state)
        .join(ForumFollow, ForumFollow.forum_id == Forum.id)
        .where(
            ForumFollow.member_id == given("me"),
            ForumFollow.state != FollowState.REJECTED,
            forums_in(sight),
        )
        .limit(300),
        _forum_line,
    )


@cache
def stewards() -> Question[ShownPerson]:
    """Who looks after a forum, by name."""
    return Question(
        select(*shown.PERSON)
        .join(ForumSteward, ForumSteward.member_id == Member.id)
        .where(ForumSteward.forum_id == given("forum"))
        .order_by(Member.name),
        ShownPerson,
    )


@cache
def own() -> Question[Own]:
    """What a member is to a forum, in one row."""
    me, forum = given("me"), given("forum")
    follow = (ForumFollow.forum_id == forum, ForumFollow.member_id == me)
    cells: tuple[Any, ...] = (
        exists().where(ForumSteward.forum_id == forum, ForumSteward.member_id == me),
        exists().where(ForumMember.forum_id == forum, ForumMember.member_id == me),
        select(ForumFollow.state).where(*follow).scalar_subquery(),
        select(ForumFollow.reason).where(*follow).scalar_subquery(),
        exists().where(ForumBlock.forum_id == forum, ForumBlock.member_id == me),
    )
    return Question(select(*(cell.label(f"c{n}") for n, cell in enumerate(cells))), Own)
