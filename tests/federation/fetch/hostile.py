# SPDX-License-Identifier: Apache-2.0
"""Scripted peers on loopback, down to the bytes."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
from aiohttp.abc import AbstractResolver, ResolveResult

from federation.fetch import Door

ACTIVITY = "application/activity+json"


@dataclass(frozen=True)
class Request:
    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes


Script = Callable[[asyncio.StreamWriter], Awaitable[None]]


@dataclass
class Peer:
    """A server that sends exactly the bytes, or plays the script, kept for each target.

    A canary is one without routes: what counts is that it sees no connection.
    """

    routes: dict[str, bytes | Script] = field(default_factory=dict)
    requests: list[Request] = field(default_factory=list)
    connections: int = 0
    port: int = 0
    writers: list[asyncio.StreamWriter] = field(default_factory=list)
    tasks: list[asyncio.Task[None]] = field(default_factory=list)

    def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.writers.append(writer)
        self.tasks.append(asyncio.create_task(self.play(reader, writer)))

    async def play(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        ended = (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError)
        with contextlib.suppress(*ended):
            while True:
                request = await _request(reader)
                self.requests.append(request)
                reply = self.routes.get(request.target, answer(b"", status=404))
                if isinstance(reply, bytes):
                    writer.write(reply)
                else:
                    await reply(writer)
                await writer.drain()
        writer.close()


async def _request(reader: asyncio.StreamReader) -> Request:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    method, target, _ = head[0].split(" ")
    headers = {n.lower(): v for n, _, v in (line.partition(": ") for line in head[1:] if line)}
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    return Request(method, target, headers, body)


@contextlib.asynccontextmanager
async def listening(
    routes: Mapping[str, bytes | Script] | None = None, context: ssl.SSLContext | None = None
) -> AsyncIterator[Peer]:
    peer = Peer(dict(routes or {}))
    server = await asyncio.start_server(peer.serve, "127.0.0.1", 0, ssl=context)
    peer.port = server.sockets[0].getsockname()[1]
    try:
        yield peer
    finally:
        server.close()
        for writer in peer.writers:
            writer.transport.abort()
        for task in peer.tasks:
            task.cancel()
        await asyncio.gather(*peer.tasks)


def answer(body: bytes, *, status: int = 200, kind: str = ACTIVITY, **headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(body)}", f"Content-Type: {kind}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


def note(url: str) -> bytes:
    return orjson.dumps({"id": url, "type": "Note"})


def redirect(location: str) -> bytes:
    return answer(b"", status=302, Location=location)


class Zone(AbstractResolver):
    """Name servers of the test's own: host -> addresses, asked counting."""

    def __init__(self, hosts: Mapping[str, Sequence[str]]) -> None:
        self.hosts = hosts
        self.asked: list[str] = []

    async def resolve(self, host: str, port: int = 0, family: Any = 0) -> list[ResolveResult]:
        self.asked.append(host)
        if host not in self.hosts:
            raise OSError(f"{host} has no address")
        return [
            ResolveResult(hostname=host, host=one, port=port, family=family, proto=0, flags=0)
            for one in self.hosts[host]
        ]

    async def close(self) -> None:
        pass


def read(raw: bytes) -> dict[str, Any]:
    data = orjson.loads(raw)
    if not isinstance(data, dict):
        raise ValueError("not an object")
    return data


def door_to(peers: Mapping[str, Peer], zone: Mapping[str, Sequence[str]] | None = None) -> Door:
    """Make a door that reaches the named peers over loopback, and all else through the zone."""
    resolve: dict[str, tuple[str, int | None]] = {
        host: ("127.0.0.1", peer.port) for host, peer in peers.items()
    }
    return Door(
        resolve=resolve,
        user_agent="Guildhall test",
        parse=read,
        look_up=Zone(zone or {}),
    )
