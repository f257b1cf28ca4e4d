# SPDX-License-Identifier: Apache-2.0
"""Two agencies in processes of their own, and peers that keep count."""

import asyncio
import contextlib
import itertools
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar

from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from server import endorsements, peers
from server.chain import checking
from server.errors import Unavailable
from server.instance import Instance
from server.peers import RuleDraft
from server.posts import writing
from server.posts.drafts import ReplyDraft, ThreadDraft
from server.transaction import Transaction
from storage import log, posts
from storage.facts import FactRow
from storage.faults import passes
from storage.forums import Forum
from storage.inbox import InboxRow, InboxState
from storage.log import ActivityBody, LogRow
from storage.members import Member
from storage.notifications import Notification
from storage.posts import Post
from tests import makers
from tests.clock import TurnableClock
from tests.crash.sinks import Sinks
from tests.crash.zygote import Zygote
from tests.journeys.agency import Agency
from web.demo.ports import free_port

T = TypeVar("T")
SECONDS = 60.0
RULE = "*.sink.localhost"


@dataclass
class Killable:
    """An agency's processes; the test writes to the same database beside them, as commands do.

    `ports` are where it is served: where there are several, each has a process without a worker,
    and as many processes work beside them.
    """

    agency: Agency
    ports: list[int]
    zygote: Zygote
    serving: list[int] = field(default_factory=list)
    working: list[int] = field(default_factory=list)

    @property
    def instance(self) -> Instance:
        return self.agency.instance

    def start(self) -> None:
        alone, settings = len(self.ports) == 1, self.agency.settings
        self.serving = [self.zygote.serve(settings, port, worker=alone) for port in self.ports]
        if not alone:
            self.working = [self.zygote.work(settings) for _ in self.ports]

    def kill(self) -> None:
        """Kill them all."""
        for process in (*self.serving, *self.working):
            self.zygote.kill(process)
        self.serving, self.working = [], []

    def kill_a_worker(self) -> None:
        self.zygote.kill(self.working.pop())


HERE_ALREADY = "This post is here already."


@dataclass
class Town:
    """Lakeside is home of a forum that Riverton follows, and so do the sinks."""

    lakeside: Killable
    riverton: Killable
    sinks: Sinks
    clock: TurnableClock
    forum: Forum
    authors: list[Member]
    reader: Member
    thread: Post
    written: dict[str, str] = field(default_factory=dict)
    endorsed: dict[str, int] = field(default_factory=dict)

    async def burst(self, number: int) -> None:
        """A reply that names somebody at Riverton, and everybody's endorsement of it."""
        self.clock.turn(minutes=1)
        text = f"@{self.reader.handle}@{self.riverton.agency.host} this is number {number}."
        author = self.authors[number % len(self.authors)]
        draft = ReplyDraft(text, self.thread.id)
        post = await self._does(lambda tx: writing.reply(tx, author, draft))
        self.written[post.uri] = text
        for one in self.authors:
            await self._does(lambda tx, one=one: endorsements.endorse(tx, one, post))  # type: ignore[misc]
        self.endorsed[post.uri] = len(self.authors)

    async def _does(self, deed: Callable[[Transaction], Awaitable[T]]) -> T:
        """A deed at Lakeside; on a busy machine its processes may keep the database for long."""
        end = time.monotonic() + SECONDS
        while True:
            try:
                async with self.lakeside.instance.transaction() as tx:
                    return await deed(tx)
            except OperationalError as error:
                if not passes(error) or time.monotonic() > end:
                    raise

    async def unsettled(self) -> str:
        """What is not yet as it must be in the end; empty when nothing."""
        async with self.lakeside.instance.reading() as session:
            untold = list(
                (
                    await session.execute(select(FactRow.kind).where(FactRow.done.is_(None)))
                ).scalars()
            )
        if untold:
            return f"facts are not told: {untold[:5]}"
        async with self.riverton.instance.reading() as session:
            for uri in self.written:
                post = await posts.by_uri(session, uri)
                if post is None or post.endorsement_count != self.endorsed[uri]:
                    return f"{uri} is {post and post.endorsement_count} at Riverton"
            waiting = select(InboxRow.activity_id).where(InboxRow.state == InboxState.WAITING)
            left = (await session.execute(waiting)).scalars().all()
        if left:
            return f"{len(left)} wait in the inbox"
        missing = self.sinks.missing(await self.announced())
        return f"the sinks miss {missing}" if missing else ""

    async def announced(self) -> set[str]:
        """The ids of what the forum announced since the sinks follow it."""
        async with self.lakeside.instance.reading() as session:
            found = await session.execute(
                select(LogRow.activity_id)
                .join(ActivityBody, ActivityBody.id == LogRow.body_id)
                .where(LogRow.audience == self.forum.uri, LogRow.form == log.Form.WRAPPED)
                .where(LogRow.seq > self.first)
            )
            return set(found.scalars())

    first: int = 0

    async def notified(self) -> int:
        """How many notices of a mention Riverton's reader has."""
        async with self.riverton.instance.reading() as session:
            found = await session.execute(
                select(Notification).where(Notification.member_id == self.reader.id)
            )
            return len(found.scalars().all())

    async def not_applied(self) -> list[tuple[str, str, str]]:
        """(activity, state, reason) of whatever Riverton received that was not applied.

        What a comparison of digests brought before its announcement was worked on is there.
        """
        question = select(InboxRow.activity_id, InboxRow.state, InboxRow.note).where(
            InboxRow.state != InboxState.APPLIED, InboxRow.note != HERE_ALREADY
        )
        async with self.riverton.instance.reading() as session:
            return [(row[0], row[1], row[2]) for row in (await session.execute(question)).all()]

    async def records(self) -> list[tuple[bool, bool]]:
        """Of each agency: whether there is a record, and whether it is a chain without gaps."""
        found = []
        for one in (self.lakeside, self.riverton):
            async with one.instance.reading() as session:
                verdict = await checking.verify(session, one.agency.settings.origin)
            found.append((verdict.place > 0, verdict.is_whole))
        return found


async def settles(ask: Callable[[], Awaitable[str]]) -> None:
    """Wait until there is nothing left to say; as long as something moves, it may take time."""
    last, end = "", 0.0
    while said := await ask():
        now = time.monotonic()
        if said != last:
            last, end = said, now + SECONDS
        assert now < end, said
        await asyncio.sleep(0.1)


@contextlib.asynccontextmanager
async def town(
    folder: Path, zygote: Zygote, urls: dict[str, str], sinks: int, *, shared: bool = False
) -> AsyncIterator[Town]:
    """The town, its processes running; `urls` are databases by agency.

    `shared` has each agency served by two processes, in turn, with two more that work.
    """
    hosts = [f"p{number}.sink.localhost" for number in range(sinks)]
    async with Sinks.listening(hosts) as served, contextlib.AsyncExitStack() as doors:
        # The processes live now; what is written by the test was written a little before.
        clock = TurnableClock(datetime.now(UTC).replace(microsecond=0) - timedelta(days=1))
        ports = {name: free_port() for name in urls}
        agencies = {name: Agency(name, folder, clock, ports) for name in urls}
        for name, agency in agencies.items():
            agency.settings = agency.settings.model_copy(
                update={
                    "database": urls[name],
                    "resolve": agency.settings.resolve | served.resolve(),
                }
            )
        made = await _found(agencies["lakeside"], agencies["riverton"], served)
        behind = {name: [port] for name, port in ports.items()}
        if shared:
            for name, port in ports.items():
                behind[name] = [free_port(), free_port()]
                await doors.enter_async_context(in_turn(port, behind[name]))
        lakeside, riverton = (
            Killable(agencies[name], behind[name], zygote) for name in ("lakeside", "riverton")
        )
        built = Town(lakeside, riverton, served, clock, *made)
        try:
            for one in (lakeside, riverton):
                one.agency.instance = await Instance.open(one.agency.settings, clock=clock)
            async with lakeside.instance.reading() as session:
                built.first = await log.last_seq(session)
            for one in (lakeside, riverton):
                one.start()
            yield built
        finally:
            for one in (lakeside, riverton):
                one.kill()
                await one.instance.close()


async def _closed(writer: asyncio.StreamWriter) -> None:
    """Close a connection, whatever state it is in."""
    writer.close()
    with contextlib.suppress(OSError, asyncio.CancelledError):
        await writer.wait_closed()


@contextlib.asynccontextmanager
async def in_turn(port: int, behind: list[int]) -> AsyncIterator[None]:
    """Hand each connection to the next of several servers, as a proxy before them does."""
    turns = itertools.cycle(behind)
    carrying: set[asyncio.Task[None]] = set()

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(1 << 16):
            writer.write(data)
            await writer.drain()

    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        carrying.add(task)
        with contextlib.suppress(OSError, asyncio.CancelledError):
            there, back = await asyncio.open_connection("127.0.0.1", next(turns))
            both = [
                asyncio.create_task(pump(reader, back)),
                asyncio.create_task(pump(there, writer)),
            ]
            try:
                await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for one in both:
                    one.cancel()
                await asyncio.gather(*both, return_exceptions=True)
                await _closed(back)
        await _closed(writer)
        carrying.discard(task)

    server = await asyncio.start_server(carry, "127.0.0.1", port)
    try:
        yield
    finally:
        server.close()
        # Whoever was accepted just now begins, and so has something to end.
        await asyncio.sleep(0)
        for task in carrying:
            task.cancel()
        await asyncio.gather(*carrying, return_exceptions=True)


async def _found(
    lakeside: Agency, riverton: Agency, sinks: Sinks
) -> tuple[Forum, list[Member], Member, Post]:
    """Set everything up in this process, and stop."""
    try:
        return await _furnished(lakeside, riverton, sinks)
    finally:
        await lakeside.stop()
        await riverton.stop()


async def _furnished(
    lakeside: Agency, riverton: Agency, sinks: Sinks
) -> tuple[Forum, list[Member], Member, Post]:
    for agency, other in ((lakeside, riverton), (riverton, lakeside)):
        await agency.found()
        await agency.lists(other)
    instance = lakeside.instance
    forum = await makers.forum(instance, lakeside.admin, "permits", title="Permits")
    authors = [await makers.member(instance, f"clerk{number}") for number in range(3)]
    reader = await makers.member(riverton.instance, "ana")
    await _follow(riverton, reader, forum.uri)
    async with instance.transaction() as tx:
        draft = ThreadDraft("Digital permits", "Filing to issue.")
        thread = await writing.post_thread(tx, authors[0], forum, draft)
    await riverton.sees(thread.uri)
    await subscribe(instance, lakeside.admin, forum, sinks.hosts)
    return forum, authors, reader, thread


async def subscribe(instance: Instance, admin: Member, forum: Forum, hosts: list[str]) -> None:
    """Have sinks follow a forum from now on."""
    async with instance.transaction() as tx:
        await peers.add_rule(tx, admin, RuleDraft(RULE))
        for host in hosts:
            peer = await peers.seen(tx, host, f"http://{host}")
            # They count, and need no more forms than one.
            peer.software, peer.described = peers.GUILDHALL, datetime.now(UTC)
            lane = await log.lane_to(
                tx.session, f"http://{host}/inbox", host, tx.ids.next(), tx.now
            )
            await log.subscribe(tx.session, forum.uri, lane, tx.ids.next())


async def _follow(agency: Agency, reader: Member, uri: str) -> None:
    """A look-up gives up after 3 s, which a busy machine may need."""
    for _ in range(5):
        with contextlib.suppress(Unavailable):
            await agency.follow(reader, uri)
            return
    await agency.follow(reader, uri)
