# SPDX-License-Identifier: Apache-2.0
"""Connections: answers go in one piece, and those that dawdle are let go."""

import asyncio
from collections.abc import MutableMapping
from functools import lru_cache
from typing import Any

from uvicorn.protocols.http.httptools_impl import (
    HEADER_RE,
    HEADER_VALUE_RE,
    STATUS_LINE,
    HttpToolsProtocol,
    RequestResponseCycle,
)

# While a request is being received, this much must come in each span of this many seconds.
SPAN = 10.0
LEAST_BYTES = 10_000
LARGEST_HEAD = 65_536
# Beyond this, copying costs more than a second call of the kernel.
MOST_JOINED = 65_536


class _Joined:
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


Fixed = tuple[tuple[bytes, bytes], ...]


@lru_cache(maxsize=256)
def _fixed_head(status: int, headers: Fixed) -> tuple[bytes, bytes, int] | None:
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


class Exchange(RequestResponseCycle):
    """A request and its answer; one whose headers never change is put together in one step.

    Such headers come as a tuple. Uvicorn would look at each of them anew in every answer, which
    takes as long as half the check of a signature.
    """

    _fixed: tuple[bytes, bytes, int] | None = None
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
            self._fixed, self._held = _fixed_head(message["status"], message["headers"]), message
            if self._fixed is not None:
                return
        await super().send(message)  # type: ignore[arg-type]

    def _may_be_held(self, message: MutableMapping[str, Any]) -> bool:
        return (
            isinstance(message.get("headers"), tuple)
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

    def _send_whole(self, fixed: tuple[bytes, bytes, int], body: bytes) -> None:
        self.response_started = self.response_complete = True
        self.waiting_for_100_continue = False
        first, head, _ = fixed
        now = [name + b": " + value + b"\r\n" for name, value in self.default_headers]
        joined: Any = self.transport
        joined.write_whole(b"".join([first, *now, head, body]))
        self.message_event.set()
        self.on_response()


class Connection(HttpToolsProtocol):
    """One client's connection; uvicorn itself waits for the rest of a request for ever."""

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._came = 0
        self._head: int | None = 0
        self._timer: asyncio.TimerHandle | None = None
        # Whether a request began in the bytes at hand and has not ended in them.
        self._begun = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._expect()

    def connection_lost(self, exc: Exception | None) -> None:
        self._expect_nothing()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self._came += len(data)
        if self._head is not None:
            self._head += len(data)
        super().data_received(data)
        if self._head is not None and self._head > LARGEST_HEAD:
            self.send_400_response("The head of the request is too large.")
        elif self._begun:
            self._expect()
        elif self._timer is None and (self.cycle is None or self.cycle.response_complete):
            # Bytes that begin no request, such as empty lines before one.
            self._expect()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._head = self._head or 0
        self._begun = True

    def on_headers_complete(self) -> None:
        self._head = None
        before = self.cycle
        super().on_headers_complete()
        if self.cycle is not before:
            joined: Any = _Joined(self.transport, self.loop)
            self.cycle.transport = joined
            # Uvicorn makes them of its own class; nothing has been done with it yet.
            self.cycle.__class__ = Exchange

    def on_message_complete(self) -> None:
        super().on_message_complete()
        self._head = 0
        self._begun = False
        self._expect_nothing()

    def handle_websocket_upgrade(self) -> None:
        # From here on another protocol has the transport, with a beat of its own.
        self._begun = False
        self._expect_nothing()
        super().handle_websocket_upgrade()

    def _expect(self) -> None:
        self._expect_nothing()
        self._begun = False
        self._came = 0
        self._timer = self.loop.call_later(SPAN, self._look)

    def _expect_nothing(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look(self) -> None:
        """Close what brought too little; whom we make wait ourselves is not blamed for it."""
        if self._came < LEAST_BYTES and not self.flow.read_paused:
            self._timer = None
            self.transport.close()
        else:
            self._expect()
