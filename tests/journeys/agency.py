# SPDX-License-Identifier: Apache-2.0
"""One agency's instance, served for real on loopback."""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, MutableMapping
from pathlib import Path
from typing import Any, TypeVar

import httpx
from sqlalchemy import select
from starlette.applications import Starlette

from federation.lookup import WireLookup
from federation.urls import Urls
from server import peers
from server.forums import follows
from server.instance import Instance
from server.members.accounts import add_keys
from server.peers import RuleDraft
from server.settings import Mode, Settings
from storage import forums, posts
from storage.forums import CopyState, Forum
from storage.members import Member
from storage.posts import Post
from tests import makers
from tests.clock import TurnableClock
from tests.hostile.serving import serving
from web.app import create_app

SECONDS = 60.0
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
T = TypeVar("T")


async def until(what: str, ask: Callable[[], Awaitable[T | None]]) -> T:
    """Ask until the answer is true; fails with `what` after SECONDS."""
    end = time.monotonic() + SECONDS
    while True:
        found = await ask()
        if found:
            return found
        assert time.monotonic() < end, f"{what} never happened"
        await asyncio.sleep(0.02)


class Recorder:
    """Keeps every byte that comes to a server over HTTP, and that it answers."""

    def __init__(self, app: Starlette) -> None:
        self._app = app
        self.heard: list[bytes] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.heard.append(
            str(scope.get("path", "")).encode() + bytes(scope.get("query_string", b""))
        )
        self.heard += [b": ".join(pair) for pair in scope.get("headers", ())]

        async def hear() -> MutableMapping[str, Any]:
            message = await receive()
            self.heard.append(bytes(message.get("body", b"")))
            return message

        async def say(message: MutableMapping[str, Any]) -> None:
            self.heard.append(bytes(message.get("body", b"")))
            await send(message)

        await self._app(scope, hear, say)


class Agency:
    """`name` is also its host: `riverton.localhost`."""

    def __init__(
        self,
        name: str,
        folder: Path,
        clock: TurnableClock,
        ports: dict[str, int],
        database: str = "",
    ) -> None:
        self.name = name
        self.host = f"{name}.localhost"
        self.clock = clock
        values: dict[str, Any] = {
            "origin": f"http://{self.host}",
            "database": database or f"sqlite:///{folder / name}.db",
            "state": folder / name,
            "mode": Mode.TEST,
            "agency": f"City of {name.title()}",
            "resolve": {f"{one}.localhost": f"127.0.0.1:{port}" for one, port in ports.items()},
        }
        self.settings = Settings(**values)
        self.port = ports[name]
        self._running = contextlib.AsyncExitStack()
        self.instance: Instance
        self.app: Starlette
        self.admin: Member
        self.traffic: Recorder
        self.up = False

    async def found(self) -> "Agency":
        """Open it for the first time, with its admin."""
        self.instance = await Instance.open(self.settings, clock=self.clock)
        keys = await asyncio.to_thread(makers.keys, self.instance.vault)
        async with self.instance.transaction() as tx:
            add_keys(tx, Urls(self.settings.origin).instance, keys)
        self.admin = await makers.member(self.instance, "sam", name="Sam Hale", admin=True)
        await self._serve()
        return self

    async def _serve(self) -> None:
        self.app = create_app(self.instance)
        # A page waits three seconds, which is a measure of the machine.
        self.app.state.lookup = WireLookup(self.app.state.wire, SECONDS)
        self.traffic = Recorder(self.app)
        serve = serving(self.traffic, lifespan=True, port=self.port)
        await self._running.enter_async_context(serve)
        self.up = True

    async def stop(self) -> None:
        """It goes offline; its database stays."""
        if self.up:
            await self._running.aclose()
            await self.instance.close()
            self.up = False

    async def start(self) -> None:
        """It comes back."""
        self.instance = await Instance.open(self.settings, clock=self.clock)
        await self._serve()

    async def lists(self, *others: "Agency") -> None:
        async with self.instance.transaction() as tx:
            for other in others:
                await peers.add_rule(tx, self.admin, RuleDraft(other.host))

    async def follow(self, member: Member, uri: str) -> Forum:
        """A member looks a forum up, follows it, and waits for its copy."""
        forum = await self.app.state.lookup.find(uri)
        assert isinstance(forum, Forum)
        async with self.instance.transaction() as tx:
            await follows.follow(tx, member, forum)

        async def current() -> Forum | None:
            held = await self.forum(forum.uri)
            return held if held and held.copy_state == CopyState.CURRENT else None

        return await until(f"the copy of {uri} at {self.name}", current)

    async def forum(self, uri: str) -> Forum | None:
        async with self.instance.reading() as session:
            return await forums.by_uri(session, uri)

    async def held(self, uri: str) -> Post | None:
        async with self.instance.reading() as session:
            return await posts.by_uri(session, uri)

    async def sees(self, uri: str, **expected: Any) -> Post:
        """Wait until it holds a post that is so."""

        async def so() -> Post | None:
            post = await self.held(uri)
            if post is None or any(getattr(post, n) != v for n, v in expected.items()):
                return None
            return post

        return await until(f"{uri} {expected} at {self.name}", so)

    async def thread_of(self, opener: Post) -> list[Post]:
        async with self.instance.reading() as session:
            question = select(Post).where(Post.thread_id == opener.id).order_by(Post.id)
            return list((await session.execute(question)).scalars())

    async def page(self, path: str, reader: Member | None = None) -> httpx.Response:
        """What a visitor, or a signed-in member, reads there."""
        async with makers.browser(self.app) as browser:
            if reader is not None:
                await makers.sign_in(browser, self.instance, reader)
            return await browser.get(path)
