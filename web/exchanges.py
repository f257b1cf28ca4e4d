# SPDX-License-Identifier: Apache-2.0
"""Answers to requests, each on its way in one piece."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from functools import lru_cache
from typing import Any, NamedTuple, Protocol

from uvicorn.protocols.http.httptools_impl import (
    HEADER_RE,
    HEADER_VALUE_RE,
    STATUS_LINE,
    RequestResponseCycle,
)

log = logging.getLogger("uvicorn.error")
# Beyond this, copying costs more than a second call of the kernel.
MOST_JOINED = 65_536


class Joined:
    """A transport as one answer sees it: its head waits for the first of its body.

    Uvicorn writes the two one after the other, and each would be a packet of its own. A head
    whose body takes its time goes out alone in the next turn of the loop.
    """

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._head: bytes | None = None
        self._turn: asyncio.Handle | None = None
        self.is_closing = transport.is_closing

    def write(self, data: bytes) -> None:
        """Send it, the first time together with what comes next."""
        if self._head is not None:
            head = self._let_go()
            if len(data) <= MOST_JOINED:
                data = head + data
            else:
                self._transport.write(head)
            self._transport.write(data)
        elif self._turn is None:
            self._head = data
            self._turn = self._loop.call_soon(self._go_alone)
        else:
            self._transport.write(data)

    def _let_go(self) -> bytes:
        head, self._head = self._head or b"", None
        if self._turn is not None:
            self._turn.cancel()
        return head

    def _go_alone(self) -> None:
        if self._head is not None:
            self._transport.write(self._let_go())

    def write_whole(self, data: bytes) -> None:
        """Send an answer that is put together already."""
        self._transport.write(data)

    def close(self) -> None:
        """Send what is held, and close."""
        self._go_alone()
        self._transport.close()


Headers = list[tuple[bytes, bytes]]
Fixed = tuple[tuple[bytes, bytes], ...]
# The first line of an answer, its headers, and how long its body is.
Head = tuple[bytes, bytes, int]
# Where the start of an answer holds what `head_of` made of its headers.
HEAD = "guildhall.head"


def head_of(status: int, headers: Fixed) -> Head | None:
    """The first line, the headers, and how long the body will be; None where that is not told.

    Also None for headers that uvicorn would refuse, or that say how the connection goes on.
    """
    size, lines = None, [b""]
    for name, value in headers:
        name = name.lower()
        if HEADER_RE.search(name) or HEADER_VALUE_RE.search(value):
            return None
        if name in {b"connection", b"transfer-encoding"} or (name == b"content-length" and size):
            return None
        if name == b"content-length":
            size = int(value)
        lines.append(name + b": " + value)
    whole = b"\r\n".join(lines).removeprefix(b"\r\n") + b"\r\n\r\n"
    return None if not size else (STATUS_LINE[status], whole, size)


fixed_head = lru_cache(maxsize=256)(head_of)


class Exchange(RequestResponseCycle):
    """A request and its answer; one whose headers are known is put together in one step.

    Headers that never change come as a tuple, those of a page with the head made of them. Uvicorn
    would look at each of them anew in every answer, which takes as long as half the check of a
    signature.
    """

    _fixed: Head | None = None
    _held: Any = None

    async def send(self, message: MutableMapping[str, Any]) -> None:  # type: ignore[override]
        """Hold a head of that kind for its body; all else goes the usual way."""
        fixed, self._fixed = self._fixed, None
        # One that is begun anew instead, as after a fault, has nothing to do with what was held.
        if fixed is not None and message["type"] == "http.response.body":
            if self._is_the_whole(message, fixed[2]):
                self._send_whole(fixed, message["body"])
                return
            await super().send(self._held)
        elif not self.response_started and self._may_be_held(message):
            made: Head | None = message.get(HEAD)
            self._fixed = made or fixed_head(message["status"], tuple(message["headers"]))
            self._held = message
            if self._fixed is not None:
                return
        await super().send(message)  # type: ignore[arg-type]

    def _may_be_held(self, message: MutableMapping[str, Any]) -> bool:
        return (
            (message.get(HEAD) is not None or isinstance(message.get("headers"), tuple))
            and message["type"] == "http.response.start"
            and self.keep_alive
            and not self.access_log
            and self.scope["method"] != "HEAD"
        )

    def _is_the_whole(self, message: MutableMapping[str, Any], size: int) -> bool:
        return (
            message["type"] == "http.response.body"
            and not message.get("more_body", False)
            and len(message.get("body", b"")) == size
            and not self.flow.write_paused
            and not self.disconnected
        )

    def _send_whole(self, fixed: Head, body: bytes) -> None:
        self.response_started = self.response_complete = True
        self.waiting_for_100_continue = False
        first, head, _ = fixed
        now = [name + b": " + value + b"\r\n" for name, value in self.default_headers]
        joined: Any = self.transport
        joined.write_whole(b"".join([first, *now, head, body]))
        self.message_event.set()
        self.on_response()


class Ready(NamedTuple):
    """An answer: its head, as `head_of` makes it, its body, and what says if it is still right.

    None says so where it is known to be.
    """

    head: Head
    body: bytes
    is_right: Callable[[], Awaitable[bool]] | None = None


class AtHand(Protocol):
    """Has the answers to some GETs."""

    def at_hand(self, url: bytes, headers: Headers) -> Ready | None:
        """The answer to one; None for all that go the usual way."""
        ...


class ShortWay(Protocol):
    """Takes some requests that came whole by a few plain calls, without ASGI."""

    def takes(self, url: bytes, headers: Headers) -> bool:
        """Whether a POST with this target and these headers is one of them."""
        ...

    async def answer(self, url: bytes, headers: Headers, body: bytes) -> tuple[Head, bytes]:
        """The head, as `fixed_head` makes it, and the body."""
        ...


@lru_cache(maxsize=1)
def _lines(headers: Fixed) -> bytes:
    """Headers that all answers of one second have in common."""
    return b"".join([name + b": " + value + b"\r\n" for name, value in headers])


class _Unheard:
    """Stands for the event that somebody else would wait for."""

    @staticmethod
    def set() -> None:
        """Nobody waits."""


def put_together(common: Iterable[tuple[bytes, bytes]], head: Head, body: bytes) -> bytes:
    """An answer as it goes out; `common` is what all answers of this second say."""
    first, lines, _ = head
    return b"".join([first, _lines(tuple(common)), lines, body])


class Whole:
    """A request that came whole and its answer, as far as uvicorn asks after them."""

    message_event = _Unheard()

    def __init__(
        self,
        transport: asyncio.Transport,
        common: Iterable[tuple[bytes, bytes]],
        on_response: Callable[[], None],
    ) -> None:
        self._transport = transport
        self._common = common
        self._on_response = on_response
        self.keep_alive = True
        self.disconnected = False
        self.response_complete = False

    async def run(self, way: ShortWay, url: bytes, headers: Headers, body: bytes) -> None:
        """Have it answered; what goes wrong is told as uvicorn tells it."""
        try:
            head, said = await way.answer(url, headers, body)
        except BaseException as error:
            log.error("Exception in ASGI application\n", exc_info=error)
            head, said = _BROKEN, _WRONG
            self.keep_alive = False
        self.finish(head, said)

    def finish(self, head: Head, said: bytes) -> None:
        """Send the answer, to those who are still there."""
        if self.disconnected:
            return
        self.response_complete = True
        if not self.keep_alive:
            first, lines, size = head
            head = first, lines[:-2] + b"connection: close\r\n\r\n", size
        self._transport.write(put_together(self._common, head, said))
        if not self.keep_alive:
            self._transport.close()
        self._on_response()


class Answered:
    """A request that was answered as soon as it had come, as far as uvicorn asks after it."""

    message_event = _Unheard()
    response_complete = True


_WRONG = b"Internal Server Error"
_BROKEN: Head = (
    STATUS_LINE[500],
    b"content-type: text/plain; charset=utf-8\r\ncontent-length: 21\r\n\r\n",
    len(_WRONG),
)
