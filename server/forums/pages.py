# SPDX-License-Identifier: Apache-2.0
"""What the forum pages show: the list, one forum, the home page."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import and_, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from server.errors import NotFound
from server.forums.standing import standing
from server.permissions import Permission, Standing, may
from server.viewers import Viewer, visible_forums, visible_posts
from storage.forums import FollowState, Forum, ForumFollow, ForumMember, ForumSteward
from storage.log import Lane, Parked
from storage.members import Member
from storage.peers import Peer
from storage.posts import Kind, Post, PostState, PostTag, ReadMark

PAGE = 30
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True)
class ThreadLine:
    """A thread in a list."""

    post: Post
    author: Member
    forum: Forum
    tags: tuple[str, ...]
    unread: bool


@dataclass(frozen=True)
class ForumLine:
    """A forum in a list, and how the viewer follows it."""

    forum: Forum
    follow: str | None


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
class ForumPage:
    """One forum with a page of its threads."""

    forum: Forum
    threads: list[ThreadLine]
    stewards: list[Member]
    standing: Standing
    follow: ForumFollow | None
    may_post: bool
    may_edit: bool
    next: Place | None
    obstacle: str


@dataclass(frozen=True)
class HomePage:
    """What is new in the forums a member follows; in public ones, for visitors."""

    threads: list[ThreadLine]
    follows: list[ForumLine]
    next: Place | None


async def index(session: AsyncSession, viewer: Viewer) -> list[ForumLine]:
    """Every forum the viewer may know of: ours first, then by agency and title."""
    question = (
        select(Forum)
        .where(visible_forums(viewer))
        .order_by(Forum.peer.is_not(None), Forum.agency, func.lower(Forum.title))
        .limit(500)
    )
    found = list((await session.execute(question)).scalars())
    states = await _follow_states(session, viewer)
    return [ForumLine(forum, states.get(forum.id)) for forum in found]


async def _follow_states(session: AsyncSession, viewer: Viewer) -> dict[int, str]:
    if viewer.member is None:
        return {}
    rows = await session.execute(
        select(ForumFollow.forum_id, ForumFollow.state).where(
            ForumFollow.member_id == viewer.member.id, ForumFollow.reason != "left"
        )
    )
    return {row[0]: row[1] for row in rows}


async def one(session: AsyncSession, viewer: Viewer, handle: str, peer: str | None = None) -> Forum:
    """The forum `@handle` here or `@handle@peer`, if the viewer may know of it."""
    question = (
        select(Forum)
        .where(Forum.handle == handle, Forum.peer == peer, visible_forums(viewer))
        .order_by(Forum.id.desc())
        .limit(1)
    )
    forum = (await session.execute(question)).scalar_one_or_none()
    if forum is None:
        raise NotFound
    return forum


async def page(
    session: AsyncSession, viewer: Viewer, forum: Forum, *, after: Place | None = None
) -> ForumPage:
    """A page of threads: pinned first, then the latest activity."""
    threads, more = await _threads(session, viewer, [forum.id], after, pins=True)
    stands = await standing(session, viewer.member, forum)
    stewards = select(Member).join(ForumSteward).where(ForumSteward.forum_id == forum.id)
    member = viewer.member
    follow = await session.get(ForumFollow, (forum.id, member.id)) if member else None
    return ForumPage(
        forum=forum,
        threads=threads,
        stewards=list((await session.execute(stewards.order_by(Member.name))).scalars()),
        standing=stands,
        follow=follow if follow is not None and follow.reason != "left" else None,
        may_post=may(stands, Permission.POST_THREAD),
        may_edit=forum.is_local and may(stands, Permission.EDIT_FORUM),
        next=more,
        obstacle=await _obstacle(session, forum, follow),
    )


async def _obstacle(session: AsyncSession, forum: Forum, follow: ForumFollow | None) -> str:
    """Why a forum elsewhere has not answered a follow, as far as we know; "" if it may yet."""
    if follow is None or follow.state != FollowState.PENDING or follow.reason == "left":
        return ""
    peer = await session.get(Peer, forum.peer or "")
    if peer is not None and peer.next_try is not None:
        return "Their site does not answer at the moment. We keep trying."
    inbox = forum.shared_inbox or forum.inbox
    refused = select(Parked.seq).join(Lane, Lane.id == Parked.lane_id).where(Lane.inbox == inbox)
    if (await session.execute(refused.limit(1))).first() is None:
        return ""
    return "Their site takes nothing from ours. Ask their administrators to put us on their list."


async def home(session: AsyncSession, viewer: Viewer, *, after: Place | None = None) -> HomePage:
    """The latest threads of the forums followed, or of all public ones for visitors."""
    if viewer.member is None:
        public = select(Forum).where(visible_forums(viewer), Forum.peer.is_(None)).limit(100)
        lines = [ForumLine(forum, None) for forum in (await session.execute(public)).scalars()]
    else:
        followed = (
            select(Forum, ForumFollow.state)
            .join(ForumFollow, ForumFollow.forum_id == Forum.id)
            .where(
                ForumFollow.member_id == viewer.member.id,
                ForumFollow.state != FollowState.REJECTED,
                visible_forums(viewer),
            )
            .order_by(func.lower(Forum.title))
            .limit(300)
        )
        lines = [ForumLine(row[0], row[1]) for row in (await session.execute(followed)).all()]
    ids = [line.forum.id for line in lines]
    threads, more = await _threads(session, viewer, ids, after, pins=False)
    return HomePage(threads, lines, more)


async def people(session: AsyncSession, forum: Forum) -> tuple[list[Member], list[Member]]:
    """(stewards, listed members) of a forum, by name."""
    stewards = select(Member).join(ForumSteward).where(ForumSteward.forum_id == forum.id)
    listed = select(Member).join(ForumMember).where(ForumMember.forum_id == forum.id)
    return (
        list((await session.execute(stewards.order_by(Member.name))).scalars()),
        list((await session.execute(listed.order_by(Member.name))).scalars()),
    )


async def _threads(
    session: AsyncSession, viewer: Viewer, forums: list[int], after: Place | None, *, pins: bool
) -> tuple[list[ThreadLine], Place | None]:
    if not forums:
        return [], None
    question = (
        select(Post, Member, Forum)
        .join(Forum, Forum.id == Post.forum_id)
        .join(Member, Member.id == Post.author_id)
        .where(
            Post.forum_id.in_(forums),
            Post.kind != Kind.REPLY,
            Post.state != PostState.DELETED,
            visible_posts(viewer),
        )
        .limit(PAGE + 1)
    )
    order = (Post.bumped.desc(), Post.id.desc())
    question = question.order_by(Post.pinned.desc(), *order) if pins else question.order_by(*order)
    if after is not None:
        later = or_(
            Post.bumped < after.bumped, and_(Post.bumped == after.bumped, Post.id < after.id)
        )
        if pins:
            same = and_(Post.pinned.is_(after.pinned), later)
            later = or_(same, Post.pinned.is_(False)) if after.pinned else same
        question = question.where(later)
    rows = (await session.execute(question)).all()
    shown = rows[:PAGE]
    tags = await tags_of(session, [row[0].id for row in shown])
    seen = await _seen(session, viewer, [row[0].id for row in shown])
    lines = [
        ThreadLine(post, author, forum, tags.get(post.id, ()), _is_unread(viewer, post, seen))
        for post, author, forum in shown
    ]
    last = shown[-1][0] if len(rows) > PAGE else None
    return lines, Place(last.pinned, last.bumped, last.id) if last else None


async def tags_of(session: AsyncSession, posts: list[int]) -> dict[int, tuple[str, ...]]:
    """The tags of several posts at once."""
    rows = await session.execute(
        select(PostTag.post_id, PostTag.tag).where(PostTag.post_id.in_(posts)).order_by(PostTag.tag)
    )
    found: dict[int, tuple[str, ...]] = {}
    for post_id, tag in rows:
        found[post_id] = (*found.get(post_id, ()), tag)
    return found


async def _seen(session: AsyncSession, viewer: Viewer, posts: list[int]) -> dict[int, datetime]:
    if viewer.member is None:
        return {}
    rows = await session.execute(
        select(ReadMark.thread_id, ReadMark.seen).where(
            ReadMark.member_id == viewer.member.id, ReadMark.thread_id.in_(posts)
        )
    )
    return {row[0]: row[1] for row in rows}


def _is_unread(viewer: Viewer, post: Post, seen: dict[int, datetime]) -> bool:
    if viewer.member is None:
        return False
    mark = seen.get(post.id)
    if mark is None:
        return post.author_id != viewer.member.id
    return post.bumped > mark
