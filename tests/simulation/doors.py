# SPDX-License-Identifier: Apache-2.0
"""What an instance's door takes for its session and its connections."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

import aiohttp
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from federation.errors import Unreachable
from federation.fetch import line
from tests.simulation.network import Answered, Caller, Network


class _Body:
    def __init__(self, body: bytes) -> None:
        self._body = body

    async def iter_any(self) -> Any:
        if self._body:
            yield self._body


class Answer:
    """What the door takes for an answer of its client library."""

    def __init__(self, answered: Answered) -> None:
        self.status = answered.status
        headers: CIMultiDict[str] = CIMultiDict()
        for name, value in answered.headers:
            headers.add(name.decode("latin-1"), value.decode("latin-1"))
        self.headers = CIMultiDictProxy(headers)
        self.content = _Body(answered.body)
        self.content_length = len(answered.body)

    def close(self) -> None:
        """Nothing is held."""


class _Getting:
    """`async with session.get(…)`."""

    def __init__(self, ask: Callable[[], Any]) -> None:
        self._ask = ask

    async def __aenter__(self) -> Answer:
        return Answer(await self._ask())

    async def __aexit__(self, *_: object) -> None:
        return None


class Session:
    """What the door takes for its client session: leads into the network."""

    def __init__(self, network: Network, source: Caller) -> None:
        self._network = network
        self._source = source

    def request(
        self, method: str, url: URL, *, headers: Mapping[str, str], allow_redirects: bool
    ) -> _Getting:
        return _Getting(lambda: self._network.carry(self._source, method, str(url), headers, b""))

    async def close(self) -> None:
        """Nothing is open."""


class Line:
    """What the door takes for a connection that deliveries go over: leads into the network."""

    def __init__(self, network: Network, source: Caller) -> None:
        self._network = network
        self._source = source
        self._asking: asyncio.Task[None] | None = None
        # Why it is ended while somebody waits; a crash of its owner is told to nobody.
        self._ends: Exception | None = None
        self._is_closed = False
        self.used = 0.0

    @property
    def is_reusable(self) -> bool:
        """Whether it stands open and nobody waits for an answer."""
        return not self._is_closed and self._asking is None

    def send(self, request: bytes, answered: line.Answered) -> None:
        """Carry a request, and tell what came of it."""
        self._asking = asyncio.get_running_loop().create_task(self._tell(request, answered))

    async def _tell(self, request: bytes, answered: line.Answered) -> None:
        came: line.Answer | Exception
        try:
            came = await self._carried(request)
        except asyncio.CancelledError:
            if self._ends is None:
                raise
            came, self._is_closed = self._ends, True
        except (line.Ended, Unreachable):
            # On a connection that stood open nobody can tell the one from the other.
            came, self._is_closed = line.Ended(), True
        self._asking = None
        answered(came)

    def late(self) -> None:
        """Nobody waits any longer."""
        self._end(line.Late())

    def close(self) -> None:
        """It leads nowhere any more."""
        self._is_closed = True
        self._end(line.Ended())

    def _end(self, why: Exception) -> None:
        if self._asking is not None:
            self._ends = why
            self._asking.cancel()

    async def ask(self, request: bytes, end: float) -> line.Answer:
        """Carry a request, and wait for what comes of it until `end`."""
        try:
            async with asyncio.timeout_at(end):
                return await self._carried(request)
        except TimeoutError:
            self._is_closed = True
            raise line.Late from None
        except BaseException:
            self._is_closed = True
            raise

    async def _carried(self, request: bytes) -> line.Answer:
        head, _, body = request.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        method, path, _ = first.split(" ")
        headers = dict(one.split(": ", 1) for one in lines)
        # The network counts for itself.
        del headers["Content-Length"]
        url = f"http://{headers['Host']}{path}"
        try:
            answered = await self._network.carry(self._source, method, url, headers, body)
        except aiohttp.ServerDisconnectedError:
            raise line.Ended from None
        except ConnectionError:
            raise Unreachable(f"{headers['Host']} could not be reached.") from None
        answer = line.Answer()
        answer.status, answer.body = answered.status, bytearray(answered.body)
        answer.lines = list(answered.headers)
        return answer
