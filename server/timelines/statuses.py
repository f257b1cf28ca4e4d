# SPDX-License-Identifier: Apache-2.0
"""Posts with all that an app shows of them, in a fixed number of questions."""

import asyncio
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from server import filters, mutes
from server.errors import NotFound
from server.filters import Held, Match
from server.forums.pages import tags_of
from server.polls import pages as polls
from server.polls.pages import ShownPoll
from server.timelines.spans import boost_of
from server.viewers import Viewer, visible_posts
from storage import bookmarks, endorsements
from storage.base import in_batches
from storage.events import Event
from storage.forums import Forum
from storage.members import Member
from storage.posts import Kind, Post, PostMention, PostState

SHOWN = (PostState.LIVE, PostState.SENT)
DEEPEST = 4_000
OF_VISITORS = 60


@dataclass(frozen=True)
class Line:
    """A place in a timeline; `boosted` where the forum passes the thread on."""

    post: int
    boosted: bool = False

    @property
    def id(self) -> int:
        return boost_of(self.post) if self.boosted else self.post


@dataclass
class Status:
    """A post as one viewer sees it; `answered` is the author of what it answers.

    `event` says when and where, for the post of an event.
    """

    post: Post
    author: Member
    forum: Forum
    tags: tuple[str, ...] = ()
    mentions: list[Member] = field(default_factory=list)
    answered: Member | None = None
    endorsed: bool = False
    bookmarked: bool = False
    muted: bool = False
    poll: ShownPoll | None = None
    event: Event | None = None
    filtered: list[Match] = field(default_factory=list)


async def find(session: AsyncSession, viewer: Viewer, identifier: int) -> tuple[Line, Status]:
    """A post, or a forum's boost of one, by the id of its status."""
    found = await told(session, viewer, (identifier, boost_of(identifier)))
    line = _line({number: status.post for number, status in found.items()}, identifier)
    return line, found[line.post]


async def find_post(session: AsyncSession, viewer: Viewer, identifier: int) -> Post:
    """The post alone, by one question: without what an app shows beside it."""
    wanted = (identifier, boost_of(identifier))
    question = (
        select(Post)
        .join(Forum, Forum.id == Post.forum_id)
        .where(Post.id.in_(wanted), Post.state.in_(SHOWN), visible_posts(viewer))
    )
    found = {post.id: post for post in (await session.execute(question)).scalars()}
    return found[_line(found, identifier).post]


def _line(found: Mapping[int, Post], identifier: int) -> Line:
    """Where the status of this id is, among the posts that it may be."""
    if identifier in found:
        return Line(identifier)
    other = found.get(boost_of(identifier))
    if other is None or not other.is_thread:
        raise NotFound
    return Line(other.id, boosted=True)


async def lines(
    session: AsyncSession, viewer: Viewer, found: Sequence[Line]
) -> list[tuple[Line, Status]]:
    """The statuses at these places, as far as they may be seen."""
    by_id = await told(session, viewer, {line.post for line in found})
    return [(line, by_id[line.post]) for line in found if line.post in by_id]


async def told(session: AsyncSession, viewer: Viewer, ids: Collection[int]) -> dict[int, Status]:
    """These posts, those left out that the viewer may not see or that are no more."""
    found: dict[int, Status] = {}
    for batch in in_batches(sorted(set(ids))):
        question = (
            select(Post, Member, Forum)
            .join(Member, Member.id == Post.author_id)
            .join(Forum, Forum.id == Post.forum_id)
            .where(Post.id.in_(batch), Post.state.in_(SHOWN), visible_posts(viewer))
        )
        rows = (await session.execute(question)).all()
        part = {row[0].id: Status(row[0], row[1], row[2]) for row in rows}
        await _complete(session, viewer, part)
        found |= part
    return found


async def _complete(session: AsyncSession, viewer: Viewer, part: dict[int, Status]) -> None:
    """Tags, mentions, parents' authors, and what the viewer did with them."""
    if not part:
        return
    ids = list(part)
    for post, tags in (await tags_of(session, ids)).items():
        part[post].tags = tags
    named = (
        select(PostMention.post_id, Member)
        .join(Member, Member.id == PostMention.member_id)
        .where(PostMention.post_id.in_(ids))
        .order_by(Member.id)
    )
    for post, person in (await session.execute(named)).all():
        part[post].mentions.append(person)
    replies = [one for one in part.values() if not one.post.is_thread]
    authors = await _authors(session, {one.post.parent_id or one.post.thread_id for one in replies})
    for status in replies:
        status.answered = authors.get(status.post.parent_id or status.post.thread_id)
    for post, poll in (await polls.of_posts(session, viewer, ids)).items():
        part[post].poll = poll
    if dated := [one.post.id for one in part.values() if one.post.kind == Kind.EVENT]:
        events = select(Event).where(Event.post_id.in_(dated))
        for event in (await session.execute(events)).scalars():
            part[event.post_id].event = event
    if viewer.member is not None:
        await _complete_own(session, viewer.member, part)


async def _complete_own(session: AsyncSession, member: Member, part: dict[int, Status]) -> None:
    """What the member did with them, muted, and filters."""
    ids, me = list(part), member.id
    for post in await endorsements.by_member(session, me, ids):
        part[post].endorsed = True
    for post in await bookmarks.by_member(session, me, ids):
        part[post].bookmarked = True
    openers = {one.post.thread_id for one in part.values()}
    muted = (await mutes.threads(session, [me], openers)).get(me, set())
    for status in part.values():
        status.muted = status.post.thread_id in muted
    if held := await filters.held(session, member):
        await asyncio.to_thread(_filter, part.values(), held)


def _filter(part: Iterable[Status], held: list[Held]) -> None:
    for status in part:
        post = status.post
        status.filtered = filters.matches(held, post.id, post.title, post.html)


async def _authors(session: AsyncSession, posts: Iterable[int]) -> dict[int, Member]:
    question = (
        select(Post.id, Member)
        .join(Member, Member.id == Post.author_id)
        .where(Post.id.in_(list(posts)), Post.state != PostState.DELETED)
    )
    return {row[0]: row[1] for row in (await session.execute(question)).all()}


async def context(
    session: AsyncSession, viewer: Viewer, post: Post
) -> tuple[list[Status], list[Status]]:
    """What a post answers, from the opener on, and what answers it, in the thread's order.

    Answers by whom the viewer keeps away are left out. At most DEEPEST of a thread are looked
    at, OF_VISITORS of them for those not signed in.
    """
    most = DEEPEST if viewer.member is not None else OF_VISITORS
    question = (
        select(Post.id, Post.parent_id)
        .join(Forum, Forum.id == Post.forum_id)
        .where(Post.thread_id == post.thread_id, visible_posts(viewer))
        .order_by(Post.id)
        .limit(most)
    )
    parents: dict[int, int | None] = {}
    for number, parent in (await session.execute(question)).all():
        parents[number] = None if number == post.thread_id else parent or post.thread_id
    above = _above(parents, post)
    below = _below(parents, post.id)
    by_id = await told(session, viewer, [*above, *below])
    away: set[int] = set()
    if viewer.member is not None:
        away = (await mutes.people(session, [viewer.member.id])).get(viewer.member.id, away)
    return (
        [by_id[one] for one in above if one in by_id],
        [by_id[one] for one in below if one in by_id and by_id[one].author.id not in away],
    )


def _above(parents: dict[int, int | None], post: Post) -> list[int]:
    found: list[int] = []
    at = None if post.is_thread else post.parent_id or post.thread_id
    while at is not None and at not in found and len(found) < 200:
        found.append(at)
        at = parents.get(at)
    return found[::-1]


def _below(parents: dict[int, int | None], root: int) -> list[int]:
    """Everything under a post, each answer after what it answers and before later branches."""
    children: dict[int, list[int]] = {}
    for number, parent in parents.items():
        if parent is not None:
            children.setdefault(parent, []).append(number)
    found: list[int] = []
    waiting = children.get(root, [])[::-1]
    while waiting:
        number = waiting.pop()
        found.append(number)
        waiting.extend(children.get(number, [])[::-1])
    return found
