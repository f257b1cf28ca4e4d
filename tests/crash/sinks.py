# SPDX-License-Identifier: Apache-2.0
"""Many peers in one small program: they take what comes, and keep count."""

import asyncio
import contextlib
import json
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, Self

Wait = Callable[[str], Awaitable[None]]


class Sinks:
    """Virtual hosts behind one port, told apart by the Host header.

    `before` is awaited with the host before an activity is answered. `got` counts activities by
    host and id, `most` is the most a host had under way at once.
    """

    def __init__(self, hosts: list[str]) -> None:
        self.hosts = hosts
        self.port = 0
        self.got: dict[str, Counter[str]] = {host: Counter() for host in hosts}
        self.order: list[tuple[str, str]] = []
        self.under_way: Counter[str] = Counter()
        self.most: dict[str, int] = defaultdict(int)
        self.before: Wait | None = None
        self.changed = asyncio.Event()

    @classmethod
    @contextlib.asynccontextmanager
    async def listening(cls, hosts: list[str]) -> AsyncIterator[Self]:
        """Sinks that are there while the block runs."""
        sinks = cls(hosts)
        server = await asyncio.start_server(sinks._serve, "127.0.0.1", 0, backlog=512)
        sinks.port = int(server.sockets[0].getsockname()[1])
        try:
            yield sinks
        finally:
            server.close()
            # Whoever was accepted just now begins, and so closes its connection in the end.
            await asyncio.sleep(0)

    def resolve(self) -> dict[str, str]:
        """The hosts as the setting wants them."""
        return {host: f"127.0.0.1:{self.port}" for host in self.hosts}

    def missing(self, wanted: set[str]) -> int:
        """How many deliveries are still to come until every host has all of these ids."""
        return sum(len(wanted - got.keys()) for got in self.got.values())

    @property
    def repeats(self) -> int:
        """How many deliveries came more than once."""
        return sum(sum(got.values()) - len(got) for got in self.got.values())

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, OSError, asyncio.CancelledError):
            while await self._one(reader, writer):
                pass
        writer.close()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        first, *lines = head.split("\r\n")
        headers = {
            name.lower(): value.strip()
            for name, _, value in (line.partition(":") for line in lines)
        }
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        host = headers.get("host", "").partition(":")[0]
        status = "404 Not Found"
        if first.startswith("POST") and host in self.got:
            await self._take(host, json.loads(body))
            status = "202 Accepted"
        writer.write(f"HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n".encode())
        await writer.drain()
        return True

    async def _take(self, host: str, activity: dict[str, Any]) -> None:
        self.under_way[host] += 1
        self.most[host] = max(self.most[host], self.under_way[host])
        try:
            if self.before is not None:
                await self.before(host)
            self.took(host, activity)
        finally:
            self.under_way[host] -= 1

    def took(self, host: str, activity: dict[str, Any]) -> None:
        """Count what a host has, in the moment of its answer."""
        self.got[host][activity["id"]] += 1
        self.order.append((host, activity["id"]))
        self.changed.set()
