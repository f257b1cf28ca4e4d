# SPDX-License-Identifier: Apache-2.0
"""Live replies: the event stream of a thread's page."""

import asyncio
import re
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match, Route

from server.errors import NotFound
from server.instance import Instance
from server.members import sign_in
from server.members.accounts import token_hash
from server.posts import live
from server.viewers import Viewer
from web import sessions
from web.hub import Hub, Send, Stream, message
from web.limits import address_of
from web.spots import identifier

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]

TRY_AGAIN_SECONDS = 60
RECONNECT = 4_000
"""Milliseconds after which a browser comes back; as many again are added at random, so that
not everybody comes at once when the server was started anew."""
_NAME = re.compile(r"[0-9]{1,9}-[0-9]{1,9}")
_COUNT = re.compile(r"[0-9]{1,9}")
HEADERS = [
    (b"content-type", b"text/event-stream"),
    (b"cache-control", b"no-store"),
    (b"vary", b"Accept, Cookie"),
    # nginx would hold events back until it has a bufferful.
    (b"x-accel-buffering", b"no"),
]


def wants_events(scope: Scope) -> bool:
    """Whether a request asks for the stream: a thread called "Events" has a page there too."""
    accept = b",".join(value for name, value in scope["headers"] if name == b"accept").strip()
    return b"text/event-stream" in accept.lower() or accept in {b"", b"*/*"}


class EventRoute(Route):
    """A route that is there only for those that ask for an event stream."""

    def matches(self, scope: Scope) -> tuple[Match, Any]:
        if scope["type"] == "http" and not wants_events(scope):
            return Match.NONE, {}
        return super().matches(scope)


def is_behind(request: Request, replies: int, name: str) -> bool:
    """Whether the page was shown before what stands now.

    A browser that comes back says in `Last-Event-ID` what it was told last; one that comes
    for the first time, in the address, how many replies its page has.
    """
    last = request.headers.get("last-event-id", "")
    if _NAME.fullmatch(last):
        return last != name
    shown = request.query_params.get("replies", "")
    return _COUNT.fullmatch(shown) is not None and int(shown) != replies


async def events(scope: Scope, receive: Receive, send: Send) -> None:
    """`/p/{number}/events`: stays open, and nothing runs for it but the hub."""
    hub: Hub = scope["app"].state.live
    stream = Stream(send)
    try:
        refusal = await _open(hub, stream, Request(scope))
        if refusal is not None:
            await refusal(scope, receive, send)
            return
        # The hub sends; what remains to be waited for is that the reader goes.
        while (await receive())["type"] != "http.disconnect":
            pass
    except asyncio.CancelledError:
        # Either the hub has let go of a reader that takes nothing, or the server stops us.
        task = asyncio.current_task()
        if not stream.ended or task is None:
            raise
        task.uncancel()
    finally:
        hub.leave(stream)


async def _open(hub: Hub, stream: Stream, request: Request) -> Response | None:
    """Let a reader in and send what comes first, or answer with a refusal.

    The place is taken before the thread is looked at: what is committed from then on is told.
    """
    instance: Instance = request.app.state.instance
    number = identifier(request.path_params["number"])
    if number is None:
        raise NotFound
    async with instance.reading() as session:
        token = sessions.token_of(request, instance.settings)
        signed = await sign_in.signed_in(session, instance, token) if token else None
    if token is not None and signed is not None:
        stream.session = token_hash(token)
    reader = f"member {signed.member.id}" if signed else _address(request)
    if status := hub.full(reader):
        return _refusal(status)
    hub.enter(stream, reader)
    async with instance.reading() as session:
        viewer = Viewer(signed.member if signed else None)
        stream.thread = await live.watched(session, viewer, number)
        figures = (await live.figures(session, {stream.thread}))[stream.thread]
        name = figures.name(member=stream.member)
        first = f"retry: {RECONNECT + instance.randomness.bits(12)}\nid: {name}\n\n".encode()
        if is_behind(request, figures.replies(member=stream.member), name):
            newest = (await live.newest(session, {stream.thread}))[stream.thread]
            first += message(figures, newest, member=stream.member)
    if stream.ended:
        return _refusal(503)
    only_asked = request.method == "HEAD"
    await stream.send({"type": "http.response.start", "status": 200, "headers": list(HEADERS)})
    await stream.send({"type": "http.response.body", "body": first, "more_body": not only_asked})
    if not only_asked:
        hub.opened(stream, name)
    return None


def _address(request: Request) -> str:
    """Whom a visitor's stream counts for: nobody when it comes from this machine itself.

    That is a proxy which we were not told to believe, and everybody would share one limit.
    """
    address = address_of(request)
    return "" if address.startswith("127.") or address == "::/64" else address


def _refusal(status: int) -> Response:
    sentence = "No more pages can be kept up to date at the moment; reloading works.\n"
    headers = {"Retry-After": str(TRY_AGAIN_SECONDS), "Cache-Control": "no-store"}
    return Response(sentence, status, headers, "text/plain")


class _Door:
    """Takes the request as it comes from the server: a response object would buffer it."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await events(scope, receive, send)


routes = [EventRoute("/p/{number}/events", _Door(), methods=["GET"])]
