# SPDX-License-Identifier: Apache-2.0
"""Threads that members open are looked over for replies that are not here."""

import asyncio
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlalchemy.exc import IntegrityError

from federation.errors import WireError
from federation.fetch.allowance import Allowance, limited
from federation.fetch.pace import Pace, paced
from federation.handlers.announced import apply
from federation.incoming import Incoming
from federation.receive import Receiver
from federation.repair.ended import EndedPolls
from federation.repair.pages import Pages
from federation.repair.threads import Threads
from federation.vocabulary.activities import Reference
from federation.wire import Wire
from server import peers
from server.errors import Refusal
from server.settings import Federation
from storage.forums import CopyState, Forum
from storage.peers import Peer
from storage.posts import Post

logger = structlog.get_logger("guildhall.repair")
MOST_DOCUMENTS = 20
AT_ONCE = 4
MOST_THREADS = 10_000
SHORTEST = timedelta(minutes=15)
LONGEST = timedelta(days=1)


@dataclass(frozen=True)
class _Next:
    """When a thread may be looked over again, and how long that was from the last time."""

    at: datetime
    wait: timedelta


class Opened:
    """Looks for what a thread lacks, each time twice as long after the last if nothing came.

    One look asks for 20 documents at most; a thread that lacks more is gone on with next time.
    When each was looked over is kept in memory. Homes that run Guildhall have a digest instead.
    """

    def __init__(self, wire: Wire, receiver: Receiver, pages: Pages, pace: Pace) -> None:
        self._wire = wire
        self._receiver = receiver
        self._pace = pace
        self._threads = Threads(wire, pages)
        self._polls = EndedPolls()
        self._next: OrderedDict[int, _Next] = OrderedDict()
        self._running: dict[int, asyncio.Task[None]] = {}

    @property
    def is_busy(self) -> bool:
        """Whether a thread is being looked over now."""
        return bool(self._running)

    def look(self, thread: int) -> None:
        """Begin to look a thread over, if it is time and few others are; waits for nothing."""
        if self._wire.instance.settings.federates is Federation.OFF:
            return
        known = self._next.get(thread)
        early = known is not None and known.at > self._wire.instance.clock.now()
        if early or thread in self._running or len(self._running) >= AT_ONCE:
            return
        task = asyncio.create_task(self._look(thread))
        self._running[thread] = task

        def ended(finished: asyncio.Task[None]) -> None:
            self._running.pop(thread, None)
            if not finished.cancelled() and finished.exception() is not None:
                logger.error("thread not looked over", exc_info=finished.exception())

        task.add_done_callback(ended)

    async def stop(self) -> None:
        """Leave off; what is missing is missed again when the thread is opened."""
        tasks = list(self._running.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _look(self, thread: int) -> None:
        # Noted first, so that a look that fails is no reason to look again at once.
        self._note(thread, came=False)
        async with self._wire.instance.reading() as session:
            opener = await session.get_one(Post, thread)
            forum = await session.get_one(Forum, opener.forum_id)
            peer = await session.get(Peer, forum.peer or "")
        await self._count(opener)
        if peer is None or not peer.software or peer.software == peers.GUILDHALL:
            return
        if forum.copy_state != CopyState.CURRENT:
            return
        came = 0

        async def applied(uri: str) -> None:
            nonlocal came
            came += await self._apply(forum, uri)

        allowance = Allowance(documents=MOST_DOCUMENTS, requests=MOST_DOCUMENTS)
        with paced(self._pace), limited(allowance):
            await self._threads.complete(opener.uri, applied)
        if came:
            self._note(thread, came=True)

    async def _count(self, opener: Post) -> None:
        """Ask how the thread's poll ended, whatever software runs where it is counted."""
        incoming = Incoming(self._wire, self._receiver.actors, self._receiver.verifier)
        try:
            with paced(self._pace), limited(Allowance(documents=1, requests=4)):
                await self._polls.ask(incoming, opener)
        except (Refusal, WireError) as error:
            logger.info("poll not counted", thread=opener.uri, why=str(error))

    async def _apply(self, forum: Forum, uri: str) -> bool:
        """Apply a post as if it had been announced; False where nothing came of it."""
        incoming = Incoming(self._wire, self._receiver.actors, self._receiver.verifier)
        try:
            await apply(incoming, forum, Reference(uri))
        except (Refusal, WireError, IntegrityError) as error:
            logger.info("post not copied", forum=forum.uri, why=str(error))
            return False
        return True

    def _note(self, thread: int, *, came: bool) -> None:
        """Soon again where something came, else twice as long after; a little by chance."""
        before = self._next.pop(thread, None)
        wait = SHORTEST if came or before is None else min(LONGEST, before.wait * 2)
        spread = 1.0 + self._wire.instance.randomness.fraction() / 4
        self._next[thread] = _Next(self._wire.instance.clock.now() + wait * spread, wait)
        while len(self._next) > MOST_THREADS:
            self._next.popitem(last=False)
