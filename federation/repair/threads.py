# SPDX-License-Identifier: Apache-2.0
"""Finds the posts of a thread that a copy lacks, and has them applied."""

from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import orjson
from sqlalchemy import select

from federation.authority import same_origin
from federation.errors import WireError
from federation.fetch.allowance import documents_left
from federation.repair.pages import Pages, subject
from federation.vocabulary.values import is_http_url, url_id_of
from federation.wire import Wire
from storage import posts
from storage.base import in_batches
from storage.posts import Post, RawObject

MOST_PAGES = 20
MOST_POSTS = 500
# Applies the post of this id, which is not held here, as if it had been announced.
Apply = Callable[[str], Awaitable[None]]


@dataclass
class Found:
    """What was found of a thread; `failed` where something may be had another time."""

    uris: list[str] = field(default_factory=list)
    changed: bool = False
    failed: bool = False

    @property
    def is_full(self) -> bool:
        """Whether this is as much as is taken of one thread, or for one look."""
        return len(self.uris) >= MOST_POSTS or documents_left() <= 0


class Threads:
    """Reads threads by the collections of their homes and of those who wrote in them.

    First `context`; where that shows nothing or leaves a gap, `replies` from the opener down
    (FEP-f228). Nothing of it is believed: every post is had from its own origin.
    """

    def __init__(self, wire: Wire, pages: Pages) -> None:
        self._wire = wire
        self._pages = pages

    async def complete(self, opener: str, apply: Apply) -> Found:
        """Have everything applied that can be found of the thread of `opener`, which is held."""
        found = Found([opener])
        async with self._wire.instance.reading() as session:
            held = await posts.by_uri(session, opener)
        if held is None:
            return found
        listed: list[str] = []
        if held.context and not self._wire.urls.is_ours(held.context):
            listed = await self._listed(held.context, found)
        await self._take(listed, found, apply)
        await self._take(await self._awaited(held.id), found, apply)
        if not set(listed) - {opener} or await self._awaited(held.id):
            await self._replies(found, apply)
        return found

    async def _replies(self, found: Found, apply: Apply) -> None:
        """Level by level, so that what is cut off is what lies deepest."""
        waiting, looked = deque(found.uris), set[str]()
        while waiting and not found.is_full:
            uri = waiting.popleft()
            if uri in looked:
                continue
            looked.add(uri)
            listed = await self._inline(uri)
            if isinstance(listed, str):
                listed = await self._listed(listed, found)
            await self._take(listed, found, apply)
            waiting.extend(listed)

    async def _take(self, uris: list[str], found: Found, apply: Apply) -> None:
        """Have applied what is not held, as far as there is room."""
        new = [uri for uri in dict.fromkeys(uris) if uri not in set(found.uris)]
        held: set[str] = set()
        async with self._wire.instance.reading() as session:
            for batch in in_batches(new):
                question = select(Post.uri).where(Post.uri.in_(batch))
                held |= set((await session.execute(question)).scalars())
        for uri in new:
            if found.is_full:
                return
            found.uris.append(uri)
            if uri not in held and not self._wire.urls.is_ours(uri):
                await apply(uri)

    async def _listed(self, url: str, found: Found) -> list[str]:
        """The ids in a collection; what of it cannot be had is done without."""
        uris: list[str] = []
        try:
            async for page in self._pages.of(url, MOST_PAGES):
                found.changed = found.changed or page.changed
                named = map(subject, page.items)
                uris += [uri for uri in named if uri is not None and is_http_url(uri)]
                if len(uris) > MOST_POSTS:
                    break
        except WireError as error:
            found.failed = found.failed or not error.permanent
        return uris[:MOST_POSTS]

    async def _inline(self, uri: str) -> str | list[str]:
        """Where the replies to a held post are listed, or those that it lists itself.

        The address has to be of the post's own origin: nobody lists the answers to others.
        """
        replies = (await as_sent(self._wire, uri)).get("replies")
        address = url_id_of(replies) if not isinstance(replies, list) else None
        if address is not None:
            return address if same_origin(address, uri) else []
        first = replies.get("first") if isinstance(replies, dict) else replies
        listed = first.get("items") if isinstance(first, dict) else first
        if not isinstance(listed, list):
            return []
        found = [url_id_of(item) for item in listed[:MOST_POSTS]]
        return [uri for uri in found if uri is not None]

    async def _awaited(self, thread: int) -> list[str]:
        """The parents that replies of a thread name and that are not held."""
        question = (
            select(Post.parent_uri)
            .where(Post.thread_id == thread, Post.parent_uri.is_not(None))
            .order_by(Post.id)
            .limit(MOST_POSTS)
        )
        async with self._wire.instance.reading() as session:
            return [uri for uri in (await session.execute(question)).scalars() if uri]


async def as_sent(wire: Wire, uri: str) -> dict[str, Any]:
    """A held post as its author sent it; empty where that is not kept."""
    question = (
        select(RawObject.body).join(Post, Post.id == RawObject.post_id).where(Post.uri == uri)
    )
    async with wire.instance.reading() as session:
        body = (await session.execute(question)).scalar_one_or_none()
    sent: dict[str, Any] = orjson.loads(body) if body else {}
    return sent
