# SPDX-License-Identifier: Apache-2.0
"""Two agencies that federate over HTTP, in a thread of the test run."""

import asyncio
import socket
import threading
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import uvicorn
from sqlalchemy import select
from starlette.applications import Starlette

from federation.lookup import WireLookup
from server import peers
from server.clock import SystemClock
from server.endorsements import endorse
from server.forums import follows
from server.instance import Instance
from server.library import warning
from server.members import sign_in
from server.peers import RuleDraft
from server.settings import Mode, Settings
from storage import forums, log, posts
from storage.forums import Forum
from storage.log import LogRow, Parked
from storage.members import Member
from storage.posts import Post
from tests import makers
from tests.server.calendar.bench import announced, joined
from tests.server.hub import bench as hub
from tests.server.library import bench
from tests.server.mentoring.bench import meeting
from tests.server.resources.test_publiccode import MEDUSA
from web.app import create_app

SECONDS = 90.0
PROGRAM = {"kind": "code", "license": "EUPL-1.2", "publiccode": MEDUSA}
Outcome = TypeVar("Outcome")


@dataclass(frozen=True)
class House:
    """One agency: its instance, its server, and the people who work there, by handle."""

    instance: Instance
    app: Starlette
    server: uvicorn.Server
    people: dict[str, Member]

    @property
    def origin(self) -> str:
        return self.instance.settings.origin

    @property
    def host(self) -> str:
        return self.instance.settings.host


class Ahead(SystemClock):
    """The machine's clock, ahead of it by as much as was let pass."""

    def __init__(self) -> None:
        self._ahead = timedelta()

    def now(self) -> datetime:
        return super().now() + self._ahead

    def let_pass(self, *, minutes: int) -> None:
        """As if so long had gone by."""
        self._ahead += timedelta(minutes=minutes)


class Town:
    """Riverton and Lakeside; every method may be called from the thread of the tests."""

    def __init__(self, folder: Path) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._serving: list[Future[None]] = []
        # Of both, so that each finds the other's signatures fresh. Nobody may write ten posts a
        # minute, and a few people write for all the tests of a worker.
        self.clock = Ahead()
        self.riverton: House
        self.lakeside: House
        self.run(self._open(folder))

    def run(self, task: Coroutine[Any, Any, Outcome]) -> Outcome:
        """Do something in the thread of the servers, and wait for what comes of it."""
        return asyncio.run_coroutine_threadsafe(task, self._loop).result(SECONDS)

    def close(self) -> None:
        """Stop the servers, then the thread."""
        for house in (self.riverton, self.lakeside):
            house.server.should_exit = True
        for serving in self._serving:
            serving.result(SECONDS)
        for house in (self.riverton, self.lakeside):
            self.run(house.instance.close())
        self.run(self._loop.shutdown_default_executor())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(SECONDS)
        self._loop.close()

    async def _open(self, folder: Path) -> None:
        keys = ("riverton", "lakeside")
        sockets = {key: _listening() for key in keys}
        ports = {key: int(found.getsockname()[1]) for key, found in sockets.items()}
        reached = {f"{key}.localhost": f"127.0.0.1:{port}" for key, port in ports.items()}
        houses = {}
        for key in keys:
            houses[key] = await self._house(folder, key, ports[key], reached)
        self.riverton, self.lakeside = houses["riverton"], houses["lakeside"]
        for house, other in ((self.riverton, self.lakeside), (self.lakeside, self.riverton)):
            async with house.instance.transaction() as tx:
                rule = RuleDraft(other.instance.settings.hostname, reason="We learn from them.")
                await peers.add_rule(tx, _admin(house), rule)
            serving = house.server.serve(sockets=[sockets[house.host.partition(".")[0]]])
            self._serving.append(asyncio.run_coroutine_threadsafe(serving, self._loop))

        async def started() -> bool:
            return all(house.server.started for house in houses.values())

        await until(started)

    async def _house(self, folder: Path, key: str, port: int, reached: dict[str, str]) -> House:
        chosen: dict[str, Any] = {
            "origin": f"http://{key}.localhost:{port}",
            "database": f"sqlite:///{folder / key}.db",
            "state": folder / key,
            "mode": Mode.TEST,
            "name": f"{key.title()} Commons",
            "agency": f"City of {key.title()}",
            "resolve": reached,
            "signup_domains": (f"{key}.example.gov",),
        }
        instance = await Instance.open(Settings(**chosen), clock=self.clock)
        app = create_app(instance)
        # A page waits three seconds, which is a measure of the machine.
        app.state.lookup = WireLookup(app.state.wire, SECONDS)
        config = uvicorn.Config(
            app, log_config=None, access_log=False, lifespan="on", timeout_graceful_shutdown=2
        )
        server = uvicorn.Server(config)
        return House(instance, app, server, await _people(instance, PEOPLE[key]))

    def newcomer(self, house: House, name: str) -> str:
        """Somebody who has written nothing yet, since nobody may write ten posts a minute."""
        handle = f"{name.partition(' ')[0].lower()}{len(house.people)}"
        house.people[handle] = self.run(makers.member(house.instance, handle, name=name))
        return handle

    def session(self, house: House, who: str) -> str:
        """The cookie of a new session of a member."""

        async def opened() -> str:
            async with house.instance.transaction() as tx:
                return await sign_in.open_session(tx, house.people[who])

        return self.run(opened())

    def forum(self, house: House, handle: str, title: str, visibility: str = "public") -> Forum:
        """A forum of an agency, opened by its admin."""
        making = makers.forum(
            house.instance, _admin(house), handle, title=title, visibility=visibility
        )
        return self.run(making)

    def follow(self, house: House, handle: str, who: str = "ana") -> Forum:
        """A member follows a forum of the other agency; the copy, once it is complete."""
        other = self.lakeside if house is self.riverton else self.riverton
        member = house.people[who]

        async def found() -> Forum | None:
            async with house.instance.reading() as session:
                return await forums.by_handle(session, handle, other.host)

        async def ask() -> None:
            forum = await house.app.state.lookup.find(f"@{handle}@{other.host}")
            assert isinstance(forum, Forum)
            async with house.instance.transaction() as tx:
                await follows.follow(tx, member, forum)

        async def current() -> Forum | None:
            forum = await found()
            return forum if forum is not None and forum.copy_state == "current" else None

        self.run(ask())
        return self.run(until(current))

    def thread(self, house: House, who: str, forum: Forum, title: str, text: str = "Why?") -> Post:
        """A thread in a forum of the author's own agency."""
        return self.run(makers.thread(house.instance, house.people[who], forum, title, text))

    def reply(self, house: House, who: str, to: Post, text: str) -> Post:
        """A reply to a post that the author's agency holds."""
        return self.run(makers.reply(house.instance, house.people[who], to, text))

    def practice(self, house: House, who: str, forum: Forum, **fields: str) -> Post:
        """A practice in a forum of the author's own agency, with these fields over the usual."""
        return self.run(bench.published(house.instance, house.people[who], forum, **fields))

    def offer(self, house: House, who: str, forum: Forum, source: Post) -> tuple[Post, int]:
        """An adaptation, and the number of what of it was offered back."""
        made = bench.offered(house.instance, house.people[who], forum, source)
        post, offer = self.run(made)
        return post, offer.id

    def warning(self, house: House, who: str, post: Post) -> None:
        """An advisory about a practice."""

        async def deed() -> None:
            async with house.instance.transaction() as tx:
                await warning.warn(tx, house.people[who], post, "advisory", "Leave step 3 out.")

        self.run(deed())

    def half_a_practice(self, house: House, who: str, forum: Forum, **fields: str) -> int:
        """The draft of one."""
        return self.run(bench.begun(house.instance, house.people[who], forum, **fields))

    def event(self, house: House, who: str, forum: Forum, guest: str = "") -> Post:
        """A webinar in a forum of the organiser's own agency, with somebody who comes."""
        day = {"start_date": "2099-12-03"}
        post = self.run(announced(house.instance, house.people[who], forum, **day))
        if guest:
            self.run(joined(house.instance, house.people[guest], post))
        return post

    def resource(self, house: House, who: str, forum: Forum, source: Post | None = None) -> Post:
        """A resource in a forum of the author's own agency; a program adapted from `source`."""
        author = house.people[who]
        said = PROGRAM if source is not None else {}
        return self.run(hub.shared(house.instance, author, forum, said=said, source=source))

    def half_a_resource(self, house: House, who: str) -> int:
        """The draft of one, with a file and all that is asked of a program."""
        return self.run(hub.begun(house.instance, house.people[who], said=PROGRAM))

    def mentoring(self, house: House, mentee: str, mentor: str) -> dict[str, str]:
        """A programme, a request with a mentor who was asked, and a pair; where each is found."""
        return self.run(meeting(house.instance, house.people[mentee], house.people[mentor]))

    def endorse(self, house: House, who: str, post: Post) -> None:
        """An endorsement of a post that the member's agency holds."""

        async def deed() -> None:
            async with house.instance.transaction() as tx:
                held = await tx.session.get_one(Post, post.id)
                await endorse(tx, house.people[who], held)

        self.run(deed())

    def knock(self, house: House, host: str) -> None:
        """A site that is not on the list tries to send something."""

        async def deed() -> None:
            async with house.instance.transaction() as tx:
                await peers.knock(tx, host)

        self.run(deed())

    def trouble(self, house: House, host: str, about: Post) -> None:
        """Another agency is paused and was not reached; a post was set aside for it."""

        async def told() -> LogRow | None:
            question = select(LogRow).where(LogRow.subject == about.uri).limit(1)
            async with house.instance.reading() as session:
                return (await session.execute(question)).scalars().first()

        async def deed() -> None:
            row = await until(told)
            async with house.instance.transaction() as tx:
                peer = await peers.seen(tx, host, f"https://{host}")
                peer.paused = peer.failing_since = tx.now
                peer.failures, peer.last_error = 3, "503 <b>Closed</b>"
                inbox = f"https://{host}/inbox"
                lane = await log.lane_to(tx.session, inbox, host, tx.ids.next(), tx.now)
                lane.catch_up = tx.now
                parked = Parked(lane_id=lane.id, seq=row.seq, order_key=row.order_key)
                parked.attempts, parked.next_try, parked.error = 4, tx.now, "500 Oops"
                tx.session.add(parked)

        self.run(deed())

    def arrived(self, house: House, post: Post) -> Post:
        """The post as another agency holds it, once it has got there."""

        async def held() -> Post | None:
            async with house.instance.reading() as session:
                return await posts.by_uri(session, post.uri)

        return self.run(until(held))

    def endorsements(self, house: House, post: Post, count: int) -> None:
        """Wait until a post has so many endorsements at an agency."""

        async def counted() -> bool:
            async with house.instance.reading() as session:
                question = select(Post.endorsement_count).where(Post.uri == post.uri)
                return (await session.execute(question)).scalar_one_or_none() == count

        self.run(until(counted))


PEOPLE = {
    "riverton": (("sam", "Sam Hale"), ("ana", "Ana Ruiz")),
    "lakeside": (("lou", "Lou Berg"), ("marek", "Marek Nowak")),
}


async def _people(instance: Instance, named: tuple[tuple[str, str], ...]) -> dict[str, Member]:
    """The members of an agency; the first of them administers it."""
    return {
        handle: await makers.member(instance, handle, name=name, admin=place == 0)
        for place, (handle, name) in enumerate(named)
    }


def _admin(house: House) -> Member:
    return next(member for member in house.people.values() if member.is_admin)


def _listening() -> socket.socket:
    found = socket.socket()
    found.bind(("127.0.0.1", 0))
    return found


async def until(probe: Callable[[], Awaitable[Outcome | None]]) -> Outcome:
    """What the probe finds, asked again and again for as long as a test waits."""
    async with asyncio.timeout(SECONDS - 5):
        while True:
            if found := await probe():
                return found
            await asyncio.sleep(0.05)
