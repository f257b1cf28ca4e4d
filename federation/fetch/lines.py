# SPDX-License-Identifier: Apache-2.0
"""Connections that deliveries go over, kept open between them."""

import asyncio
import resource
from dataclasses import dataclass, field
from functools import lru_cache

from aiohappyeyeballs import start_connection
from aiohttp.abc import AbstractResolver

from federation.errors import Unreachable, WireError
from federation.fetch.answers import Headers, Response
from federation.fetch.failures import no_http, too_late, translated, unreachable
from federation.fetch.line import Answer, Answered, Ended, Late, Line, NoHttp
from federation.fetch.names import Names
from federation.fetch.resolver import Named, guarded_socket, trust
from federation.fetch.rooms import Room
from federation.origins import HttpUrl

KEPT_SECONDS = 15.0
MOST_KEPT = 4_000
# A second address of a host is tried beside the first after so many seconds (RFC 8305, 5).
BESIDE_AFTER = 0.25
_OURS = frozenset({"host", "content-length", "content-type", "connection", "transfer-encoding"})
# How many lines a head has beside the headers that are given, its empty end included.
_BREAKS = 8


@dataclass(slots=True)
class _Place:
    """One origin: how many are asking there, and the connections nobody uses, newest last."""

    room: Room
    kept: list[Line] = field(default_factory=list)


class OpenLine:
    """A connection that stands open, taken for one request."""

    __slots__ = ("_answered", "_line", "_lines", "_place", "target")

    def __init__(self, lines: "Lines", target: HttpUrl, place: _Place, line: Line) -> None:
        self._lines, self._place, self._line = lines, place, line
        self._answered: Answered | None = None
        self.target = target

    def post(self, headers: Headers, content_type: str, body: bytes, answered: Answered) -> None:
        """Deliver; `answered` is called once, with the answer or with why there is none.

        How long is waited is for the caller to say, by `late`.
        """
        head = self._lines.head(self.target, headers, content_type, len(body))
        self._answered = answered
        self._line.send(head + body, self._came)

    def _came(self, came: Answer | Exception) -> None:
        self.let_go()
        if self._answered is not None:
            self._answered(came)

    def told(self, came: Answer | Exception, seconds: float) -> Response | WireError | None:
        """What came within so many seconds, as the door's `post` would have answered or raised it.

        None where the connection was closed as we wrote to it: one asks on a new one then.
        """
        if isinstance(came, Answer):
            return told(came, self.target)
        if isinstance(came, Ended):
            return None
        if isinstance(came, NoHttp):
            return no_http(self.target)
        return too_late(self.target, seconds)

    def let_go(self) -> None:
        """Others may have it, if it can still be used."""
        self._lines.put_back(self._place, self._line)
        self._place.room.leave()

    def late(self) -> None:
        """Wait no longer; whoever waits is told what came so far, or Late."""
        self._line.late()

    def close(self) -> None:
        """End it; whoever waits for an answer is told so."""
        self._line.close()


class Lines:
    """Sends bodies to other servers, at most `per_host` at once to each.

    Names lead only to where `look_up` says, and every socket is checked once more before it is
    connected; certificates are checked against the system's list or SSL_CERT_FILE. Redirects are
    not followed, and what is answered is read as far as `Line` says.
    """

    def __init__(
        self, named: Named, look_up: AbstractResolver, *, user_agent: str, per_host: int
    ) -> None:
        self._names = Names(look_up)
        self._socket = guarded_socket(named)
        self._per_host = per_host
        self._constant = f"User-Agent: {user_agent}\r\nAccept: */*\r\nAccept-Encoding: identity"
        self._places: dict[str, _Place] = {}
        self._open: set[Line] = set()
        self._kept, self._most_kept = 0, _room_for_kept()
        self._sweep: asyncio.TimerHandle | None = None
        self._is_closed = False

    async def post(
        self, target: HttpUrl, headers: Headers, content_type: str, body: bytes, end: float
    ) -> Response:
        """Deliver; the answer, whatever its status. Nothing is waited for beyond `end`.

        `end` is on the loop's clock. Raises Forbidden, Unreachable where no status came,
        BadAnswer where it was no HTTP, TimeoutError where nothing came in time.
        """
        request = self.head(target, headers, content_type, len(body)) + body
        place = self._places.get(target.origin)
        if place is None:
            place = self._places[target.origin] = _Place(Room(self._per_host))
        if not place.room.enter_at_once():
            async with asyncio.timeout_at(end):
                await place.room.enter()
        try:
            answer = await self._ask(target, place, request, end)
        finally:
            place.room.leave()
        return told(answer, target)

    def at_hand(self, target: HttpUrl) -> OpenLine | None:
        """A connection that stands open to an origin; None where one must be opened first."""
        place = self._places.get(target.origin)
        if place is None or not place.kept or not place.room.enter_at_once():
            return None
        line = self._take(place)
        if line is None:
            place.room.leave()
            return None
        return OpenLine(self, target, place, line)

    def head(self, target: HttpUrl, headers: Headers, content_type: str, length: int) -> bytes:
        """The head of a request; ValueError where a header holds a line break."""
        origin, url = target.origin, target.url
        host, path = origin[origin.index("//") + 2 :], url[len(origin) :]
        given = [f"{name}: {v}\r\n" for name, v in headers.items() if not _is_ours(name)]
        head = (
            f"POST {path} HTTP/1.1\r\nHost: {host}\r\n{self._constant}\r\n"
            f"Content-Type: {content_type}\r\nContent-Length: {length}\r\n"
            f"{''.join(given)}\r\n"
        )
        breaks = _BREAKS + len(given)
        if head.count("\n") != breaks or head.count("\r") != breaks:
            raise ValueError("A header of a request holds a line break.")
        return head.encode("latin-1")

    async def _ask(self, target: HttpUrl, place: _Place, request: bytes, end: float) -> Answer:
        # A kept connection that the peer closes as we write to it says nothing about the peer,
        # and receivers know an activity they have seen by its id: one new connection is tried.
        for line in (self._take(place), None):
            found = line or await self._connect(target, end)
            try:
                return await found.ask(request, end)
            except Ended:
                continue
            except Late:
                raise TimeoutError from None
            except NoHttp:
                raise no_http(target) from None
            finally:
                self.put_back(place, found)
        raise unreachable(target, "closed the connection without an answer.")

    def _take(self, place: _Place) -> Line | None:
        oldest = asyncio.get_running_loop().time() - KEPT_SECONDS
        while place.kept:
            line = place.kept.pop()
            self._kept -= 1
            if line.is_reusable and line.used > oldest:
                return line
            line.close()
        return None

    def put_back(self, place: _Place, line: Line) -> None:
        """Keep a connection for the next who asks there, if it can still be used."""
        if self._is_closed or not line.is_reusable or self._kept >= self._most_kept:
            line.close()
            return
        loop = asyncio.get_running_loop()
        line.used = loop.time()
        place.kept.append(line)
        self._kept += 1
        if self._sweep is None:
            self._sweep = loop.call_later(KEPT_SECONDS, self._tidy)

    def _tidy(self) -> None:
        """Close what nobody has used for long; origins of which nothing is left are forgotten."""
        loop = asyncio.get_running_loop()
        oldest = loop.time() - KEPT_SECONDS
        for origin, place in list(self._places.items()):
            used = [line for line in place.kept if line.is_reusable and line.used > oldest]
            for line in set(place.kept).difference(used):
                line.close()
            self._kept -= len(place.kept) - len(used)
            place.kept = used
            if not used and not place.room.taken:
                del self._places[origin]
        self._sweep = loop.call_later(KEPT_SECONDS, self._tidy) if self._places else None

    async def _connect(self, target: HttpUrl, end: float) -> Line:
        if self._is_closed:
            # Opened now it would be closed by nobody.
            raise Unreachable("We are stopping, and ask nobody any more.")
        with translated(target):
            async with asyncio.timeout_at(end):
                line = await self._opened(target)
        self._open.add(line)
        line.lost.add_done_callback(lambda _: self._open.discard(line))
        return line

    async def _opened(self, target: HttpUrl) -> Line:
        found = await start_connection(
            await self._names.addresses(target.host, target.port),
            happy_eyeballs_delay=BESIDE_AFTER,
            interleave=1,
            socket_factory=self._socket,
        )
        is_secure = target.scheme == "https"
        try:
            _, line = await asyncio.get_running_loop().create_connection(
                Line,
                sock=found,
                ssl=trust() if is_secure else None,
                server_hostname=target.host.rstrip(".") if is_secure else None,
            )
        except BaseException:
            found.close()
            raise
        return line

    async def close(self) -> None:
        """Close every connection; none is opened any more."""
        self._is_closed = True
        if self._sweep is not None:
            self._sweep.cancel()
        still = list(self._open)
        for line in still:
            line.close()
        await asyncio.gather(*(line.lost for line in still))
        await self._names.close()


@lru_cache(maxsize=64)
def _is_ours(name: str) -> bool:
    """Whether a header is for us to say, and not for who asks."""
    return name.lower() in _OURS


def told(answer: Answer, target: HttpUrl) -> Response:
    """An answer in full; of a packed one no body."""
    headers = answer.headers
    body = b"" if "Content-Encoding" in headers else bytes(answer.body)
    return Response(answer.status, target.url, headers, body)


def _room_for_kept() -> int:
    """How many may stand open unused: at most half of the files this process may open."""
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return MOST_KEPT if files == resource.RLIM_INFINITY else min(MOST_KEPT, files // 2)
