# SPDX-License-Identifier: Apache-2.0
"""Forums and posts as an operator names them."""

from typing import TypeVar
from urllib.parse import urlsplit

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from server.errors import NotFound
from server.instance import Instance
from server.settings import Settings
from storage import forums, posts
from storage.forums import Forum
from storage.members import Member
from storage.posts import Post

# A command may wait longer than a page.
PATIENCE = 20.0
Thing = TypeVar("Thing", Forum, Post)


async def forum(session: AsyncSession, settings: Settings, name: str) -> Forum | None:
    """The forum held here for `permits`, `@permits@host` or a URL; None if there is none."""
    if "://" in name:
        found = await forums.by_uri(session, name)
        ours = urlsplit(name)
        if found is not None or ours.netloc != settings.host or not ours.path.startswith("/f/"):
            return found
        name = ours.path.removeprefix("/f/")
    handle, _, host = name.strip().lower().lstrip("@!").partition("@")
    return await forums.by_handle(session, handle, None if host in {"", settings.host} else host)


async def post(session: AsyncSession, settings: Settings, url: str) -> Post | None:
    """The post held here whose id or page this is; None if there is none."""
    by_uri = await posts.by_uri(session, url.partition("#")[0])
    if by_uri is not None:
        return by_uri
    parts = urlsplit(url)
    number = parts.path.removeprefix("/p/").partition("/")[0]
    if parts.fragment.startswith("p-"):
        number = parts.fragment.removeprefix("p-")
    if parts.netloc in {"", settings.host} and number.isdecimal() and len(number) < 20:
        return await session.get(Post, int(number))
    question = select(Post).where(Post.url == url).limit(1)
    return (await session.execute(question)).scalar_one_or_none()


async def wanted_forum(instance: Instance, name: str) -> Forum:
    """The forum of this name, asked of its agency when it is not known here yet."""
    async with instance.reading() as session:
        held = await forum(session, instance.settings, name)
    return held or await _elsewhere(instance, name, Forum)


async def wanted_post(instance: Instance, url: str) -> Post:
    """The post at this address, asked of its agency when it is not held here yet."""
    async with instance.reading() as session:
        held = await post(session, instance.settings, url)
    return held or await _elsewhere(instance, url, Post)


async def _elsewhere(instance: Instance, name: str, kind: type[Thing]) -> Thing:
    what = "forum" if kind is Forum else "post"
    found: Forum | Member | Post | None = None
    if "@" in name.lstrip("@!") or "://" in name:
        from federation.lookup import WireLookup
        from federation.station import Station

        wire = Station(instance)
        try:
            await wire.open()
            found = await WireLookup(wire, PATIENCE).find(name)
        finally:
            await wire.close()
    if not isinstance(found, kind):
        raise NotFound(f"There is no {what} {name}.")
    return found
