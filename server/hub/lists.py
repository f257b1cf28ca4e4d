# SPDX-License-Identifier: Apache-2.0
"""Resources in lists: browsing by what they are."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, exists, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from server.resources.record import Record, unpack
from server.viewers import Viewer, visible_posts
from storage.forums import Forum
from storage.members import Member
from storage.posts import Post, PostState
from storage.resources import Resource, ResourceFacet

PAGE = 20
MOST_AGENCIES = 200
FACETS = ("tag", "topic", "agency", "license", "language", "kind")
"""Those that tell most first: of several, the hub looks through what the first one finds."""


@dataclass(frozen=True)
class Line:
    """A resource in a list."""

    post: Post
    forum: Forum
    author: Member
    resource: Resource
    record: Record


@dataclass(frozen=True)
class Browsed:
    """A page of the hub; `before` is where the next one begins."""

    lines: list[Line]
    before: int | None
    agencies: list[str]


def _seen(viewer: Viewer) -> ColumnElement[bool]:
    return and_(visible_posts(viewer), Post.state.in_((PostState.LIVE, PostState.SENT)))


async def browse(
    session: AsyncSession,
    viewer: Viewer,
    chosen: Mapping[str, str],
    *,
    before: int | None = None,
    limit: int = PAGE,
) -> Browsed:
    """The resources that have every chosen facet, the newest first, `limit` at a time."""
    ids = await _ids(session, viewer, chosen, before, limit)
    shown = ids[:limit]
    question = (
        select(Post, Forum, Member, Resource)
        .join(Resource, Resource.post_id == Post.id)
        .join(Forum, Forum.id == Post.forum_id)
        .join(Member, Member.id == Post.author_id)
        .where(Post.id.in_(shown), _seen(viewer))
        .order_by(Post.id.desc())
    )
    rows = (await session.execute(question)).all() if shown else []
    lines = [Line(*row, unpack(row[3].record)) for row in rows]
    more = shown[-1] if len(ids) > limit else None
    return Browsed(lines, more, await _agencies(session, viewer))


async def _ids(
    session: AsyncSession,
    viewer: Viewer,
    chosen: Mapping[str, str],
    before: int | None,
    limit: int,
) -> list[int]:
    """The newest of what is chosen, one more than a page, from the index of the first facet."""
    wanted = [(facet, chosen[facet][:200]) for facet in FACETS if chosen.get(facet)]
    question = (
        select(Resource.post_id)
        .join(Post, Post.id == Resource.post_id)
        .join(Forum, Forum.id == Post.forum_id)
        .where(_seen(viewer))
        .order_by(Resource.post_id.desc())
        .limit(limit + 1)
    )
    for facet, value in wanted:
        one = aliased(ResourceFacet)
        question = question.where(
            exists().where(one.post_id == Resource.post_id, one.facet == facet, one.value == value)
        )
    if before is not None:
        question = question.where(Resource.post_id < before)
    return list((await session.execute(question)).scalars())


async def _agencies(session: AsyncSession, viewer: Viewer) -> list[str]:
    """The agencies that have resources here which this viewer may see."""
    every = (
        select(ResourceFacet.value)
        .where(ResourceFacet.facet == "agency")
        .distinct()
        .order_by(ResourceFacet.value)
        .subquery()
    )
    one = aliased(ResourceFacet)
    shown = (
        exists()
        .where(one.facet == "agency", one.value == every.c.value, Post.id == one.post_id)
        .where(Forum.id == Post.forum_id, _seen(viewer))
    )
    question = select(every.c.value).where(shown).order_by(every.c.value).limit(MOST_AGENCIES)
    return list((await session.execute(question)).scalars())
