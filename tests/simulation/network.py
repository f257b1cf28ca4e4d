# SPDX-License-Identifier: Apache-2.0
"""A network in one process that loses, delays, repeats and cuts."""

import asyncio
import random
from collections.abc import Mapping
from contextvars import Context
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import unquote, urlsplit

import aiohttp
import orjson

from tests.simulation.virtual_time import VirtualLoop, shown


@dataclass(frozen=True)
class Asked:
    """A request on its way: who asks whom for what."""

    number: int
    source: str
    target: str
    method: str
    path: str
    query: str
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes

    @property
    def about(self) -> str:
        """What the trace says of it."""
        if self.method != "POST":
            return f"{self.method} {self.path}" + (f"?{self.query}" if self.query else "")
        document = orjson.loads(self.body)
        return f"POST {self.path} {document.get('type')} {document.get('id')}"


@dataclass(frozen=True)
class Answered:
    """What came back."""

    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes


class Host(Protocol):
    """A machine on the network."""

    host: str
    alive: bool

    def serve(self, asked: Asked) -> "asyncio.Future[Answered | None]": ...


class Caller(Protocol):
    """Who asks; told before anything is sent, and may refuse."""

    host: str

    def calls(self, target: str) -> None: ...


@dataclass
class Weather:
    """How bad it is: chances per request, delays in seconds."""

    lost: float = 0.0
    reply_lost: float = 0.0
    repeated: float = 0.0
    most_repeats: int = 1
    # (shortest, longest) one way.
    delay: tuple[float, float] = (0.005, 0.05)
    # A repeat comes this much later at most.
    repeat_within: float = 60.0
    # host -> seconds it takes for each answer; None: it never answers.
    slow: dict[str, float | None] = field(default_factory=dict)


class Network:
    """Carries requests between the hosts under the weather of the moment."""

    def __init__(self, loop: VirtualLoop, seed: int) -> None:
        self._loop = loop
        self._random = random.Random(seed)
        self.hosts: dict[str, Host] = {}
        self.weather = Weather()
        self.cuts: set[frozenset[str]] = set()
        self.trace: list[str] = []
        self.asked: list[Asked] = []
        self.accepted: list[tuple[Asked, Answered]] = []
        # The host whose traffic is kept word for word, and that traffic.
        self.tapped = ""
        self.heard = bytearray()
        self.in_flight: dict[tuple[str, str], int] = {}
        self.most_in_flight = 0
        self._flights: set[asyncio.Task[None]] = set()

    def note(self, what: str) -> None:
        """Add a line to the trace."""
        self.trace.append(f"{shown(self._loop.time())} {what}")

    def cut(self, one: str, other: str) -> None:
        self.cuts.add(frozenset((one, other)))
        self.note(f"cut {one} {other}")

    @property
    def is_fair(self) -> bool:
        """Whether whatever is asked of a host that is up is answered."""
        weather = self.weather
        losses = weather.lost or weather.reply_lost or weather.slow or self.cuts
        return not losses and all(host.alive for host in self.hosts.values())

    def heal(self) -> None:
        """Fair weather, and every line whole again."""
        self.cuts.clear()
        self.weather = Weather()
        self._loop.calm_down()
        self.note("healed")

    async def carry(
        self, source: Caller, method: str, url: str, headers: Mapping[str, str], body: bytes
    ) -> Answered:
        """Ask, and wait for what comes back; raises what a client library would."""
        parts = urlsplit(url)
        named = {"Host": parts.netloc, **headers}
        raw = [(name.lower().encode(), value.encode()) for name, value in named.items()]
        if method == "POST":
            raw.append((b"content-length", str(len(body)).encode()))
        asked = Asked(
            len(self.asked), source.host, parts.netloc, method, parts.path, parts.query,
            tuple(raw), body,
        )  # fmt: skip
        source.calls(asked.target)
        self.asked.append(asked)
        reply: asyncio.Future[Answered] = self._loop.create_future()
        # Its own task, outside of any machine: what is sent arrives though its sender dies.
        flight = self._loop.create_task(self._fly(asked, reply), name="flight", context=Context())
        self._flights.add(flight)
        flight.add_done_callback(self._flights.discard)
        pair = (asked.source, asked.target)
        if method == "POST":
            self.in_flight[pair] = self.in_flight.get(pair, 0) + 1
            self.most_in_flight = max(self.most_in_flight, self.in_flight[pair])
        try:
            return await reply
        finally:
            if method == "POST":
                self.in_flight[pair] -= 1

    async def _fly(self, asked: Asked, reply: "asyncio.Future[Answered]") -> None:
        weather, chance = self.weather, self._random
        lost = chance.random() < weather.lost
        reply_lost = chance.random() < weather.reply_lost
        hangs = chance.random() < 0.5
        repeats = 0
        if asked.method == "POST" and chance.random() < weather.repeated:
            repeats = chance.randint(1, weather.most_repeats)
        for _ in range(repeats):
            late = chance.uniform(0.0, weather.repeat_within)
            self._loop.call_later(late, self._repeat, asked, context=Context())
        await self._travel(weather)
        problem = self._obstacle(asked, lost=lost)
        if problem is not None:
            self.note(f"{asked.source}→{asked.target} {asked.about} {problem}")
            self._fail(reply, hangs=hangs and problem != "refused", refused=problem == "refused")
            return
        answer = await self._deliver(asked)
        await self._travel(weather)
        if answer is None or reply_lost or self._is_cut(asked):
            self.note(f"{asked.source}→{asked.target} {asked.about} answer lost")
            self._fail(reply, hangs=hangs, refused=False)
            return
        self._loop.calm_down()
        if not reply.done():
            reply.set_result(answer)

    async def _travel(self, weather: Weather) -> None:
        self._loop.moving += 1
        try:
            await self._loop.pause(self._random.uniform(*weather.delay))
        finally:
            self._loop.moving -= 1

    def _is_cut(self, asked: Asked) -> bool:
        return frozenset((asked.source, asked.target)) in self.cuts

    def _obstacle(self, asked: Asked, *, lost: bool) -> str | None:
        target = self.hosts.get(asked.target)
        if self._is_cut(asked):
            return "cut"
        if lost:
            return "lost"
        if target is None or not target.alive:
            return "refused"
        return None

    @staticmethod
    def _fail(reply: "asyncio.Future[Answered]", *, hangs: bool, refused: bool) -> None:
        if hangs or reply.done():
            return
        reply.set_exception(
            ConnectionRefusedError("refused") if refused else aiohttp.ServerDisconnectedError()
        )
        # Whoever asked may be gone.
        reply.exception()

    async def _deliver(self, asked: Asked, *, again: bool = False) -> Answered | None:
        target = self.hosts[asked.target]
        pause = self.weather.slow.get(asked.target, 0.0)
        if pause is None:
            self.note(f"{asked.source}→{asked.target} {asked.about} hangs")
            return None
        if pause:
            await self._loop.pause(pause)
        self._loop.moving += 1
        try:
            answer = await target.serve(asked)
        finally:
            self._loop.moving -= 1
        status = answer.status if answer else "died"
        suffix = " (repeated)" if again else ""
        self.note(f"{asked.source}→{asked.target} {asked.about} {status}{suffix}")
        if self.tapped in (asked.source, asked.target):
            self.heard += asked.body + (answer.body if answer is not None else b"")
        if answer is not None and asked.method == "POST" and answer.status == 202:
            self.accepted.append((asked, answer))
        return answer

    def _repeat(self, asked: Asked) -> None:
        if self._obstacle(asked, lost=False) is None:
            flight = self._loop.create_task(self._again(asked), context=Context())
            self._flights.add(flight)
            flight.add_done_callback(self._flights.discard)

    async def _again(self, asked: Asked) -> None:
        await self._deliver(asked, again=True)


def scope_of(asked: Asked) -> dict[str, Any]:
    """The request as a server hands it to the application (ASGI 3.0)."""
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": asked.method,
        "scheme": "http",
        "path": unquote(asked.path),
        "raw_path": asked.path.encode(),
        "query_string": asked.query.encode(),
        "root_path": "",
        "headers": list(asked.headers),
        "client": ("192.0.2.1", 40_000),
        "server": (asked.target, 80),
    }
