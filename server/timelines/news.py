# SPDX-License-Identifier: Apache-2.0
"""What has just happened, and whom it concerns."""

import json
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from server import mutes, tag_follows
from server.facts import PollCounted, PostDeleted, PostEdited, ReplyPosted, ThreadPosted
from server.ids import earliest
from server.viewers import Viewer, visible_posts
from storage.facts import FactRow
from storage.forums import FollowState, Forum, ForumFollow
from storage.notifications import Notification
from storage.posts import Post, PostMention

AT_ONCE = 200
# Deeds of two processes may be committed in another order than their ids.
OVERLAP = timedelta(seconds=5)
# What a new copy brings in was news elsewhere, some other day.
FRESH = timedelta(hours=1)
POSTED = frozenset({ThreadPosted.__name__, ReplyPosted.__name__})
EDITED, DELETED = PostEdited.__name__, PostDeleted.__name__
_KINDS = (*POSTED, EDITED, DELETED, PollCounted.__name__)


@dataclass(frozen=True)
class Happening:
    """One fact about a post."""

    fact: int
    kind: str
    post: int


@dataclass(frozen=True)
class Place:
    """Where a post stands: what decides whom it concerns."""

    thread: int
    forum: int
    is_local: bool
    is_public: bool
    fresh: bool


@dataclass
class Watch:
    """What was told last; facts of the last seconds are remembered by name."""

    upto: int
    notices: int
    told: set[int] = field(default_factory=set)


async def begin(session: AsyncSession, now: datetime) -> Watch:
    """Watch from now on."""
    recent = select(FactRow.id).where(FactRow.id >= earliest(now - OVERLAP))
    told = set((await session.execute(recent)).scalars())
    last = (await session.execute(select(func.max(Notification.id)))).scalar_one_or_none()
    return Watch(earliest(now), last or 0, told)


async def happened(session: AsyncSession, watch: Watch, now: datetime) -> list[Happening]:
    """What was recorded since, the oldest first; at most AT_ONCE, and the rest the next time."""
    since = min(watch.upto, earliest(now)) - (int(OVERLAP.total_seconds() * 1000) << 16)
    question = (
        select(FactRow.id, FactRow.kind, FactRow.payload)
        .where(FactRow.id > since, FactRow.kind.in_(_KINDS), FactRow.id.not_in(watch.told))
        .order_by(FactRow.id)
        .limit(AT_ONCE)
    )
    rows = (await session.execute(question)).all()
    watch.told = {one for one in watch.told if one > since} | {row[0] for row in rows}
    if rows:
        watch.upto = max(watch.upto, rows[-1][0])
    return [Happening(row[0], row[1], int(json.loads(row[2])["post"])) for row in rows]


async def notices(
    session: AsyncSession, watch: Watch, members: Collection[int]
) -> list[tuple[int, int]]:
    """(member, notice) of what these were told since, the oldest first."""
    question = (
        select(Notification.member_id, Notification.id)
        .where(Notification.member_id.in_(members), Notification.id > watch.notices)
        .order_by(Notification.id)
        .limit(AT_ONCE)
    )
    found = [(row[0], row[1]) for row in (await session.execute(question)).all()]
    if found:
        watch.notices = found[-1][1]
    return found


async def places(session: AsyncSession, posts: Collection[int], now: datetime) -> dict[int, Place]:
    """Where these posts stand."""
    question = (
        select(Post.id, Post.thread_id, Forum.id, Forum.peer, Forum.visibility, Post.published)
        .join(Forum, Forum.id == Post.forum_id)
        .where(Post.id.in_(posts))
    )
    return {
        row[0]: Place(row[1], row[2], row[3] is None, row[4] == "public", row[5] > now - FRESH)
        for row in (await session.execute(question)).all()
    }


async def visible(session: AsyncSession, viewer: Viewer, posts: Collection[int]) -> set[int]:
    """Those of these posts that the viewer may know of, what is left of deleted ones included."""
    question = (
        select(Post.id)
        .join(Forum, Forum.id == Post.forum_id)
        .where(Post.id.in_(posts), visible_posts(viewer))
    )
    return set((await session.execute(question)).scalars())


async def concerned(
    session: AsyncSession, stands: dict[int, Place], members: Collection[int]
) -> dict[int, set[int]]:
    """Which of these posts come into the home timeline of each member, as `lists.home` has it.

    Those by whom a member keeps away are left to be left out, since they are told nowhere.
    """
    found: dict[int, set[int]] = {}
    forums = {place.forum for post, place in stands.items() if post == place.thread}
    follows = select(ForumFollow.member_id, ForumFollow.forum_id).where(
        ForumFollow.forum_id.in_(forums),
        ForumFollow.member_id.in_(members),
        ForumFollow.state == FollowState.ACCEPTED,
    )
    for member, forum in (await session.execute(follows)).all():
        inside = {p for p, place in stands.items() if place.forum == forum and p == place.thread}
        found.setdefault(member, set()).update(inside)
    named = select(PostMention.member_id, PostMention.post_id).where(
        PostMention.post_id.in_(stands), PostMention.member_id.in_(members)
    )
    for member, post in (await session.execute(named)).all():
        found.setdefault(member, set()).add(post)
    threads = {place.thread for place in stands.values()}
    wrote = (
        select(Post.author_id, Post.thread_id)
        .where(Post.thread_id.in_(threads), Post.author_id.in_(members))
        .distinct()
    )
    for member, thread in (await session.execute(wrote)).all():
        inside = {p for p, place in stands.items() if place.thread == thread and p != thread}
        found.setdefault(member, set()).update(inside)
    openers = {place.thread for place in stands.values() if place.thread in stands}
    for member, post in await tag_follows.followers(session, openers, members):
        found.setdefault(member, set()).add(post)
    for member, muted in (await mutes.threads(session, members, threads)).items():
        found[member] = {p for p in found.get(member, ()) if stands[p].thread not in muted}
    return found
