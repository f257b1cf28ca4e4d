# SPDX-License-Identifier: Apache-2.0
"""What the forum pages show: the list, one forum, the home page."""

import asyncio
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from server import filters
from server.errors import NotFound
from server.filters import Action, Context, Held
from server.forums import lists
from server.forums.lists import PAGE, ForumLine, Place
from server.permissions import Permission, Standing, may
from server.shown import ShownForum, ShownPerson, ShownPost
from server.viewers import Sight, Viewer, forums_in, visible_forums
from storage.forums import CopyState, FollowState, Forum, ForumFollow, ForumMember, ForumSteward
from storage.log import Lane, Parked
from storage.members import Member
from storage.peers import Peer
from storage.plain import Question, ask, whole
from storage.posts import PostTag

__all__ = ["PAGE", "ForumLine", "Place"]


@dataclass(frozen=True)
class ThreadLine:
    """A thread in a list."""

    post: ShownPost
    author: ShownPerson
    forum: ShownForum
    tags: tuple[str, ...]
    unread: bool
    filtered: str = ""


@dataclass(frozen=True)
class Follow:
    """How the viewer follows a forum; the reason is the home's, or `left`."""

    state: str
    reason: str


@dataclass(frozen=True)
class ForumPage:
    """One forum with a page of its threads."""

    forum: Forum | ShownForum
    threads: list[ThreadLine]
    stewards: list[ShownPerson]
    standing: Standing
    follow: Follow | None
    may_post: bool
    may_edit: bool
    next: Place | None
    obstacle: str
    moved_to: Forum | None


@dataclass(frozen=True)
class HomePage:
    """What is new in the forums a member follows; in public ones, for visitors."""

    threads: list[ThreadLine]
    follows: list[ForumLine]
    next: Place | None


async def index(session: AsyncSession, viewer: Viewer) -> list[ForumLine]:
    """Every forum the viewer may know of: ours first, then by agency and title."""
    found = await ask(session, _index(viewer.sight), **viewer.values)
    states = await _follow_states(session, viewer)
    return [ForumLine(forum, states.get(forum.id)) for forum in found]


@cache
def _index(sight: Sight) -> Question[Forum]:
    return Question(
        select(Forum)
        .where(forums_in(sight))
        .order_by(Forum.peer.is_not(None), Forum.agency, func.lower(Forum.title))
        .limit(500),
        whole,
    )


async def open_to(session: AsyncSession, viewer: Viewer) -> list[Forum | ShownForum]:
    """The forums that a member may offer something in, in the order of the index.

    Of those of other agencies the ones that they follow us into: where nothing comes back from,
    nobody would see an answer.
    """
    held = {CopyState.HOME, CopyState.FILLING, CopyState.CURRENT, CopyState.STALE}
    return [
        line.forum
        for line in await index(session, viewer)
        if line.forum.copy_state in held
        # Those on the list of a closed forum see it in the index, and nobody else does.
        and may(Standing(viewer.member, line.forum, listed=True), Permission.POST_THREAD)
    ]


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


async def shown_one(
    session: AsyncSession, viewer: Viewer, handle: str, peer: str | None = None
) -> ShownForum:
    """What its page shows of the forum `@handle` here or `@handle@peer`."""
    question = lists.forum_named(viewer.sight, peer is not None)
    found = await ask(session, question, handle=handle, of=peer, **viewer.values)
    if not found:
        raise NotFound
    return found[0]


async def page(
    session: AsyncSession, viewer: Viewer, forum: Forum | ShownForum, *, after: Place | None = None
) -> ForumPage:
    """A page of threads: pinned first, then the latest activity."""
    found = await lists.of_forum(session, viewer, forum.id, after)
    threads, more = await lines_at(session, viewer, found)
    member, own = viewer.member, lists.Own()
    if member is not None:
        own = (await ask(session, lists.own(), me=member.id, forum=forum.id))[0]
    listed = own.listed and member is not None and member.is_local
    stands = Standing(
        member, forum, steward=bool(own.steward), listed=listed, blocked=bool(own.blocked)
    )
    follow = Follow(own.state, own.reason or "") if own.state is not None else None
    return ForumPage(
        forum=forum,
        threads=threads,
        stewards=await ask(session, lists.stewards(), forum=forum.id),
        standing=stands,
        follow=follow if follow is not None and follow.reason != "left" else None,
        may_post=may(stands, Permission.POST_THREAD),
        may_edit=forum.is_local and may(stands, Permission.EDIT_FORUM),
        next=more,
        obstacle=await _obstacle(session, forum, follow),
        moved_to=await _moved_to(session, viewer, forum),
    )


async def _moved_to(
    session: AsyncSession, viewer: Viewer, forum: Forum | ShownForum
) -> Forum | None:
    """The forum that this one has become, if the viewer may know of it."""
    if forum.moved_to is None:
        return None
    question = select(Forum).where(Forum.uri == forum.moved_to, visible_forums(viewer))
    return (await session.execute(question)).scalar_one_or_none()


async def _obstacle(
    session: AsyncSession, forum: Forum | ShownForum, follow: "Follow | None"
) -> str:
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
    """The latest threads of the forums and tags followed, or of all public ones for visitors."""
    follows = await ask(session, lists.followed(viewer.sight), **viewer.values)
    if viewer.member is not None:
        follows.sort(key=lambda line: line.forum.title.lower())
    found = await lists.of_forums(session, viewer, [line.forum for line in follows], after)
    if viewer.member is not None:
        tagged = await lists.of_tags(session, viewer, after)
        found = sorted({*found, *tagged}, key=lambda place: (place.bumped, place.id), reverse=True)
    threads, more = await lines_at(session, viewer, found[: PAGE + 1], Context.HOME)
    return HomePage(threads, follows, more)


async def people(session: AsyncSession, forum: Forum) -> tuple[list[Member], list[Member]]:
    """(stewards, listed members) of a forum, by name."""
    stewards = select(Member).join(ForumSteward).where(ForumSteward.forum_id == forum.id)
    listed = select(Member).join(ForumMember).where(ForumMember.forum_id == forum.id)
    return (
        list((await session.execute(stewards.order_by(Member.name))).scalars()),
        list((await session.execute(listed.order_by(Member.name))).scalars()),
    )


async def lines_at(
    session: AsyncSession, viewer: Viewer, found: list[Place], context: Context = Context.PUBLIC
) -> tuple[list[ThreadLine], Place | None]:
    """The threads at these places, and the last place if there are more than a page."""
    if not found:
        return [], None
    ids = [place.id for place in found[:PAGE]]
    named = {f"id{n}": ids[n] if n < len(ids) else 0 for n in range(PAGE)}
    rows = await ask(session, lists.lines(viewer.sight), **named, **viewer.values)
    by_id = {row.post.id: row for row in rows}
    me = viewer.member.id if viewer.member is not None else None
    shown = [
        ThreadLine(row.post, row.author, row.forum, row.tags, _is_unread(me, row.post, row.seen))
        for row in (by_id[number] for number in ids if number in by_id)
    ]
    if held := await filters.of_context(session, viewer.member, context):
        shown = await asyncio.to_thread(_filtered, shown, held)
    return shown, found[PAGE - 1] if len(found) > PAGE else None


def _filtered(lines: list[ThreadLine], held: list[Held]) -> list[ThreadLine]:
    """The lines without those to be left out; those to be folded say which filter fits."""
    kept = []
    for line in lines:
        fitting = filters.matches(held, line.post.id, _words(line), line.post.html)
        if not any(one.held.row.action == Action.HIDE for one in fitting):
            title = fitting[0].held.row.title if fitting else ""
            kept.append(replace(line, filtered=title))
    return kept


def _words(line: ThreadLine) -> str:
    return f"{line.post.title} {' '.join(line.tags)}"


async def tags_of(session: AsyncSession, posts: list[int]) -> dict[int, tuple[str, ...]]:
    """The tags of several posts at once."""
    rows = await session.execute(
        select(PostTag.post_id, PostTag.tag).where(PostTag.post_id.in_(posts)).order_by(PostTag.tag)
    )
    found: dict[int, tuple[str, ...]] = {}
    for post_id, tag in rows:
        found[post_id] = (*found.get(post_id, ()), tag)
    return found


def _is_unread(me: int | None, post: ShownPost, seen: datetime | None) -> bool:
    if me is None:
        return False
    if seen is None:
        return post.author_id != me
    return post.bumped > seen
