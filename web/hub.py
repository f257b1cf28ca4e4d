# SPDX-License-Identifier: Apache-2.0
"""Open event streams of threads, told by one task of what happened."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import suppress
from typing import Any

import orjson
import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from server.instance import Instance
from server.members import sign_in
from server.posts import live
from server.posts.live import Figures, Newest
from server.viewers import VISITOR, Viewer

MOST = 2_000
MOST_EACH = 20
BEAT = 25.0
LOOKS_A_SECOND = 5
AT_ONCE = 100
HEARTBEAT = b": still here\n\n"
log = structlog.get_logger("guildhall.live")

Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


class Stream:
    """One reader's open page. `told` names what the page shows, None until it is opened.

    `session` is the SHA-256 of a member's token.
    """

    __slots__ = ("beat", "ended", "reader", "send", "session", "task", "thread", "told",
                 "writing")  # fmt: skip

    def __init__(self, send: Send) -> None:
        self.send = send
        self.reader = ""
        self.thread = 0
        self.session: str | None = None
        self.told: str | None = None
        self.beat = 0.0
        self.ended = False
        self.task = asyncio.current_task()
        self.writing: asyncio.Task[None] | None = None

    @property
    def member(self) -> bool:
        return self.session is not None


def message(figures: Figures, newest: Newest, *, member: bool) -> bytes:
    """The event that says that a thread changed."""
    last = newest.member if member else newest.visitor
    said = {
        "replies": figures.replies(member=member),
        "newest": None if last is None else str(last),
    }
    name = figures.name(member=member)
    return b"id: %s\nevent: changed\ndata: %s\n\n" % (name.encode(), orjson.dumps(said))


class Hub:
    """The streams of this process.

    A single task looks after them all while there are any: when something was committed, at
    most LOOKS_A_SECOND times, and ten times in a heartbeat anyhow, so that nothing depends on
    a wake-up that another process may have failed to give.
    """

    def __init__(self, instance: Instance, *, beat: float = BEAT, most: int = MOST) -> None:
        self._beat_every = beat
        self._most = most
        self._instance = instance
        self._streams: dict[Stream, None] = {}
        self._readers: Counter[str] = Counter()
        self._known: dict[int, Figures] = {}
        self._woken = asyncio.Event()
        self._closed = False
        self._task: asyncio.Task[None] | None = None
        self._stop_listening: Callable[[], Awaitable[None]] | None = None
        instance.on_wake(self.wake)

    def __len__(self) -> int:
        return len(self._streams)

    async def start(self, *, listen: bool) -> None:
        """Begin; `listen` where no worker of this process hears of others' commits."""
        if listen and not self._instance.database.is_sqlite:
            self._stop_listening = await self._instance.database.listen(self.wake)

    async def stop(self) -> None:
        """End every stream, and the task."""
        self.close()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        if self._stop_listening is not None:
            await self._stop_listening()

    def wake(self) -> None:
        """Something was committed."""
        if self._streams:
            self._woken.set()

    def full(self, reader: str) -> int | None:
        """The status to refuse one more stream of this reader with; None where there is room.

        A reader without a name counts for the whole only.
        """
        if self._closed or len(self._streams) >= self._most:
            return 503
        return 429 if reader and self._readers[reader] >= MOST_EACH else None

    def enter(self, stream: Stream, reader: str) -> None:
        """Keep a place for a stream, before it learns how its thread stands."""
        stream.reader = reader
        self._streams[stream] = None
        self._readers[reader] += 1
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run())

    def opened(self, stream: Stream, told: str) -> None:
        """From here on the stream hears of everything that is not in `told`."""
        stream.told = told
        if stream.ended:
            # We began to close meanwhile: now that it has begun, it can be ended.
            stream.ended = False
            self._end(stream)
        stream.beat = asyncio.get_running_loop().time() + self._beat_every
        # What was committed while it opened may have woken us too early.
        self._woken.set()

    def leave(self, stream: Stream) -> None:
        """Its reader is gone, or we have ended it."""
        if stream not in self._streams:
            return
        del self._streams[stream]
        stream.ended = True
        self._readers[stream.reader] -= 1
        if not self._readers[stream.reader]:
            del self._readers[stream.reader]
        if not self._streams:
            self._woken.set()

    def close(self) -> None:
        """End every stream, and let nobody in any more."""
        self._closed = True
        for stream in list(self._streams):
            self._end(stream)

    async def _run(self) -> None:
        """Look whenever there is reason to, while anybody listens."""
        while self._streams:
            with suppress(TimeoutError):
                async with asyncio.timeout(self._beat_every / 10):
                    await self._woken.wait()
            self._woken.clear()
            try:
                await self._tell()
            except Exception as error:  # the database may be away: the streams outlive that
                log.error("live replies failed", exc_info=error)
            await asyncio.sleep(1 / LOOKS_A_SECOND)

    async def _tell(self) -> None:
        """Look once, and tell or end those whom it concerns."""
        now = asyncio.get_running_loop().time()
        streams = {stream for stream in self._streams if stream.told is not None}
        if not streams:
            return
        behind: set[int] = set()
        async with self._instance.reading() as session:
            found = await live.figures(session, {stream.thread for stream in streams})
            changed = {thread for thread, held in found.items() if held != self._known.get(thread)}
            changed |= {stream.thread for stream in streams} - found.keys()
            due = [s for s in streams if s.thread in changed or s.beat <= now]
            readable = await self._readable(session, due)
            newest = await live.newest(session, changed & found.keys()) if changed else {}
        for place, stream in enumerate(due):
            if place % AT_ONCE == AT_ONCE - 1:
                await asyncio.sleep(0)
            if stream not in readable:
                self._end(stream)
                continue
            thread = stream.thread
            if thread in changed and not self._tell_one(stream, found[thread], newest[thread], now):
                behind.add(thread)
            if stream.beat <= now:
                self._beat(stream, now)
        # Those that came since may have begun before or after this look: the next is for them.
        behind |= {stream.thread for stream in self._streams.keys() - streams}
        self._known = {thread: held for thread, held in found.items() if thread not in behind}

    def _tell_one(self, stream: Stream, figures: Figures, newest: Newest, now: float) -> bool:
        """False where the reader could not be told, and has to be the next time."""
        name = figures.name(member=stream.member)
        if stream.told != name:
            if not self._write(stream, message(figures, newest, member=stream.member)):
                return False
            stream.told = name
            stream.beat = now + self._beat_every
        return True

    def _beat(self, stream: Stream, now: float) -> None:
        """A sign of life; whoever has not even taken the last one is let go."""
        stream.beat = now + self._beat_every
        if not self._write(stream, HEARTBEAT):
            self._drop(stream)

    async def _readable(self, session: AsyncSession, due: list[Stream]) -> set[Stream]:
        """Those who may still read what they watch, with the session they came with.

        What a visitor may see anybody may, so members are asked for one by one only where a
        visitor may not.
        """
        if not due:
            return set()
        hashes = {stream.session for stream in due if stream.session is not None}
        members = await sign_in.still_signed_in(session, self._instance, hashes)
        public = await live.readable(session, VISITOR, {stream.thread for stream in due})
        rooms: dict[int, set[int]] = defaultdict(set)
        people = {member.id: member for member in members.values()}
        found = set()
        for stream in due:
            member = members.get(stream.session or "")
            if stream.session is not None and member is None:
                continue
            if stream.thread in public:
                found.add(stream)
            elif member is not None:
                rooms[member.id].add(stream.thread)
        for key, threads in rooms.items():
            rooms[key] = await live.readable(session, Viewer(people[key]), threads)
        for stream in due:
            member = members.get(stream.session or "")
            if member is not None and stream.thread in rooms.get(member.id, ()):
                found.add(stream)
        return found

    def _write(self, stream: Stream, body: bytes, *, more: bool = True) -> bool:
        """Begin to send; False while the reader has not taken what was sent before."""
        if stream.ended or stream.writing is not None:
            return False
        stream.writing = asyncio.create_task(self._send(stream, body, more=more))
        return True

    async def _send(self, stream: Stream, body: bytes, *, more: bool) -> None:
        try:
            await stream.send({"type": "http.response.body", "body": body, "more_body": more})
        except Exception:  # a server may say in its own way that the reader is gone
            self._drop(stream)
        finally:
            stream.writing = None

    def _end(self, stream: Stream) -> None:
        """Say that no more will come; the server then lets the request end."""
        if stream.ended:
            self._drop(stream)
            return
        # One that is not open yet finds out by itself.
        written = stream.told is None or self._write(stream, b"", more=False)
        stream.ended = True
        if not written:
            self._drop(stream)

    def _drop(self, stream: Stream) -> None:
        """End it without a word."""
        stream.ended = True
        if stream.writing is not None and stream.writing is not asyncio.current_task():
            stream.writing.cancel()
        if stream.task is not None:
            stream.task.cancel()
