# SPDX-License-Identifier: Apache-2.0
"""Practices in lists: browsing by facet, side by side, of a discussion."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, and_, case, exists, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from server.practices.facets import FACETS
from server.practices.record import Record, unpack
from server.viewers import Sight, Viewer, posts_in, visible_posts
from storage.among import among
from storage.base import Characters
from storage.forums import Forum
from storage.plain import Question, ask, given
from storage.posts import Post, PostState
from storage.practices import (
    Practice,
    PracticeFacet,
    PracticeNotice,
    PracticeThread,
    PracticeWithdrawal,
)
from storage.replications import Announcing

PAGE = 20
MOST_VALUES = 200
MOST_COMPARED = 3
MOST_ANNOUNCED = 200


@dataclass(frozen=True)
class Line:
    """A practice in a list, with the facets that the list shows."""

    post: Post
    forum: Forum
    kind: str
    agency: str
    summary: str
    evidence: int
    version: int
    notice: str | None = None
    facets: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class Browsed:
    """A page of the library; `before` is where the next one begins."""

    lines: list[Line]
    before: int | None
    agencies: list[str]
    countries: list[str]


_LINE: tuple[Any, ...] = (
    *(Post, Forum, Practice.kind, Practice.agency, Practice.summary, Practice.evidence),
    Practice.version,
    case((PracticeWithdrawal.active, "withdrawn"), else_=PracticeNotice.kind),
)


def _seen_in(sight: Sight) -> ColumnElement[bool]:
    return and_(posts_in(sight), Post.state.in_((PostState.LIVE, PostState.SENT)))


def _seen(viewer: Viewer) -> ColumnElement[bool]:
    return and_(visible_posts(viewer), Post.state.in_((PostState.LIVE, PostState.SENT)))


async def browse(
    session: AsyncSession,
    viewer: Viewer,
    chosen: Mapping[str, str],
    *,
    before: int | None = None,
) -> Browsed:
    """The practices that have every chosen facet, the newest first, PAGE at a time.

    `chosen` maps facets to a value each; what is no facet is left out.
    """
    ids = await _ids(session, viewer, chosen, before)
    shown = ids[:PAGE]
    question = (
        select(*_LINE)
        .select_from(Practice)
        .join(Post, Post.id == Practice.post_id)
        .join(Forum, Forum.id == Post.forum_id)
        .outerjoin(PracticeNotice, and_(PracticeNotice.uri == Post.uri, PracticeNotice.active))
        .outerjoin(PracticeWithdrawal, PracticeWithdrawal.uri == Post.uri)
        .where(Practice.post_id.in_(shown), _seen(viewer))
        .order_by(Practice.post_id.desc())
    )
    lines = [Line(*row) for row in (await session.execute(question)).all()] if shown else []
    more = shown[-1] if len(ids) > PAGE else None
    return Browsed(
        await _with_facets(session, lines),
        more,
        await _values(session, viewer, "agency"),
        await _values(session, viewer, "country"),
    )


async def _ids(
    session: AsyncSession, viewer: Viewer, chosen: Mapping[str, str], before: int | None
) -> list[int]:
    """The newest of what is chosen, one more than a page.

    The index of facets is read from its end, for the facet that tells most.
    """
    wanted = [(facet, chosen[facet][:200]) for facet in FACETS if chosen.get(facet)]
    if not wanted:
        return await _newest(session, viewer, before)
    first, *others = wanted
    drives = PracticeFacet
    condition = and_(drives.facet == first[0], drives.value == first[1])
    question = (
        select(drives.post_id)
        .join(Post, Post.id == drives.post_id)
        .join(Forum, Forum.id == Post.forum_id)
        .where(condition, _seen(viewer), *(_has(*other) for other in others))
        .order_by(drives.post_id.desc())
        .limit(PAGE + 1)
    )
    if before is not None:
        question = question.where(drives.post_id < before)
    return list((await session.execute(question)).scalars())


async def _newest(session: AsyncSession, viewer: Viewer, before: int | None) -> list[int]:
    question = (
        select(Practice.post_id)
        .join(Post, Post.id == Practice.post_id)
        .join(Forum, Forum.id == Post.forum_id)
        .where(_seen(viewer))
        .order_by(Practice.post_id.desc())
        .limit(PAGE + 1)
    )
    if before is not None:
        question = question.where(Practice.post_id < before)
    return list((await session.execute(question)).scalars())


def _has(facet: str, value: str) -> ColumnElement[bool]:
    one = aliased(PracticeFacet)
    return exists().where(
        one.post_id == PracticeFacet.post_id, one.facet == facet, one.value == value
    )


async def _with_facets(session: AsyncSession, lines: list[Line]) -> list[Line]:
    """The lines with their facets, in one question for all of them."""
    numbers = [line.post.id for line in lines]
    question = select(PracticeFacet).where(PracticeFacet.post_id.in_(numbers))
    found: dict[int, dict[str, tuple[str, ...]]] = {number: {} for number in numbers}
    for row in (await session.execute(question.order_by(PracticeFacet.value))).scalars():
        held = found[row.post_id]
        held[row.facet] = (*held.get(row.facet, ()), row.value)
    return [Line(**{**vars(line), "facets": found[line.post.id]}) for line in lines]


async def _values(session: AsyncSession, viewer: Viewer, facet: str) -> list[str]:
    """The values of a facet that practices have which this viewer may see."""
    every = (
        select(PracticeFacet.value)
        .where(PracticeFacet.facet == facet)
        .distinct()
        .order_by(PracticeFacet.value)
        .subquery()
    )
    one = aliased(PracticeFacet)
    shown = (
        exists()
        .where(one.facet == facet, one.value == every.c.value, Post.id == one.post_id)
        .where(Forum.id == Post.forum_id, _seen(viewer))
    )
    question = select(every.c.value).where(shown).order_by(every.c.value).limit(MOST_VALUES)
    return list((await session.execute(question)).scalars())


@dataclass(frozen=True)
class Compared:
    """A practice beside others."""

    post: Post
    forum: Forum
    practice: Practice
    record: Record


async def compared(session: AsyncSession, viewer: Viewer, ids: Sequence[int]) -> list[Compared]:
    """Up to three practices in the order asked for, as far as the viewer may see them."""
    wanted = list(dict.fromkeys(ids))[:MOST_COMPARED]
    question = (
        select(Post, Forum, Practice)
        .join(Forum, Forum.id == Post.forum_id)
        .join(Practice, Practice.post_id == Post.id)
        .where(Post.id.in_(wanted), _seen(viewer))
    )
    found = {
        row[0].id: Compared(row[0], row[1], row[2], unpack(row[2].record))
        for row in (await session.execute(question)).all()
    }
    return [found[number] for number in wanted if number in found]


@dataclass(frozen=True)
class Announced:
    """What a short reply tells of: a report or an adaptation, held here or not."""

    path: str
    title: str = ""
    kind: str = ""
    is_held: bool = False

    @property
    def label(self) -> str:
        """What it is, in a word or two."""
        return {"replication": "Report", "practice": "Adaptation"}.get(self.kind, "Told of")


_ANNOUNCED = Question(
    select(Announcing.post_id, Announcing.announces)
    .join(Post, Post.id == Announcing.post_id)
    .where(
        Post.thread_id == given("thread"),
        Post.state != PostState.DELETED,
        Announcing.announces != given("uri", Post.uri.type),
    )
    .order_by(Announcing.post_id.desc())
    .limit(MOST_ANNOUNCED),
    lambda reply, uri: (reply, uri),
)


@cache
def _held(sight: Sight) -> Question[tuple[str, Announced]]:
    return Question(
        select(Post.uri, Post.id, Post.title, Post.kind)
        .join(Forum, Forum.id == Post.forum_id)
        .where(among(Post.uri, "uris", Post.uri.type), _seen_in(sight)),
        lambda uri, number, title, kind: (
            uri,
            Announced(f"/p/{number}", title, kind, is_held=True),
        ),
    )


async def announced_in(
    session: AsyncSession, viewer: Viewer, thread: int, uri: str
) -> dict[int, Announced]:
    """What the replies of a thread announce, by reply; not what they say of the thread itself."""
    told = dict(await ask(session, _ANNOUNCED, thread=thread, uri=uri))
    if not told:
        return {}
    held = {"uris": sorted(set(told.values())), **viewer.values}
    known = dict(await ask(session, _held(viewer.sight), **held))
    return {reply: known.get(uri) or Announced(uri) for reply, uri in told.items()}


@dataclass(frozen=True)
class CameOf:
    """A practice that came of a discussion."""

    id: int
    slug: str
    title: str


@cache
def _came_of(sight: Sight) -> Question[CameOf]:
    return Question(
        select(Post.id, Post.slug, Post.title)
        .join(PracticeThread, PracticeThread.practice_id == Post.id)
        .join(Forum, Forum.id == Post.forum_id)
        .where(
            PracticeThread.thread_id == given("thread"),
            posts_in(sight),
            Post.state != given("gone", Characters(64)),
        )
        # The order of the index: sorting no rows took longer than finding none.
        .order_by(PracticeThread.practice_id)
        .limit(10),
        CameOf,
    )


async def came_of(session: AsyncSession, viewer: Viewer, thread: int) -> list[CameOf]:
    """The practices that came of a discussion and that the viewer may see."""
    asked = {"thread": thread, "gone": PostState.DELETED, **viewer.values}
    return await ask(session, _came_of(viewer.sight), **asked)
