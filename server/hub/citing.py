# SPDX-License-Identifier: Apache-2.0
"""Resources that practices name, found by their address."""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from server.viewers import Viewer, visible_posts
from storage.forums import Forum
from storage.posts import Post, PostState
from storage.resources import Resource

MOST = 100


@dataclass(frozen=True)
class Named:
    """A resource held here that a link leads to."""

    id: int
    slug: str
    title: str
    agency: str
    kind: str


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
    question = (
        select(Post.uri, Post.url, Post.id, Post.slug, Post.title, Resource.agency, Resource.kind)
        .join(Resource, Resource.post_id == Post.id)
        .join(Forum, Forum.id == Post.forum_id)
        .where(
            or_(
                Post.uri.in_(addresses),
                Post.url.in_(addresses),
                Post.id.in_([number for link in addresses if (number := _ours(link, origin))]),
            ),
            Post.state == PostState.LIVE,
            visible_posts(viewer),
        )
    )
    found: dict[str, Named] = {}
    for row in (await session.execute(question)).all():
        one = Named(*row[2:])
        found |= {row[0]: one, row[1]: one, str(one.id): one}
    keys = {link: (address, str(_ours(address, origin))) for link, address in bare.items()}
    return {link: found[key] for link, pair in keys.items() for key in pair if key in found}


def _ours(link: str, origin: str) -> int | None:
    """The number in our own address of a post; None for every other address."""
    if not link.startswith(f"{origin}/p/"):
        return None
    number = link.removeprefix(f"{origin}/p/").partition("/")[0]
    return int(number) if number.isascii() and number.isdecimal() and len(number) < 19 else None
