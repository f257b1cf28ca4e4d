# SPDX-License-Identifier: Apache-2.0
"""Connections: answers go in one piece, and those that dawdle are let go."""

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

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

    def close(self) -> None:
        """Send what is held, and close."""
        self._go_alone()
        self._transport.close()


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
