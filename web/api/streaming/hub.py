# SPDX-License-Identifier: Apache-2.0
"""The open streams of apps, told by one task of what happened."""

import asyncio
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress

import orjson
import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from server import mutes
from server.apps import tokens
from server.instance import Instance
from server.rows import Member
from server.timelines import news, notices, statuses
from server.timelines.news import Happening, Place
from server.timelines.spans import Span
from server.timelines.statuses import Line, Status
from server.viewers import Viewer
from web.api.entities.statuses import Statuses
from web.api.notifications import notice
from web.api.streaming.channels import NOTICES, USER, Channel

MOST = 2_000
MOST_EACH = 10
MOST_CHANNELS = 20
WAITING = 100
LOOKS_A_SECOND = 4
# A token that was ended is noticed within two of these.
LOOKS_ANYHOW = 1.0
log = structlog.get_logger("guildhall.streaming")


class Listener:
    """One connection: what it listens to, and what waits to be sent.

    `ended` is set when nothing more will come, because its token ended, it does not take what
    is sent, or we stop.
    """

    def __init__(self, token: int, member: Member) -> None:
        self.token = token
        self.member = member
        self.channels: dict[Channel, None] = {}
        self.waiting: asyncio.Queue[tuple[Channel, str, str] | None] = asyncio.Queue(WAITING)
        self.ended = False

    def tell(self, channel: Channel, event: str, payload: str) -> None:
        """Have something sent, unless too much waits already: then the connection ends."""
        if self.ended:
            return
        try:
            self.waiting.put_nowait((channel, event, payload))
        except asyncio.QueueFull:
            self.end()

    def end(self) -> None:
        """Say that no more will come; what waits is dropped."""
        self.ended = True
        while not self.waiting.empty():
            self.waiting.get_nowait()
        self.waiting.put_nowait(None)


class Streams:
    """The streams of this process.

    A single task looks after all of them while there are any: when something was committed, at
    most LOOKS_A_SECOND times, and once a second anyhow, since another process may have done it.
    """

    def __init__(self, instance: Instance, *, most: int = MOST) -> None:
        self._instance = instance
        self._most = most
        self._listeners: dict[Listener, None] = {}
        self._each: Counter[int] = Counter()
        self._woken = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._closed = False
        self._watch: news.Watch | None = None
        instance.on_wake(self._woken.set)

    def __len__(self) -> int:
        return len(self._listeners)

    def full(self, member: int) -> int | None:
        """The status to refuse one more stream of a member with; None where there is room."""
        if self._closed or len(self._listeners) >= self._most:
            return 503
        return 429 if self._each[member] >= MOST_EACH else None

    async def enter(self, listener: Listener) -> None:
        """From here on it hears of everything."""
        self._listeners[listener] = None
        self._each[listener.member.id] += 1
        if self._task is None or self._task.done():
            async with self._instance.reading() as session:
                self._watch = await news.begin(session, self._instance.clock.now())
            self._task = asyncio.create_task(self._run())

    def leave(self, listener: Listener) -> None:
        """It is gone."""
        if self._listeners.pop(listener, self) is None:
            self._each[listener.member.id] -= 1
            self._each += Counter()

    def close(self) -> None:
        """End every stream, and let nobody in any more."""
        self._closed = True
        for listener in self._listeners:
            listener.end()

    async def stop(self) -> None:
        """End every stream, and the task."""
        self.close()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        while self._listeners:
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOKS_ANYHOW):
                    await self._woken.wait()
            self._woken.clear()
            try:
                await self._look()
            except Exception as error:  # the database may be away: the streams outlive that
                log.error("streams failed", exc_info=error)
            await asyncio.sleep(1 / LOOKS_A_SECOND)

    async def _look(self) -> None:
        """Look once, and tell or end those whom it concerns."""
        watch = self._watch
        if watch is None:
            return
        now = self._instance.clock.now()
        async with self._instance.reading() as session:
            held = {one.token for one in self._listeners}
            alive = await tokens.still_held(session, self._instance, held)
            for listener in list(self._listeners):
                if listener.token not in alive:
                    listener.end()
            happened = await news.happened(session, watch, now)
            if happened:
                stands = await news.places(session, {one.post for one in happened}, now)
                await self._tell(session, happened, stands)
            await self._tell_notices(session, watch)

    def _of_members(self) -> dict[int, list[Listener]]:
        found: dict[int, list[Listener]] = {}
        for listener in self._listeners:
            if not listener.ended:
                found.setdefault(listener.member.id, []).append(listener)
        return found

    async def _tell(
        self, session: AsyncSession, happened: list[Happening], stands: dict[int, Place]
    ) -> None:
        members = self._of_members()
        homes = await news.concerned(session, stands, members)
        away = await mutes.people(session, members)
        for member, listeners in members.items():
            viewer = Viewer(listeners[0].member)
            told = await statuses.told(session, viewer, stands)
            gone = {one.post for one in happened if one.kind == news.DELETED}
            seen = await news.visible(session, viewer, gone) if gone else set()
            for one in happened:
                place, status = stands.get(one.post), told.get(one.post)
                if place is None or (one.kind == news.DELETED and one.post not in seen):
                    continue
                if status is not None and status.author.id in away.get(member, ()):
                    continue
                home = one.post in homes.get(member, ())
                self._tell_one(listeners, one, place, status, home=home)

    def _tell_one(
        self,
        listeners: Iterable[Listener],
        one: Happening,
        place: Place,
        status: Status | None,
        *,
        home: bool,
    ) -> None:
        """Tell a member's connections of one fact, as far as they may see the post."""
        if one.kind == news.DELETED:
            for listener in listeners:
                for channel in listener.channels:
                    if channel.name != NOTICES:
                        boosted = channel.boosts and one.post == place.thread
                        shown = Line(one.post, boosted=boosted).id
                        listener.tell(channel, "delete", str(shown))
            return
        if status is None or (one.kind in news.POSTED and not place.fresh):
            return
        drawn = Statuses(self._instance)
        event = "update" if one.kind in news.POSTED else "status.update"
        for listener in listeners:
            for channel in listener.channels:
                if channel.takes(one.post, place, status.tags, home=home):
                    boosted = channel.boosts and one.post == place.thread
                    body = drawn.line(Line(one.post, boosted=boosted), status)
                    listener.tell(channel, event, orjson.dumps(body).decode())

    async def _tell_notices(self, session: AsyncSession, watch: news.Watch) -> None:
        members = self._of_members()
        for member, number in await news.notices(session, watch, members):
            listeners = members[member]
            viewer = Viewer(listeners[0].member)
            found = await notices.page(session, viewer, Span(1), only=number)
            if not found:
                continue
            line = found[0]
            told = await statuses.told(session, viewer, [line.post.id])
            body = notice(Statuses(self._instance), line, told.get(line.post.id))
            for listener in listeners:
                for channel in listener.channels:
                    if channel.name in {USER, NOTICES}:
                        listener.tell(channel, "notification", orjson.dumps(body).decode())
