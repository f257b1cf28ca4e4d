# SPDX-License-Identifier: Apache-2.0
"""Filling a copy from the collections that other software has."""

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import structlog

from federation.authority import same_origin
from federation.errors import BadAnswer, Unreachable, WireError
from federation.fetch.allowance import Allowance, limited
from federation.handlers.announced import apply
from federation.incoming import Ignored, Incoming
from federation.receive import Receiver
from federation.repair.pages import Pages
from federation.repair.threads import Threads, as_sent
from federation.urls import host_of_uri
from federation.vocabulary.activities import Activity, Reference, parse_activity
from federation.vocabulary.collections import Collection, parse_collection
from federation.vocabulary.errors import Malformed
from federation.vocabulary.values import url_id_of
from federation.wire import Wire
from server.errors import Refusal
from server.forums import elsewhere
from storage import posts
from storage.forums import Forum

logger = structlog.get_logger("guildhall.repair")
MOST_PAGES = 200
MOST_THREADS = 5_000
MOST_LIKE_PAGES = 20
# So often another host than the home is asked in vain: who lists what is not there shall not
# have us bother others.
MOST_IN_VAIN = 10
AT_ONCE = 4


@dataclass
class _Progress:
    """How far one copy has come."""

    forum: Forum
    done: int = 0
    total: int = 0
    failed: bool = False
    in_vain: Counter[str] = field(default_factory=Counter)
    openers: list[str] = field(default_factory=list)


class Filling:
    """Fetches what a copy lacks, newest first, politely and with progress."""

    def __init__(self, wire: Wire, receiver: Receiver, pages: Pages) -> None:
        self._wire = wire
        self._receiver = receiver
        self._pages = pages
        self._threads = Threads(wire, pages)

    async def fill(self, forum: Forum) -> bool:
        """Everything the forum's home shows us of it: stewards, threads, replies, endorsements.

        Answers whether everything could be had; what was missing is asked for again.
        """
        forum = await self._receiver.actors.forum(forum.uri, fresh=True)
        if not forum.outbox:
            raise Unreachable("The forum's agency does not show us what is in it.")
        progress = _Progress(forum)
        await take_stewards(self._wire, self._receiver, forum)
        await self._openers(progress)
        for opener in progress.openers:
            await self._thread(progress, opener)
            await self._progress(progress)
        return not progress.failed

    async def _openers(self, progress: _Progress) -> None:
        """The openers, from the outbox, newest first."""
        async for page in self._pages.of(progress.forum.outbox, MOST_PAGES):
            progress.total = max(progress.total, page.total or 0)
            for item in page.items[: MOST_THREADS - len(progress.openers)]:
                opener = await self._opener(progress, item)
                if opener is not None:
                    progress.openers.append(opener)
                    progress.done += 1
            await self._progress(progress)

    async def _opener(self, progress: _Progress, item: object) -> str | None:
        """Apply one outbox item; answers the id of the post it is about."""
        if isinstance(item, str):
            await self._apply(progress, Reference(item))
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
        await self._apply(progress, inner)
        return getattr(inner.object, "id", None) if isinstance(inner, Activity) else inner.id

    async def _thread(self, progress: _Progress, opener: str) -> None:
        """The replies of a thread, and who endorses what."""
        async with self._wire.instance.reading() as session:
            held = await posts.by_uri(session, opener)
        if held is None or held.forum_id != progress.forum.id:
            return

        async def apply_reply(uri: str) -> None:
            host = host_of_uri(uri)
            if progress.in_vain[host] < MOST_IN_VAIN:
                had = await self._apply(progress, Reference(uri))
                progress.in_vain[host] += not had and host != progress.forum.peer

        found = await self._threads.complete(opener, apply_reply)
        progress.failed = progress.failed or found.failed
        progress.done += len(found.uris) - 1
        progress.total = max(progress.total, progress.done)
        room = asyncio.Semaphore(AT_ONCE)

        async def liked(uri: str) -> None:
            async with room:
                await self._likes(progress, uri)

        await asyncio.gather(*(liked(uri) for uri in found.uris))

    async def _likes(self, progress: _Progress, uri: str) -> None:
        """The endorsements its author's server shows with their proofs, where it says of any."""
        likes = (await as_sent(self._wire, uri)).get("likes")
        url = url_id_of(likes)
        if url is None or not same_origin(url, uri):
            return
        if isinstance(likes, dict) and likes.get("totalItems") == 0:
            return
        try:
            async for page in self._pages.of(url, MOST_LIKE_PAGES):
                for item in page.items:
                    if isinstance(item, dict) and page.changed:
                        await self._like(progress, uri, item)
        except WireError:
            return

    async def _like(self, progress: _Progress, uri: str, item: dict[str, Any]) -> None:
        """One endorsement of this very post; nothing else is taken from such a list."""
        try:
            activity = parse_activity(item)
        except Malformed:
            return
        if activity.type == "Like" and getattr(activity.object, "id", "") == uri:
            await self._apply(progress, activity)

    async def _apply(self, progress: _Progress, thing: Activity | Reference | object) -> bool:
        """Apply one thing to the copy; one that cannot be had now does not stop the others.

        False where its server did not give it.
        """
        forum = progress.forum
        incoming = Incoming(self._wire, self._receiver.actors, self._receiver.verifier)
        try:
            with limited(Allowance()):
                await apply(incoming, forum, thing)  # type: ignore[arg-type]
        except Ignored:
            return True
        except Refusal as refusal:
            logger.info("post not copied", forum=forum.uri, why=refusal.sentence)
        except WireError as error:
            progress.failed = progress.failed or not error.permanent
            logger.info("post not copied", forum=forum.uri, why=str(error))
            return False
        return True

    async def _progress(self, progress: _Progress) -> None:
        async with self._wire.instance.transaction() as tx:
            await elsewhere.progress(tx, progress.forum.id, progress.done, progress.total)


async def collection(wire: Wire, url: str) -> Collection:
    """A collection of another server, or a page of one; BadAnswer for anything else."""
    document = await wire.key_document(url)
    try:
        return parse_collection(document.data)
    except Malformed as error:
        raise BadAnswer(str(error)) from error


async def take_stewards(wire: Wire, receiver: Receiver, forum: Forum) -> None:
    """Who looks after a forum, as its home says."""
    if not forum.moderators:
        return
    people = []
    for item in (await collection(wire, forum.moderators)).items[:100]:
        try:
            if isinstance(item, str):
                people.append(await receiver.actors.person(item))
        except WireError:
            continue
    async with wire.instance.transaction() as tx:
        held = await tx.session.get_one(Forum, forum.id)
        await elsewhere.set_stewards(tx, held, people)
