# SPDX-License-Identifier: Apache-2.0
"""Streams for apps, as server-sent events or over a WebSocket."""

import asyncio
from typing import Any

import orjson
from starlette.requests import HTTPConnection, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from server.apps import scopes, tokens
from server.apps.tokens import Holder
from server.errors import NotFound, Refusal, TooFast, Unavailable
from server.instance import Instance
from server.rows import Member
from server.timelines import people
from server.viewers import Viewer
from web.api.calls import Forbidden, Unauthorized
from web.api.routes import CORS, bearer, refused
from web.api.streaming.channels import LIST, Channel
from web.api.streaming.events import Events
from web.api.streaming.hub import MOST_CHANNELS, Listener, Streams

BEAT = 20.0
LONGEST_MESSAGE = 4_096
BEGIN = "/api/v1/streaming"


def _token(connection: HTTPConnection) -> str:
    """The token of a stream: browsers cannot set headers of these, so it may stand elsewhere."""
    if (found := bearer(connection)) or (found := connection.query_params.get("access_token", "")):
        return found
    return connection.headers.get("sec-websocket-protocol", "").partition(",")[0].strip()


async def _listener(connection: HTTPConnection) -> tuple[Listener, Holder]:
    """A connection of whoever the token speaks for, not yet entered."""
    instance: Instance = connection.app.state.instance
    streams: Streams = connection.app.state.streams
    async with instance.reading() as session:
        holder = await tokens.holder(session, instance, _token(connection))
    if holder is None or holder.member is None:
        raise Unauthorized
    if status := streams.full(holder.member.id):
        raise TooFast(retry_after=60) if status == 429 else Unavailable
    return Listener(holder.token, holder.member), holder


async def _must_listen(instance: Instance, holder: Holder, channel: Channel | None) -> Channel:
    """The channel, if the token may listen to it."""
    if channel is None:
        raise NotFound
    if not scopes.covers(holder.scopes, channel.scope):
        raise Forbidden
    if channel.name == LIST and holder.member is not None:
        await _must_follow(instance, holder.member, channel.forum)
    return channel


async def _must_follow(instance: Instance, member: Member, forum: int) -> None:
    async with instance.reading() as session:
        if forum not in {one.id for one in await people.followed(session, Viewer(member))}:
            raise NotFound


async def events(request: Request) -> Response:
    """`/api/v1/streaming/{name}`: one channel, for as long as the app listens."""
    streams: Streams = request.app.state.streams
    given = request.query_params
    try:
        listener, holder = await _listener(request)
        name = request.path_params["name"].strip("/").replace("/", ":")
        channel = Channel.read(name, given.get("list", ""), given.get("tag", ""))
        found = await _must_listen(request.app.state.instance, holder, channel)
    except (Refusal, Unauthorized, Forbidden) as error:
        refusal = refused(error) or Response(status_code=500)
        refusal.headers.update(CORS)
        return refusal
    listener.channels[found] = None
    await streams.enter(listener)
    return Events(streams, listener, BEAT)


async def health(request: Request) -> Response:
    """Apps ask whether streams are there before they open one."""
    return PlainTextResponse("OK", headers=CORS)


async def socket(socket: WebSocket) -> None:
    """`/api/v1/streaming`: as many channels as the app asks for, over one connection."""
    instance: Instance = socket.app.state.instance
    if socket.headers.get("host", "").lower() != instance.settings.host:
        await socket.close(1008)
        return
    try:
        listener, holder = await _listener(socket)
        given = socket.query_params
        if name := given.get("stream", ""):
            channel = Channel.read(name, given.get("list", ""), given.get("tag", ""))
            listener.channels[await _must_listen(instance, holder, channel)] = None
    except (Refusal, Unauthorized, Forbidden):
        await socket.close(1008)
        return
    offered = socket.headers.get("sec-websocket-protocol", "").partition(",")[0].strip()
    await socket.accept(subprotocol=offered or None)
    streams: Streams = socket.app.state.streams
    await streams.enter(listener)
    hearing = asyncio.create_task(_hear(socket, instance, listener, holder))
    telling = asyncio.create_task(_tell(socket, listener))
    try:
        await asyncio.wait({hearing, telling}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        streams.leave(listener)
        hearing.cancel()
        telling.cancel()
        await asyncio.gather(hearing, telling, return_exceptions=True)


async def _tell(socket: WebSocket, listener: Listener) -> None:
    """Send what happens, until nothing more comes."""
    while (waiting := await listener.waiting.get()) is not None:
        channel, event, payload = waiting
        told = {"stream": channel.names, "event": event, "payload": payload}
        await socket.send_text(orjson.dumps(told).decode())
    await socket.close(1008)


async def _hear(socket: WebSocket, instance: Instance, listener: Listener, holder: Holder) -> None:
    """Listen to more channels, or to fewer, as the app says."""
    try:
        while True:
            said = await socket.receive_text()
            answer = await _change(instance, listener, holder, said)
            if answer:
                await socket.send_text(orjson.dumps(answer).decode())
    except (WebSocketDisconnect, KeyError):
        return


async def _change(
    instance: Instance, listener: Listener, holder: Holder, said: str
) -> dict[str, Any] | None:
    """What is answered to a message; None for one that was understood."""
    try:
        asked = orjson.loads(said) if len(said) <= LONGEST_MESSAGE else None
    except orjson.JSONDecodeError:
        asked = None
    if not isinstance(asked, dict):
        return {"error": "This is not a message.", "status": 400}
    words = {key: value for key, value in asked.items() if isinstance(value, str)}
    channel = Channel.read(words.get("stream", ""), words.get("list", ""), words.get("tag", ""))
    if words.get("type") == "unsubscribe" and channel is not None:
        listener.channels.pop(channel, None)
        return None
    if words.get("type") != "subscribe" or len(listener.channels) >= MOST_CHANNELS:
        return {"error": "This cannot be listened to.", "status": 400}
    try:
        listener.channels[await _must_listen(instance, holder, channel)] = None
    except (Refusal, Forbidden) as error:
        sentence = error.sentence if isinstance(error, Refusal) else (error.__doc__ or "")
        return {"error": sentence, "status": 403}
    return None


routes = [
    Route(f"{BEGIN}/health", health),
    Route(f"{BEGIN}/{{name:path}}", events),
]
sockets = [WebSocketRoute(BEGIN, socket), WebSocketRoute(f"{BEGIN}/", socket)]
