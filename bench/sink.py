# SPDX-License-Identifier: Apache-2.0
"""Every other server there is, on one port: takes deliveries, shows actors."""

import asyncio
import json
import sys
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import cast

import uvloop

SAMPLED_EVERY = 97
ACCEPTED = b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n"
ACTIVITY = "application/activity+json"
AS = "https://www.w3.org/ns/activitystreams"


@dataclass
class Arrivals:
    """What came to inboxes: how many requests, how many different ones, from when to when."""

    count: int = 0
    distinct: int = 0
    hosts: int = 0
    first: float = 0.0
    last: float = 0.0
    samples: list[str] = field(default_factory=list)


class Sink:
    """Shared by all connections."""

    def __init__(self, key: str) -> None:
        self.key = key
        self.arrivals = Arrivals()
        self._seen: set[tuple[bytes, bytes]] = set()
        self._hosts: set[bytes] = set()

    def posted(self, head: bytes, body: bytes) -> bytes:
        """Count a delivery; the same body to the same host twice is not another one."""
        found = self.arrivals
        found.last = time.time()
        found.first = found.first or found.last
        host = header(head, b"host")
        self._hosts.add(host)
        self._seen.add((host, header(head, b"digest") or header(head, b"content-digest")))
        found.count, found.distinct, found.hosts = (
            found.count + 1,
            len(self._seen),
            len(self._hosts),
        )
        if found.count % SAMPLED_EVERY == 1:
            found.samples.append((head + b"\r\n\r\n" + body).decode("latin-1"))
        return ACCEPTED

    def got(self, head: bytes) -> bytes:
        """An actor of any host, NodeInfo of any host, or what arrived."""
        target = head.split(b" ", 2)[1].decode()
        host = header(head, b"host").decode()
        if target == "/-/arrivals":
            return _json(asdict(self.arrivals))
        if target == "/-/forget":
            self.arrivals, self._seen, self._hosts = Arrivals(), set(), set()
            return _json({})
        if target.startswith("/u/"):
            return _json(self._actor(f"http://{host}{target}"), ACTIVITY)
        if target == "/.well-known/nodeinfo":
            link = {"rel": "http://nodeinfo.diaspora.software/ns/schema/2.1"}
            return _json({"links": [link | {"href": f"http://{host}/nodeinfo/2.1"}]})
        if target == "/nodeinfo/2.1":
            return _json({"version": "2.1", "software": {"name": "piefed", "version": "1"}})
        return b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"

    def _actor(self, uri: str) -> dict[str, object]:
        return {
            "@context": [AS, "https://w3id.org/security/v1"],
            "id": uri,
            "type": "Person",
            "preferredUsername": uri.rpartition("/")[2],
            "name": uri.rpartition("/")[2].title(),
            "inbox": f"{uri}/inbox",
            "outbox": f"{uri}/outbox",
            "followers": f"{uri}/followers",
            "publicKey": {"id": f"{uri}#main-key", "owner": uri, "publicKeyPem": self.key},
        }


class Caller(asyncio.Protocol):
    """One connection."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._buffer = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are not of asyncio's class, though they do the same.
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        assert self._transport is not None
        while (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            head = self._buffer[:end]
            size = int(header(head, b"content-length") or 0)
            if len(self._buffer) < end + 4 + size:
                return
            body = self._buffer[end + 4 : end + 4 + size]
            self._buffer = self._buffer[end + 4 + size :]
            is_post = head.startswith(b"POST")
            self._transport.write(
                self._sink.posted(head, body) if is_post else self._sink.got(head)
            )


def header(head: bytes, name: bytes) -> bytes:
    """The value of a header, b"" without it."""
    at = head.lower().find(b"\r\n" + name + b":")
    if at < 0:
        return b""
    end = head.find(b"\r\n", at + 2)
    return head[at + len(name) + 3 : end if end > 0 else None].strip()


def _json(document: dict[str, object], kind: str = "application/json") -> bytes:
    body = json.dumps(document).encode()
    head = f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


async def _serve(port: int, key: str) -> None:
    sink = Sink(key)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Caller(sink), "127.0.0.1", port, backlog=4096)
    await server.serve_forever()


def main() -> None:
    """`python -m bench.sink PORT FILE`; the file holds the public key of every actor."""
    uvloop.run(_serve(int(sys.argv[1]), Path(sys.argv[2]).read_text(encoding="ascii")))


if __name__ == "__main__":
    main()
