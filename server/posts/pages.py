# SPDX-License-Identifier: Apache-2.0
"""What a thread's page shows, in a fixed number of questions."""

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import ColumnElement, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from server.errors import NotFound
from server.forums.pages import tags_of
from server.forums.standing import standing
from server.permissions import Permission, Standing, may
from server.viewers import Viewer, visible_posts
from storage import endorsements
from storage.forums import Forum, ForumFollow
from storage.members import Member
from storage.posts import Post, PostRevision, PostState, ReadMark

BRANCHES_A_PAGE = 40
REPLIES_A_PAGE = 600
DEEPEST = 8


@dataclass(frozen=True)
class Entry:
    """A post as the viewer sees it."""

    post: Post
    author: Member
    endorsed: bool
    unread: bool
    may_edit: bool
    may_delete: bool
    may_remove: bool
    unconfirmed: bool


@dataclass
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

    forum: Forum
    opener: Entry
    tags: tuple[str, ...]
    branches: list[Node]
    focus: Post | None
    parent: Entry | None
    standing: Standing
    follow: ForumFollow | None
    may_reply: bool
    may_lock: bool
    may_pin: bool
    first_unread: int | None
    unread_count: int
    next_after: int | None
    seen: datetime | None
    newest: datetime


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


async def thread_page(
    session: AsyncSession, viewer: Viewer, post_id: int, now: datetime, *, after: int | None = None
) -> ThreadPage:
    """The page of a thread (branches after `after`), or of one reply and what answers it."""
    post, forum = await locate(session, viewer, post_id)
    opener = post
    if not post.is_thread:
        opener, _ = await locate(session, viewer, post.thread_id)
    rows, next_after = await _replies(session, viewer, post, after)
    stands = await standing(session, viewer.member, forum)
    author = await session.get_one(Member, opener.author_id)
    known = {opener.id: (opener, author)} | {row[0].id: (row[0], row[1]) for row in rows}
    seeing = _Seeing(
        viewer,
        stands,
        await _endorsed(session, viewer, list(known)),
        await _seen(session, viewer, opener.id),
        now,
    )
    entries = {key: seeing.entry(*pair) for key, pair in known.items()}
    shown = [entries[row[0].id] for row in rows]
    branches = _tree(shown, None) if post.is_thread else _tree(shown, post.id)
    unread = _chain_unread(branches)
    member = viewer.member
    follow = await session.get(ForumFollow, (forum.id, member.id)) if member else None
    is_open = not opener.locked and opener.state == PostState.LIVE
    return ThreadPage(
        forum=forum,
        opener=entries[opener.id],
        tags=(await tags_of(session, [opener.id])).get(opener.id, ()),
        branches=branches,
        focus=None if post.is_thread else post,
        parent=entries.get(post.parent_id or 0) if not post.is_thread else None,
        standing=stands,
        follow=follow if follow is not None and follow.reason != "left" else None,
        may_reply=is_open and may(stands, Permission.REPLY),
        may_lock=may(stands, Permission.LOCK) and opener.state != PostState.DELETED,
        may_pin=may(stands, Permission.PIN) and opener.state != PostState.DELETED,
        first_unread=unread[0] if unread else None,
        unread_count=len(unread),
        next_after=next_after,
        seen=seeing.seen,
        newest=max([opener.arrived, *(row[0].arrived for row in rows)]),
    )


@dataclass(frozen=True)
class _Seeing:
    """What turns a row into an entry for this viewer."""

    viewer: Viewer
    standing: Standing
    endorsed: set[int]
    seen: datetime | None
    now: datetime

    def entry(self, post: Post, author: Member) -> Entry:
        me = self.viewer.member
        alive = post.state != PostState.DELETED
        unread = (
            me is not None
            and alive
            and post.author_id != me.id
            and self.seen is not None
            and post.arrived > self.seen
        )
        mine = me is not None and post.author_id == me.id
        return Entry(
            post=post,
            author=author,
            endorsed=post.id in self.endorsed,
            unread=unread,
            may_edit=alive and may(self.standing, Permission.EDIT_POST, post),
            may_delete=alive and may(self.standing, Permission.DELETE_POST, post),
            may_remove=alive and not mine and may(self.standing, Permission.REMOVE_POST, post),
            unconfirmed=(
                post.state == PostState.SENT
                and (self.now - post.published).total_seconds() > 86_400
            ),
        )


Row = tuple[Post, Member]


async def _replies(
    session: AsyncSession, viewer: Viewer, post: Post, after: int | None
) -> tuple[list[Row], int | None]:
    """The replies of a page with their authors, and where the next page begins."""
    if not post.is_thread:
        rows = await _with_authors(session, viewer, Post.branch_id == post.branch_id)
        return rows, None
    heads = (
        select(Post.id)
        .join(Forum, Forum.id == Post.forum_id)
        .where(Post.thread_id == post.id, Post.branch_id == Post.id, visible_posts(viewer))
        .order_by(Post.id)
        .limit(BRANCHES_A_PAGE + 1)
    )
    if after is not None:
        heads = heads.where(Post.id > after)
    found = list((await session.execute(heads)).scalars())
    branches = found[:BRANCHES_A_PAGE]
    rows = await _with_authors(session, viewer, Post.branch_id.in_(branches))
    if len(rows) == REPLIES_A_PAGE:
        # The last branch may not be whole: it begins the next page.
        last = rows[-1][0].branch_id or 0
        branches = [branch for branch in branches if branch < last] or branches[:1]
        rows = [row for row in rows if row[0].branch_id in set(branches)]
    return rows, branches[-1] if len(found) > len(branches) else None


async def _with_authors(
    session: AsyncSession, viewer: Viewer, condition: ColumnElement[bool]
) -> list[Row]:
    question = (
        select(Post, Member)
        .join(Forum, Forum.id == Post.forum_id)
        .join(Member, Member.id == Post.author_id)
        .where(condition, visible_posts(viewer))
        .order_by(Post.branch_id, Post.id)
        .limit(REPLIES_A_PAGE)
    )
    return [(row[0], row[1]) for row in (await session.execute(question)).all()]


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


async def _endorsed(session: AsyncSession, viewer: Viewer, posts: list[int]) -> set[int]:
    if viewer.member is None:
        return set()
    return await endorsements.by_member(session, viewer.member.id, posts)


async def _seen(session: AsyncSession, viewer: Viewer, thread: int) -> datetime | None:
    if viewer.member is None:
        return None
    mark = await session.get(ReadMark, (viewer.member.id, thread))
    return mark.seen if mark else None


@dataclass(frozen=True)
class HistoryPage:
    """A post and what it said before, the latest first."""

    entry_post: Post
    author: Member
    forum: Forum
    opener: Post
    revisions: list[PostRevision]


async def history(session: AsyncSession, viewer: Viewer, post_id: int) -> HistoryPage:
    """Every earlier version of a post the viewer may see."""
    post, forum = await locate(session, viewer, post_id)
    if post.state == PostState.DELETED:
        raise NotFound
    rows = await session.execute(
        select(PostRevision)
        .where(PostRevision.post_id == post.id)
        .order_by(PostRevision.revision.desc())
        .limit(100)
    )
    author = await session.get_one(Member, post.author_id)
    opener = await session.get_one(Post, post.thread_id)
    return HistoryPage(post, author, forum, opener, list(rows.scalars()))


@dataclass(frozen=True)
class FoundPost:
    """A post in the list of search results."""

    post: Post
    opener: Post
    author: Member
    forum: Forum


async def found(session: AsyncSession, viewer: Viewer, ids: list[int]) -> list[FoundPost]:
    """Posts by id, newest first, as far as the viewer may see them."""
    opener = aliased(Post)
    question = (
        select(Post, opener, Member, Forum)
        .join(Forum, Forum.id == Post.forum_id)
        .join(Member, Member.id == Post.author_id)
        .join(opener, opener.id == Post.thread_id)
        .where(Post.id.in_(ids), visible_posts(viewer))
        .order_by(Post.id.desc())
    )
    return [FoundPost(*row) for row in (await session.execute(question)).all()]
