# SPDX-License-Identifier: Apache-2.0
"""The roof: puts pages, the machines' door and the worker together."""

import os
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, MutableMapping
from contextlib import asynccontextmanager
from functools import lru_cache, partial
from typing import Any

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from federation.lookup import WireLookup
from federation.station import Station
from federation.worker import Worker
from server.freshness import Freshness
from server.instance import Instance
from server.members.accounts import any_admin
from server.remote_pictures import Pictures
from server.settings import Mode, Settings
from storage.faults import FAULTS
from web import (
    activitypub,
    admin,
    agencies,
    api,
    bookmarks,
    consent,
    drafts,
    endorsements,
    errors,
    events,
    filters,
    forums,
    home,
    live,
    media,
    members,
    mentoring,
    moderation,
    mutes,
    notifications,
    polls,
    posts,
    practices,
    quotes,
    repairs,
    resources,
    search,
    tags,
    vetting,
)
from web.activitypub.arriving import InboxDoor
from web.activitypub.short import InboxWay
from web.api.streaming.hub import Streams
from web.cache import PageCache
from web.faces import wants_activity
from web.hub import Hub
from web.kept import Kept
from web.people import People
from web.policy import content_policy
from web.rooms import Rooms
from web.templates import HERE, environment
from web.visits import Seen

FEATURES = (
    home,
    members,
    forums,
    # Before the pages of posts, whose addresses end in any words.
    live,
    practices,
    resources,
    events,
    vetting,
    quotes,
    moderation,
    # Before posts as well: a post's address may end in any words.
    mutes,
    polls,
    posts,
    repairs,
    endorsements,
    drafts,
    mentoring,
    notifications,
    search,
    tags,
    agencies,
    media,
    bookmarks,
    filters,
    consent,
    admin,
    api,
)
BEFORE_THE_FIRST_ADMIN = ("/first-run", "/static/", "/healthz", "/.well-known/", "/nodeinfo/")

Headers = list[tuple[bytes, bytes]]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


class WholeFiles(StaticFiles):
    """Files that are always sent whole: thousands of ranges of one cost more than they spare."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = [one for one in scope["headers"] if one[0] not in {b"range", b"if-range"}]
        await super().__call__({**scope, "headers": headers}, receive, send)


_AN_INBOX = re.compile(r"(?:/[uf]/[^/]+)?/inbox")


class Roof(Starlette):
    """The application: what is delivered goes a short way, past what only pages need.

    Routing and what stands around a page would cost as much as the check of the signature.
    """

    # The server program asks for them, where it has a request as a whole.
    short_way: InboxWay
    kept: Kept

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if (
            scope["type"] != "http"
            or scope["method"] != "POST"
            or not (scope["path"] == "/inbox" or _AN_INBOX.fullmatch(scope["path"]))
        ):
            await super().__call__(scope, receive, send)
            return
        scope["app"] = self
        try:
            await self.state.deliveries(scope, receive, send)
        except Exception as error:
            # The door answers last: nothing has been sent yet.
            await (await bug(Request(scope), error))(scope, receive, send)
            raise


def create_app(instance: Instance, *, worker: bool = True) -> Starlette:
    """The application of one open instance; `worker` has it send and receive as well."""
    wire = Station(instance)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        await wire.open()
        if worker:
            app.state.worker = Worker(wire)
            await app.state.worker.start()
        await app.state.live.start(listen=not worker)
        try:
            yield
        finally:
            try:
                await app.state.live.stop()
                await app.state.streams.stop()
                if app.state.worker is not None:
                    await app.state.worker.stop()
            finally:
                await wire.close()

    kept = Kept(Freshness(instance.database), instance.clock, instance.settings.host)
    app = Roof(
        routes=_routes(),
        middleware=[
            # Before the guard: what is kept came through it.
            Middleware(PageCache, kept=kept),
            Middleware(Guard, instance=instance),
        ],
        exception_handlers={
            **errors.HANDLERS,
            **dict.fromkeys(FAULTS, errors.fault),
            Exception: bug,
        },
        lifespan=lifespan,
    )
    app.state.instance = instance
    app.state.deliveries = Guard(InboxDoor(), instance)
    dress = partial(guarded, security_headers(instance.settings))
    app.short_way = InboxWay(app, wire, dress, bug)
    app.kept = kept
    app.state.wire = wire
    app.state.worker = None
    app.state.live = Hub(instance)
    app.state.seen = Seen()
    app.state.streams = Streams(instance)
    app.state.lookup = WireLookup(wire)
    # Without a worker here, another process sends, and only that one knows what is under way.
    app.state.traffic = wire.delivery if worker else None
    app.state.pictures = Pictures(
        instance.vault, instance.settings.origin, instance.settings.media_origin
    )
    app.state.people = People(environment(), instance.settings, app.state.pictures)
    return app


def _routes() -> list[BaseRoute]:
    """Every address: sockets first, which are few."""
    pages = [
        Route("/healthz", health),
        Mount("/static", WholeFiles(directory=HERE / "static")),
        *activitypub.routes,
        *(route for feature in FEATURES for route in feature.routes),
    ]
    return [*api.sockets, Rooms(pages)]


async def health(request: Request) -> Response:
    """200 while the database answers and the worker runs; 503 with what is wrong."""
    worker: Worker | None = request.app.state.worker
    instance: Instance = request.app.state.instance
    try:
        async with instance.reading() as session:
            await any_admin(session)
    except FAULTS as error:
        if not instance.database_passes(error):
            raise
        return JSONResponse({"ok": False, "wrong": "the database cannot be reached"}, 503)
    if worker is not None and not worker.healthy:
        return JSONResponse({"ok": False, "wrong": "the worker keeps failing"}, 503)
    # On a machine with several instances, who started one must know that it is this one.
    demo = instance.settings.mode is Mode.DEMO
    return JSONResponse({"ok": True} | ({"process": os.getpid()} if demo else {}))


def security_headers(settings: Settings) -> Headers:
    """What every answer carries, whatever it is an answer to."""
    headers = [
        (b"content-security-policy", content_policy(settings).encode()),
        (b"x-content-type-options", b"nosniff"),
        (b"referrer-policy", b"same-origin"),
        (b"cross-origin-opener-policy", b"same-origin"),
        (b"vary", b"Accept"),
    ]
    if settings.is_https:
        headers.append((b"strict-transport-security", b"max-age=31536000"))
    return headers


def guarded(always: Headers, headers: Iterable[tuple[bytes, bytes]]) -> Headers:
    """The headers of an answer with those that it lacks."""
    headers = list(headers)
    present = {name.lower() for name, _ in headers}
    return [*headers, *(pair for pair in always if pair[0] not in present)]


async def bug(request: Request, error: Exception) -> Response:
    """The answer to a bug is made outside the guard, and is guarded all the same."""
    response = await errors.bug(request, error)
    always = security_headers(request.app.state.instance.settings)
    response.raw_headers = guarded(always, response.raw_headers)
    return response


class Guard:
    """Answers for our own host only, sets the security headers, sends newcomers to first run."""

    def __init__(self, app: Any, instance: Instance) -> None:
        self._app = app
        self._instance = instance
        self._host = instance.settings.host
        self._media_host = instance.settings.media_host
        self._has_admin = False
        self._guarded = partial(guarded, security_headers(instance.settings))
        # What never changes comes as a tuple, and goes on as one.
        self._guarded_before = lru_cache(maxsize=64)(lambda given: tuple(self._guarded(given)))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_guarded(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                headers = message["headers"]
                of = self._guarded_before if isinstance(headers, tuple) else self._guarded
                message["headers"] = of(headers)
            await send(message)

        answer = await self._instead(scope)
        await (answer or self._app)(scope, receive, send_guarded)

    async def _instead(self, scope: Scope) -> Response | None:
        """What is answered before any page is looked for."""
        path: str = scope["path"]
        if path == "/healthz":
            return None
        host = ""
        for name, value in scope["headers"]:
            if name == b"host":
                host = value.decode("latin-1")
                break
        if self._media_host and host.lower() == self._media_host:
            if path.startswith("/media/"):
                return None
            return Response("Only pictures and files are here.", 404, media_type="text/plain")
        if host.lower() != self._host:
            origin = self._instance.settings.origin
            return Response(f"This site is at {origin}.", 421, media_type="text/plain")
        if self._has_admin or path.startswith(BEFORE_THE_FIRST_ADMIN):
            return None
        async with self._instance.reading() as session:
            self._has_admin = await any_admin(session)
        if self._has_admin or scope["method"] != "GET" or wants_activity(scope):
            return None
        return RedirectResponse("/first-run", 303)
