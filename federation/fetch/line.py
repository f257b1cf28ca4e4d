# SPDX-License-Identifier: Apache-2.0
"""One connection to another server: a request goes out, its answer comes in."""

import asyncio
from collections.abc import Callable
from typing import cast

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser
from multidict import CIMultiDict

ANSWER_BYTES = 8_192
# Of one answer, its head included; what is in the same segment still counts.
MOST_BYTES = 65_536


class Ended(Exception):
    """The connection was closed before an answer came."""


class NoHttp(Exception):
    """What came is not an answer of HTTP."""


class Late(Exception):
    """No answer came in time."""


class Answer:
    """What was answered so far: of the body the first ANSWER_BYTES, unless it is packed."""

    __slots__ = ("body", "lines", "status")

    def __init__(self) -> None:
        self.status = 0
        # Of most answers nobody reads more than the status.
        self.lines: list[tuple[bytes, bytes]] = []
        self.body = bytearray()

    @property
    def headers(self) -> CIMultiDict[str]:
        """What was sent several times under one name is one value with commas (RFC 9110, 5.3)."""
        made: CIMultiDict[str] = CIMultiDict()
        for name, value in self.lines:
            key, said = name.decode("latin-1"), value.decode("latin-1")
            made[key] = f"{made[key]}, {said}" if key in made else said
        return made


# Called once with what came of a request: its answer, or Ended, Late or NoHttp.
Answered = Callable[[Answer | Exception], None]


class Line(asyncio.Protocol):
    """An open connection, for one request after the other (RFC 9112, 9.3).

    The status is the receipt: a body that comes slowly or breaks off takes nothing away from it.
    A peer that says anything unasked, says too much or says it badly is not asked here again.
    """

    def __init__(self) -> None:
        self._parser = HttpResponseParser(self)
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._answered: Answered | None = None
        self._answer = Answer()
        self._size = 0
        self._keeps = False
        self.lost: asyncio.Future[None] = self._loop.create_future()
        # When it was last used, on the loop's clock.
        self.used = 0.0

    @property
    def is_reusable(self) -> bool:
        """Whether another request may follow on this connection."""
        return self._keeps and self._answered is None and not self.lost.done()

    async def ask(self, request: bytes, end: float) -> Answer:
        """Send a request and wait for its answer until `end` on the loop's clock.

        Raises Ended, Late or NoHttp.
        """
        waiting: asyncio.Future[Answer] = self._loop.create_future()

        def came(answer: Answer | Exception) -> None:
            if waiting.done():
                return
            if isinstance(answer, Answer):
                waiting.set_result(answer)
            else:
                waiting.set_exception(answer)

        self.send(request, came)
        timer = self._loop.call_at(end, self.late)
        try:
            return await waiting
        finally:
            timer.cancel()
            if self._answered is came:
                self._fail(Ended())

    def send(self, request: bytes, answered: Answered) -> None:
        """Send a request; `answered` is called when its answer came, or `late` was."""
        if self._transport is None or self.lost.done():
            answered(Ended())
            return
        self._answer, self._size, self._keeps = Answer(), 0, False
        self._answered = answered
        self._transport.write(request)

    def close(self) -> None:
        """End it; whatever still comes is not read."""
        self._keeps = False
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are not of asyncio's class, though they do the same.
        self._transport = cast(asyncio.Transport, transport)

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.lost.done():
            self.lost.set_result(None)
        if self._answer.status:
            self._finish(keeps=False)
        else:
            self._fail(Ended())

    def data_received(self, data: bytes) -> None:
        if self._answered is None:
            self.close()
            return
        try:
            self._parser.feed_data(data)
        except (HttpParserError, HttpParserUpgrade):
            self._broken()
            return
        self._size += len(data)
        if self._size > MOST_BYTES:
            self._broken()

    def on_message_begin(self) -> None:
        if self._answered is None:
            # A second answer, to nothing we asked.
            self._answer = Answer()
            self.close()

    def on_header(self, name: bytes, value: bytes) -> None:
        self._answer.lines.append((name, value))

    def on_headers_complete(self) -> None:
        status = self._parser.get_status_code()
        if status < 200:
            # Something for the time being (RFC 9110, 15.2): the answer is still to come.
            self._answer = Answer()
            return
        self._answer.status = status
        if self._answered is not None:
            self._keeps = self._parser.should_keep_alive()

    def on_body(self, body: bytes) -> None:
        kept = self._answer.body
        kept += body[: ANSWER_BYTES - len(kept)]
        if len(kept) >= ANSWER_BYTES:
            self._finish(keeps=False)

    def on_message_complete(self) -> None:
        if self._answer.status:
            self._finish(keeps=self._keeps)

    def _finish(self, *, keeps: bool) -> None:
        self._keeps = keeps and self._keeps
        self._tell(self._answer)

    def _fail(self, error: Ended | Late | NoHttp) -> None:
        self._keeps = False
        self._tell(error)

    def _tell(self, came: Answer | Exception) -> None:
        answered, self._answered = self._answered, None
        if answered is not None:
            answered(came)

    def _broken(self) -> None:
        """What came is no HTTP; if that is so of the body alone, the status still counts."""
        if self._answer.status:
            self._finish(keeps=False)
        else:
            self._fail(NoHttp())
        self.close()

    def late(self) -> None:
        """Wait no longer: what came so far is the answer, if it holds a status."""
        if self._answer.status:
            self._finish(keeps=False)
        else:
            self._fail(Late())
        self.close()
