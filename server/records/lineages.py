# SPDX-License-Identifier: Apache-2.0
"""Where something came from, and what was made of it.

A lineage is everything with the same `root`: one question finds it, and its links are followed
here. At a copy the root of an adaptation is what was known when it came; who learns of an earlier
ancestor later sets the roots of what descends from it anew (`trace`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Protocol

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from server.transaction import Transaction
from server.viewers import Sight, Viewer, posts_in
from storage.forums import Forum
from storage.plain import Question, ask, given
from storage.posts import Post, PostState
from storage.records import Recorded

MOST = 200


class Origin(Protocol):
    """What a record says that it was adapted from, in which version, with which digest."""

    @property
    def uri(self) -> str: ...
    @property
    def version(self) -> int | None: ...
    @property
    def digest(self) -> str: ...


@dataclass
class Kin:
    """One of a lineage, and what was adapted from it."""

    id: int
    slug: str
    uri: str
    title: str
    agency: str
    version: int
    based_on: str | None
    children: "list[Kin]" = field(default_factory=list)


@dataclass(frozen=True)
class Family:
    """Where something came from and what came of it, as far as the viewer may see.

    `source_uri` is the address of a source that is not held here. `has_news` when the source has
    a newer version than the one this was made from.
    """

    source: Kin | None
    source_uri: str
    has_news: bool
    tree: Kin | None
    adaptations: tuple[Kin, ...]

    @property
    def is_empty(self) -> bool:
        return not (self.source or self.source_uri or self.adaptations)


@cache
def _family(table: type[Recorded], sight: Sight) -> Question[Kin]:
    return Question(
        select(
            *(Post.id, Post.slug, Post.uri, Post.title),
            *(table.agency, table.version, table.based_on),
        )
        .join(table, table.post_id == Post.id)
        .join(Forum, Forum.id == Post.forum_id)
        .where(
            table.root == given("root", Post.uri.type),
            Post.state == PostState.LIVE,
            posts_in(sight),
        )
        .order_by(Post.id)
        .limit(MOST),
        Kin,
    )


@cache
def _sources(table: type[Recorded]) -> Question[tuple[str, str | None]]:
    return Question(
        select(Post.uri, table.based_on)
        .join(table, table.post_id == Post.id)
        .where(table.root == given("root", Post.uri.type))
        .order_by(Post.id)
        .limit(MOST),
        lambda uri, based_on: (uri, based_on),
    )


async def family_of(session: AsyncSession, viewer: Viewer, row: Recorded, uri: str) -> Family:
    """The lineage of the practice or resource with this uri."""
    question = _family(type(row), viewer.sight)
    kin = {one.uri: one for one in await ask(session, question, root=row.root, **viewer.values)}
    for one in kin.values():
        above = kin.get(one.based_on or "")
        if above is not None and not _descends(above, one, kin):
            above.children.append(one)
    source = kin.get(row.based_on or "")
    mine = kin.get(uri)
    made_from = row.based_on_version
    return Family(
        source=source,
        source_uri=(row.based_on or "") if source is None else "",
        has_news=bool(source and made_from and source.version > made_from),
        tree=kin.get(row.root),
        adaptations=tuple(mine.children) if mine is not None else (),
    )


def _descends(one: Kin, other: Kin, kin: Mapping[str, Kin]) -> bool:
    """Whether `one` is `other` or comes from it: strangers may name each other as their source."""
    seen: set[str] = set()
    here: Kin | None = one
    while here is not None and here.uri not in seen:
        if here is other:
            return True
        seen.add(here.uri)
        here = kin.get(here.based_on or "")
    return False


async def above(session: AsyncSession, row: Recorded, uri: str) -> frozenset[str]:
    """The uris of all that this descends from, seen by the viewer or not, as far as known here."""
    if not row.based_on:
        return frozenset()
    held = dict(await ask(session, _sources(type(row)), root=row.root))
    return frozenset(_above(held, row) - {uri})


def _above(based_on: Mapping[str, str | None], row: Recorded) -> set[str]:
    found: set[str] = set()
    at = row.based_on
    while at and at not in found:
        found.add(at)
        at = based_on.get(at, row.root)
    return found


async def trace(tx: Transaction, row: Recorded, post: Post, origins: Sequence[Origin]) -> None:
    """Say what a post's record descends from; an unknown source is the root of what is known.

    What came before it, and was made from it, descends from where it does from now on.
    """
    table = type(row)
    source = origins[0] if origins else None
    row.based_on = source.uri if source else None
    row.based_on_version = source.version if source else None
    row.based_on_digest = source.digest if source else ""
    row.root = post.uri
    if source is None or source.uri == post.uri:
        return
    question = select(table.root).join(Post, Post.id == table.post_id).where(Post.uri == source.uri)
    row.root = (await tx.session.execute(question)).scalar_one_or_none() or source.uri
    if row.root != post.uri:
        await tx.session.execute(
            update(table)
            .where(table.root == post.uri, table.post_id != post.id)
            .values(root=row.root)
        )
