# SPDX-License-Identifier: Apache-2.0
"""Resources that practices name, found by their address."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from sqlalchemy import select, union_all
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from server.viewers import Sight, Viewer, posts_in
from storage.among import among
from storage.forums import Forum
from storage.plain import Question, ask
from storage.posts import Post, PostState
from storage.resources import Resource

MOST = 100
_ONE = aliased(Post)


@dataclass(frozen=True)
class Named:
    """A resource held here that a link leads to."""

    id: int
    slug: str
    title: str
    agency: str
    kind: str


# Each by its own index: a condition on any of the three would read all posts.
_LED_TO = union_all(
    select(_ONE.id).where(among(_ONE.uri, "addresses", Post.uri.type)),
    select(_ONE.id).where(among(_ONE.url, "addresses", Post.uri.type)),
    select(_ONE.id).where(among(_ONE.id, "ids")),
)


@cache
def _named(sight: Sight) -> Question[tuple[str, str, Named]]:
    return Question(
        select(Post.uri, Post.url, Post.id, Post.slug, Post.title, Resource.agency, Resource.kind)
        .join(Resource, Resource.post_id == Post.id)
        .join(Forum, Forum.id == Post.forum_id)
        .where(Post.id.in_(_LED_TO), Post.state == PostState.LIVE, posts_in(sight)),
        lambda uri, url, *shown: (uri, url, Named(*shown)),
    )


async def named(
    session: AsyncSession, viewer: Viewer, links: Iterable[str], origin: str
) -> dict[str, Named]:
    """The resources that links lead to, as far as the viewer may see them, by the link.

    A link is a resource's id, its page at home, or our own page of it.
    """
    wanted = list(dict.fromkeys(links))[:MOST]
    if not wanted:
        return {}
    # Of a page somebody may have copied the part that is scrolled to, and what was asked for.
    bare = {link: link.partition("#")[0].partition("?")[0] for link in wanted}
    addresses = set(bare.values())
    numbers = [number for link in addresses if (number := _ours(link, origin))]
    about = {"addresses": sorted(addresses), "ids": numbers, **viewer.values}
    found: dict[str, Named] = {}
    for uri, url, one in await ask(session, _named(viewer.sight), **about):
        found |= {uri: one, url: one, str(one.id): one}
    keys = {link: (address, str(_ours(address, origin))) for link, address in bare.items()}
    return {link: found[key] for link, pair in keys.items() for key in pair if key in found}


def _ours(link: str, origin: str) -> int | None:
    """The number in our own address of a post; None for every other address."""
    if not link.startswith(f"{origin}/p/"):
        return None
    number = link.removeprefix(f"{origin}/p/").partition("/")[0]
    return int(number) if number.isascii() and number.isdecimal() and len(number) < 19 else None
