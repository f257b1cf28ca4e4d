# SPDX-License-Identifier: Apache-2.0
"""The load generator: requests made beforehand, sent on kept connections."""

import asyncio
import json
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import uvloop

WITHOUT_BODY = frozenset({b"204", b"304"})


@dataclass(frozen=True)
class Job:
    """What to send: `count` requests, from the list again when it ends, at most `seconds` long.

    `while_there` names a file: when it is gone, no more is sent.
    """

    ports: Sequence[int]
    connections: int
    count: int
    seconds: float
    pause: float = 0.0
    while_there: str = ""


class Load:
    """All connections of one job, and what came of it."""

    def __init__(self, job: Job, requests: Sequence[bytes]) -> None:
        self.job = job
        self.requests = requests
        self.sent = 0
        self.taken: list[float] = []
        self.statuses: Counter[str] = Counter()
        self.bytes = 0
        self.broken = 0
        self.ends = 0.0

    def next(self) -> bytes | None:
        """The next request, or None when it is enough."""
        if self.sent >= self.job.count or time.perf_counter() > self.ends:
            return None
        if self.job.while_there and not Path(self.job.while_there).exists():
            return None
        self.sent += 1
        return self.requests[(self.sent - 1) % len(self.requests)]

    async def run(self) -> dict[str, object]:
        """Send everything; answers what happened, times in milliseconds."""
        loop = asyncio.get_running_loop()
        begun = time.perf_counter()
        self.ends = begun + self.job.seconds
        ports = self.job.ports
        channels = [
            Channel(self, loop, ports[number % len(ports)])
            for number in range(self.job.connections)
        ]
        await asyncio.gather(*(channel.run() for channel in channels))
        wall = time.perf_counter() - begun
        times = sorted(self.taken) or [0.0]
        return {
            "done": len(self.taken),
            "seconds": wall,
            "p50_ms": times[len(times) // 2] * 1e3,
            "p95_ms": times[int(len(times) * 0.95)] * 1e3,
            "statuses": dict(self.statuses),
            "bytes": self.bytes,
            "broken": self.broken,
            "own_cpu": time.process_time(),
        }


class Channel(asyncio.Protocol):
    """One connection: the next request goes out when the answer to the last is whole."""

    def __init__(self, load: Load, loop: asyncio.AbstractEventLoop, port: int) -> None:
        self._load = load
        self._loop = loop
        self._port = port
        self._ended: asyncio.Future[None] = loop.create_future()
        self._buffer = b""
        self._asked = 0.0
        self._waiting = False
        self._transport: asyncio.Transport | None = None

    async def run(self) -> None:
        """Connect, send until it is enough, connect again where the server hung up."""
        while True:
            self._ended, self._buffer = self._loop.create_future(), b""
            await self._loop.create_connection(lambda: self, "127.0.0.1", self._port)
            await self._ended
            if not self._waiting:
                return
            self._waiting = False
            self._load.broken += 1

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are not of asyncio's class, though they do the same.
        self._transport = cast(asyncio.Transport, transport)
        self._ask()

    def _ask(self) -> None:
        request = self._load.next()
        assert self._transport is not None
        if request is None:
            self._transport.close()
            return
        self._waiting, self._asked = True, time.perf_counter()
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            return
        head = self._buffer[:end].lower()
        size = _size(head, self._buffer, end + 4)
        if size is None or len(self._buffer) < size:
            return
        self._load.taken.append(time.perf_counter() - self._asked)
        self._load.statuses[head[9:12].decode()] += 1
        self._load.bytes += size
        self._waiting, self._buffer = False, b""
        if self._load.job.pause:
            self._loop.call_later(self._load.job.pause, self._ask)
        else:
            self._ask()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self._ended.done():
            self._ended.set_result(None)


def _size(head: bytes, buffer: bytes, start: int) -> int | None:
    """How many bytes the whole answer has; None while that cannot be known."""
    at = head.find(b"\r\ncontent-length:")
    if at >= 0:
        stop = head.find(b"\r\n", at + 2)
        return start + int(head[at + 17 : stop if stop > 0 else None])
    if head[9:12] in WITHOUT_BODY:
        return start
    if b"transfer-encoding: chunked" in head:
        return len(buffer) if buffer.endswith(b"0\r\n\r\n") else None
    raise ValueError("an answer of unknown length")


def write(requests: Sequence[bytes], path: Path) -> None:
    """Keep requests in a file, each with its length before it."""
    with path.open("wb") as file:
        for request in requests:
            file.write(len(request).to_bytes(4, "big") + request)


def read(path: Path) -> list[bytes]:
    """What `write` kept."""
    whole, at, found = path.read_bytes(), 0, []
    while at < len(whole):
        size = int.from_bytes(whole[at : at + 4], "big")
        found.append(whole[at + 4 : at + 4 + size])
        at += 4 + size
    return found


def main() -> None:
    """`python -m bench.load FILE JOB`, the job as JSON; prints one JSON object."""
    requests = read(Path(sys.argv[1]))
    job = Job(**json.loads(sys.argv[2]))
    print(json.dumps(uvloop.run(Load(job, requests).run())))


if __name__ == "__main__":
    main()
