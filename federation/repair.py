# SPDX-License-Identifier: Apache-2.0
"""Filling a copy: what a forum held before it was followed."""

import asyncio
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import structlog

from federation.errors import BadAnswer, Unreachable, WireError
from federation.handlers.announced import apply
from federation.incoming import Ignored, Incoming
from federation.receive import Receiver
from federation.vocabulary.activities import Activity, Reference, parse_activity
from federation.vocabulary.collections import Collection, parse_collection
from federation.vocabulary.errors import Malformed
from federation.wire import Wire
from server.errors import Refusal
from server.forums import elsewhere
from storage import posts
from storage.forums import Forum
from storage.posts import Post

logger = structlog.get_logger("guildhall.repair")
MOST_PAGES = 200
AT_ONCE = 4
SHORTEST_WAIT, LONGEST_WAIT = 5.0, 6 * 3_600.0
MOST_TRIES = 16


@dataclass(frozen=True)
class _Again:
    """When a copy is to be filled once more, and how often that was tried."""

    tries: int
    due: datetime


@dataclass
class _Filling:
    """How far one copy has come."""

    forum: Forum
    done: int = 0
    total: int = 0
    failed: bool = False
    openers: list[str] = field(default_factory=list)


class Repair:
    """Fetches what a copy lacks, newest first, politely and with progress."""

    def __init__(self, wire: Wire, receiver: Receiver) -> None:
        self._wire = wire
        self._receiver = receiver
        self._again: dict[int, _Again] = {}

    async def fill_waiting(self) -> None:
        """Fill every copy whose filling was begun and not ended, each at its own pace."""
        now = self._wire.instance.clock.now()
        async with self._wire.instance.reading() as session:
            waiting = await elsewhere.filling(session)
            again = [forum for forum in self._again if self._again[forum].due <= now]
            waiting += [await session.get_one(Forum, forum) for forum in again]
        due = [
            forum
            for forum in {forum.id: forum for forum in waiting}.values()
            if forum.id not in self._again or self._again[forum.id].due <= now
        ]
        room = asyncio.Semaphore(AT_ONCE)

        async def filled(forum: Forum) -> None:
            async with room:
                await self._fill_safely(forum)

        await asyncio.gather(*(filled(forum) for forum in due))

    async def _fill_safely(self, forum: Forum) -> None:
        """Fill one copy; what could not be had is tried again later, more slowly each time."""
        try:
            complete = await self.fill(forum)
        except WireError as error:
            complete = False
            logger.warning("copy not filled", forum=forum.uri, why=str(error))
        except Exception as error:  # the outermost loop: one bad home must not stop the rest
            complete = False
            logger.error("filling failed", forum=forum.uri, exc_info=error)
        if complete:
            self._again.pop(forum.id, None)
            return
        tries = self._again[forum.id].tries + 1 if forum.id in self._again else 1
        wait = min(LONGEST_WAIT, SHORTEST_WAIT * 2.0**tries)
        due = self._wire.instance.clock.now() + timedelta(seconds=wait)
        self._again[forum.id] = _Again(tries, due)
        if tries >= MOST_TRIES:
            del self._again[forum.id]
            await self._progress(_Filling(forum), over=True)

    async def fill(self, forum: Forum) -> bool:
        """Everything the forum's home shows us of it: stewards, threads, replies, endorsements.

        Answers whether everything could be had; the copy counts as filled once it was gone
        through, and what was missing is asked for again.
        """
        forum = await self._receiver.actors.forum(forum.uri, fresh=True)
        if not forum.outbox:
            raise Unreachable("The forum's agency does not show us what is in it.")
        filling = _Filling(forum)
        await self._stewards(forum)
        await self._threads(filling)
        for opener in filling.openers:
            await self._thread(filling, opener)
            await self._progress(filling)
        await self._progress(filling, over=True)
        return not filling.failed

    async def _stewards(self, forum: Forum) -> None:
        if not forum.moderators:
            return
        people = []
        for item in (await self._collection(forum.moderators)).items[:100]:
            try:
                if isinstance(item, str):
                    people.append(await self._receiver.actors.person(item))
            except WireError:
                continue
        async with self._wire.instance.transaction() as tx:
            held = await tx.session.get_one(Forum, forum.id)
            await elsewhere.set_stewards(tx, held, people)

    async def _threads(self, filling: _Filling) -> None:
        """The openers, from the outbox, newest first."""
        url: str | None = filling.forum.outbox
        for _ in range(MOST_PAGES):
            if not url:
                return
            page = await self._collection(url)
            filling.total = max(filling.total, page.total or 0)
            if not page.items and page.first is not None and page.first != url:
                url = page.first
                continue
            for item in page.items:
                opener = await self._opener(filling, item)
                if opener is not None:
                    filling.openers.append(opener)
                    filling.done += 1
            await self._progress(filling)
            url = page.next

    async def _opener(self, filling: _Filling, item: object) -> str | None:
        """Apply one outbox item; answers the id of the post it is about."""
        if isinstance(item, str):
            await self._apply(filling, Reference(item))
            return item
        if not isinstance(item, dict):
            return None
        try:
            outer = parse_activity(item)
        except Malformed:
            return None
        inner = outer.object if outer.type == "Announce" else outer
        if inner is None or isinstance(inner, tuple):
            return None
        await self._apply(filling, inner)
        return getattr(inner.object, "id", None) if isinstance(inner, Activity) else inner.id

    async def _thread(self, filling: _Filling, opener: str) -> None:
        """The replies of a thread, from its context, and who endorses what."""
        async with self._wire.instance.reading() as session:
            held = await posts.by_uri(session, opener)
        if held is None or not held.context or held.forum_id != filling.forum.id:
            return
        uris = [opener]
        url: str | None = held.context
        for _ in range(MOST_PAGES):
            if not url:
                break
            try:
                page = await self._collection(url)
            except WireError as error:
                filling.failed = filling.failed or not error.permanent
                break
            uris += [uri for uri in page.items if isinstance(uri, str) and uri != opener]
            url = page.next or (page.first if not page.items and page.first != url else None)
        filling.total += len(uris) - 1
        for uri in uris[1:]:
            await self._apply(filling, Reference(uri))
            filling.done += 1
        room = asyncio.Semaphore(AT_ONCE)

        async def liked(uri: str) -> None:
            async with room:
                await self._likes(filling, uri)

        await asyncio.gather(*(liked(uri) for uri in uris))

    async def _likes(self, filling: _Filling, uri: str) -> None:
        """The endorsements the home shows with their proofs."""
        async with self._wire.instance.reading() as session:
            post: Post | None = await posts.by_uri(session, uri)
        if post is None or self._wire.urls.is_ours(uri):
            return
        try:
            page = await self._collection(f"{uri}/likes")
        except WireError:
            return
        for item in page.items:
            if isinstance(item, dict):
                await self._like(filling, uri, item)

    async def _like(self, filling: _Filling, uri: str, item: dict[str, Any]) -> None:
        """One endorsement of this very post; nothing else is taken from such a list."""
        try:
            activity = parse_activity(item)
        except Malformed:
            return
        if activity.type == "Like" and getattr(activity.object, "id", "") == uri:
            await self._apply(filling, activity)

    async def _apply(self, filling: _Filling, thing: Activity | Reference | object) -> None:
        """Apply one thing to the copy; one that cannot be had now does not stop the others."""
        forum = filling.forum
        incoming = Incoming(self._wire, self._receiver.actors, self._receiver.verifier)
        try:
            await apply(incoming, forum, thing)  # type: ignore[arg-type]
        except Ignored:
            return
        except Refusal as refusal:
            logger.info("post not copied", forum=forum.uri, why=refusal.sentence)
        except WireError as error:
            filling.failed = filling.failed or not error.permanent
            logger.info("post not copied", forum=forum.uri, why=str(error))

    async def _collection(self, url: str) -> Collection:
        document = await self._wire.key_document(url)
        try:
            return parse_collection(document.data)
        except Malformed as error:
            raise BadAnswer(str(error)) from error

    async def _progress(self, filling: _Filling, *, over: bool = False) -> None:
        async with self._wire.instance.transaction() as tx:
            await elsewhere.progress(tx, filling.forum.id, filling.done, filling.total, over=over)
