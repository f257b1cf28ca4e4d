# SPDX-License-Identifier: Apache-2.0
"""Filling a copy: what a forum held before it was followed."""

import asyncio
from dataclasses import dataclass, field

import structlog

from federation.errors import BadAnswer, StatusError, Unreachable, WireError
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

    async def fill_waiting(self) -> int:
        """Fill every copy whose filling was begun and not ended."""
        async with self._wire.instance.transaction() as tx:
            waiting = await elsewhere.filling(tx)
        for forum in waiting:
            try:
                await self.fill(forum)
            except WireError as error:
                logger.warning("copy not filled", forum=forum.uri, why=str(error))
                if not error.permanent:
                    await asyncio.sleep(5)
                    continue
                await self._progress(_Filling(forum), over=True)
        return len(waiting)

    async def fill(self, forum: Forum) -> None:
        """Everything the forum's home shows us of it: stewards, threads, replies, endorsements."""
        forum = await self._receiver.actors.forum(forum.uri, fresh=True)
        if not forum.outbox:
            raise Unreachable("The forum's agency does not show us what is in it.")
        filling = _Filling(forum)
        await self._stewards(forum)
        await self._threads(filling)
        for opener in filling.openers:
            await self._thread(filling, opener)
            await self._progress(filling)
        await self._progress(filling, over=not filling.failed)

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
                opener = await self._opener(filling.forum, item)
                if opener is not None:
                    filling.openers.append(opener)
                    filling.done += 1
            await self._progress(filling)
            url = page.next

    async def _opener(self, forum: Forum, item: object) -> str | None:
        """Apply one outbox item; answers the id of the post it is about."""
        if isinstance(item, str):
            await self._apply(forum, Reference(item))
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
        await self._apply(forum, inner)
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
            await self._apply(filling.forum, Reference(uri))
            filling.done += 1
        room = asyncio.Semaphore(AT_ONCE)

        async def liked(uri: str) -> None:
            async with room:
                await self._likes(filling.forum, uri)

        await asyncio.gather(*(liked(uri) for uri in uris))

    async def _likes(self, forum: Forum, uri: str) -> None:
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
                try:
                    await self._apply(forum, parse_activity(item))
                except Malformed:
                    continue

    async def _apply(self, forum: Forum, thing: Activity | Reference | object) -> None:
        incoming = Incoming(self._wire, self._receiver.actors, self._receiver.verifier)
        try:
            await apply(incoming, forum, thing)  # type: ignore[arg-type]
        except Ignored:
            return
        except Refusal as refusal:
            logger.info("post not copied", forum=forum.uri, why=refusal.sentence)
        except WireError as error:
            if not error.permanent and not isinstance(error, StatusError):
                raise
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
