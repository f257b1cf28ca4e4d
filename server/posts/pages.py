# SPDX-License-Identifier: Apache-2.0
"""What a thread's page shows, in a fixed number of questions."""

import asyncio
import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from server import filters, mutes
from server.errors import NotFound
from server.filters import Context, Held
from server.permissions import Permission, Standing, may
from server.posts import questions
from server.posts.questions import BRANCHES_A_PAGE, REPLIES_A_PAGE, Opening, Row
from server.posts.quoted import Quoted, quoted_by
from server.shown import ShownForum, ShownPerson, ShownPost, ShownReply
from server.viewers import Sight, Viewer, posts_in, visible_posts
from storage.among import among
from storage.forums import Forum
from storage.members import Member
from storage.plain import Question, ask
from storage.posts import Kind, Post, PostState

__all__ = ["BRANCHES_A_PAGE", "REPLIES_A_PAGE"]

DEEPEST = 8


@dataclass(slots=True)
class Entry:
    """A post as the viewer sees it."""

    post: ShownReply
    author: ShownPerson
    endorsed: bool
    unread: bool
    may_edit: bool
    may_delete: bool
    may_remove: bool
    unconfirmed: bool
    muted: bool = False
    filtered: str = ""


@dataclass(slots=True)
class Node:
    """A reply with its answers; `more` counts answers beyond the deepest level shown."""

    entry: Entry
    depth: int
    children: "list[Node]" = field(default_factory=list)
    more: int = 0
    next_unread: int | None = None


@dataclass(frozen=True)
class ThreadPage:
    """A thread, or one branch of it (`focus`), with what the viewer may do."""

    forum: ShownForum
    opener: Entry
    tags: tuple[str, ...]
    has_poll: bool
    has_practices: bool
    branches: list[Node]
    focus: ShownPost | None
    parent: Entry | None
    standing: Standing
    follow: str | None
    may_reply: bool
    may_lock: bool
    may_pin: bool
    first_unread: int | None
    unread_count: int
    next_after: int | None
    seen: datetime | None
    newest: datetime
    quoted: dict[str, Quoted]
    muted: bool = False


async def locate(session: AsyncSession, viewer: Viewer, post_id: int) -> tuple[Post, Forum]:
    """A post and its forum, if the viewer may see them."""
    question = (
        select(Post, Forum)
        .join(Forum, Forum.id == Post.forum_id)
        .where(Post.id == post_id, visible_posts(viewer))
    )
    row = (await session.execute(question)).one_or_none()
    if row is None:
        raise NotFound
    return row[0], row[1]


async def _opening(session: AsyncSession, viewer: Viewer, number: int) -> Opening:
    """A post of any kind, as a page that it opens needs it."""
    found = await ask(session, questions.opening(viewer.sight), id=number, **viewer.values)
    if not found:
        raise NotFound
    return found[0]


async def thread_page(
    session: AsyncSession, viewer: Viewer, post_id: int, now: datetime, *, after: int | None = None
) -> ThreadPage:
    """The page of a thread (branches after `after`), or of one reply and what answers it."""
    begun = await _opening(session, viewer, post_id)
    post = begun.post
    opening = begun if post.is_thread else await _opening(session, viewer, post.thread_id)
    opener, forum = opening.post, opening.forum
    rows, next_after = await _branches(session, viewer, post, after)
    if not forum.is_local and not viewer.is_member:
        opener.reply_count -= (await ask(session, questions.waiting(), thread=opener.id))[0]
    member, own, away = viewer.member, questions.Own(), frozenset[int]()
    if member is not None:
        around = {"me": member.id, "thread": opener.id}
        own = (await ask(session, questions.own(), **around))[0]
        away = frozenset(await ask(session, mutes.PEOPLE, me=member.id))
    listed = own.listed and member is not None and member.is_local
    stands = Standing(
        member, forum, steward=bool(own.steward), listed=listed, blocked=bool(own.blocked)
    )
    seeing = _Seeing(viewer, stands, own.seen, now, away)
    first = seeing.entry(opener, opening.author, bool(own.endorsed))
    entries = {opener.id: first} | {row[0].id: seeing.entry(*row) for row in rows}
    replies = [entries[row[0].id] for row in rows]
    if held := await filters.of_context(session, member, Context.THREAD):
        await asyncio.to_thread(_filter, replies, held)
    branches = _tree(replies, None) if post.is_thread else _tree(replies, post.id)
    unread = _chain_unread(branches) if own.seen is not None else []
    is_open = not opener.locked and opener.state == PostState.LIVE
    exists_still = opener.state != PostState.DELETED
    return ThreadPage(
        forum=forum,
        opener=first,
        tags=opening.tags,
        has_poll=opening.has_poll,
        has_practices=opening.has_practices,
        branches=branches,
        focus=None if post.is_thread else post,
        parent=entries.get(post.parent_id or 0) if not post.is_thread else None,
        standing=stands,
        follow=own.follow if own.reason != "left" else None,
        may_reply=is_open and may(stands, Permission.REPLY),
        may_lock=exists_still and may(stands, Permission.LOCK),
        may_pin=exists_still and may(stands, Permission.PIN),
        first_unread=unread[0] if unread else None,
        unread_count=len(unread),
        next_after=next_after,
        seen=own.seen,
        newest=max([opener.arrived, *(row[0].arrived for row in rows)]),
        quoted=await quoted_by(session, viewer, (opener, *(row[0] for row in rows))),
        muted=bool(own.muted),
    )


def _filter(replies: Iterable[Entry], held: list[Held]) -> None:
    """Name, with each reply that one of these filters fits, the first that does."""
    for entry in replies:
        fitting = filters.matches(held, entry.post.id, "", entry.post.html)
        entry.filtered = fitting[0].held.row.title if fitting else ""


class _Seeing:
    """What turns a row into an entry for this viewer."""

    def __init__(
        self,
        viewer: Viewer,
        standing: Standing,
        seen: datetime | None,
        now: datetime,
        away: frozenset[int],
    ) -> None:
        self._me = viewer.member.id if viewer.member else None
        self._standing = standing
        self._seen = seen
        self._now = now
        self._away = away
        # Another's post is judged by what the viewer is in the forum: the same for each.
        self._may_remove = may(standing, Permission.REMOVE_POST)

    def entry(self, post: ShownReply, author: ShownPerson, endorsed: bool) -> Entry:
        alive = post.state != PostState.DELETED
        mine = self._me is not None and post.author_id == self._me
        own = mine and alive
        muted = post.author_id in self._away
        is_report = isinstance(post, ShownPost) and post.kind == Kind.REPLICATION
        return Entry(
            post=post,
            author=author,
            endorsed=endorsed,
            unread=(
                alive
                and not (mine or muted)
                and self._seen is not None
                and post.arrived > self._seen
            ),
            may_edit=own and not is_report and may(self._standing, Permission.EDIT_POST, post),
            may_delete=own and may(self._standing, Permission.DELETE_POST, post),
            may_remove=alive and not mine and self._may_remove,
            unconfirmed=(
                post.state == PostState.SENT
                and (self._now - post.published).total_seconds() > 86_400
            ),
            muted=muted,
        )


async def _branches(
    session: AsyncSession, viewer: Viewer, post: ShownPost, after: int | None
) -> tuple[list[Row], int | None]:
    """The replies of a page with their authors, and where the next page begins."""
    around = {"thread": post.thread_id, **viewer.values}
    between = questions.replies(viewer.sight)
    if not post.is_thread:
        branch = post.branch_id or post.id
        return await ask(session, between, first=branch, last=branch, **around), None
    if post.reply_count <= BRANCHES_A_PAGE:
        # Most threads are short, and then all that is left of one is a page.
        rest = questions.replies_if_short(viewer.sight)
        rows = await ask(session, rest, first=(after or 0) + 1, **around)
        begun = {row[0].id for row in rows if row[0].branch_id == row[0].id}
        if len(begun) <= BRANCHES_A_PAGE and len(rows) < REPLIES_A_PAGE:
            return [row for row in rows if row[0].branch_id in begun], None
        found = await ask(session, questions.heads(viewer.sight), after=after or 0, **around)
        branches = found[:BRANCHES_A_PAGE]
        first, last = (branches[0], branches[-1]) if branches else (0, 0)
        rows = await ask(session, between, first=first, last=last, **around)
    else:
        from_there = {"after": after or 0, **around}
        found = await ask(session, questions.heads_if_long(viewer.sight), **from_there)
        branches = found[:BRANCHES_A_PAGE]
        rows = await ask(session, questions.replies_if_long(viewer.sight), **from_there)
    if len(rows) == REPLIES_A_PAGE:
        # The last branch may not be whole: it begins the next page.
        cut = rows[-1][0].branch_id or 0
        branches = [branch for branch in branches if branch < cut] or branches[:1]
    # A branch whose beginning is not to be seen is not shown either.
    kept = set(branches)
    rows = [row for row in rows if row[0].branch_id in kept]
    return rows, branches[-1] if len(found) > len(branches) else None


def _tree(entries: Sequence[Entry], focus: int | None) -> list[Node]:
    """Entries as a tree of at most DEEPEST levels, below one reply or the opener."""
    nodes = {entry.post.id: Node(entry, 0) for entry in entries}
    roots: list[Node] = []
    for node in nodes.values():
        post = node.entry.post
        if focus is not None and post.id == focus:
            roots.append(node)
        elif post.parent_id in nodes and post.id != post.branch_id:
            nodes[post.parent_id].children.append(node)
        elif focus is None:
            roots.append(node)
    for root in roots:
        _cut(root, 1)
    return roots


def _cut(root: Node, depth: int) -> None:
    """Set depths, and fold what is deeper than DEEPEST into `more`."""
    waiting = [(root, depth)]
    while waiting:
        node, level = waiting.pop()
        node.depth = level
        if level >= DEEPEST and node.children:
            node.more = sum(1 for _ in walk(node.children))
            node.children = []
        waiting.extend((child, level + 1) for child in node.children)


def walk(nodes: Iterable[Node]) -> Iterable[Node]:
    """Every node in reading order."""
    waiting = list(nodes)[::-1]
    while waiting:
        node = waiting.pop()
        yield node
        waiting.extend(node.children[::-1])


def _chain_unread(branches: list[Node]) -> list[int]:
    """Ids of the unread replies in reading order, each node told the next one."""
    unread = [node for node in walk(branches) if node.entry.unread]
    for node, following in itertools.pairwise(unread):
        node.next_unread = following.entry.post.id
    return [node.entry.post.id for node in unread]


@dataclass(frozen=True)
class FoundPost:
    """A post in the list of search results."""

    post: Post
    opener: Post
    author: Member
    forum: Forum


async def found(session: AsyncSession, viewer: Viewer, ids: list[int]) -> list[FoundPost]:
    """Posts by id, newest first, as far as the viewer may see them."""
    return await ask(session, _found(viewer.sight), ids=ids, **viewer.values) if ids else []


@cache
def _found(sight: Sight) -> Question[FoundPost]:
    opener = aliased(Post)
    return Question(
        select(Post, opener, Member, Forum)
        .join(Forum, Forum.id == Post.forum_id)
        .join(Member, Member.id == Post.author_id)
        .join(opener, opener.id == Post.thread_id)
        .where(among(Post.id, "ids"), posts_in(sight))
        .order_by(Post.id.desc()),
        FoundPost,
    )
