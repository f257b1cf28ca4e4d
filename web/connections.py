# SPDX-License-Identifier: Apache-2.0
"""Connections: answers go in one piece, and those that dawdle are let go."""

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from web.exchanges import Answered, AtHand, Exchange, Head, Joined, ShortWay, Whole, whole_answer

# While a request is being received, this much must come in each span of this many seconds.
SPAN = 10.0
LEAST_BYTES = 10_000
LARGEST_HEAD = 65_536
_ANSWERED = Answered()


class Connection(HttpToolsProtocol):
    """One client's connection; uvicorn itself waits for the rest of a request for ever."""

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._came = 0
        self._head: int | None = 0
        self._timer: asyncio.TimerHandle | None = None
        # Whether a request began in the bytes at hand and has not ended in them.
        self._begun = False
        # Whether one began in the bytes last received, and has perhaps ended in them.
        self._met = False
        self._way: ShortWay | None = getattr(self.config.app, "short_way", None)
        self._known: AtHand | None = getattr(self.config.app, "kept", None)
        if self.access_log or self.root_path or self.limit_concurrency is not None:
            # Uvicorn's own affairs, which the short ways know nothing of.
            self._way = self._known = None
        # Since when a client that went the short way has been quiet, and what looks after it.
        self._quiet: float | None = None
        self._quiet_timer: asyncio.TimerHandle | None = None
        # The body, where a request may yet turn out to have come whole, and what it is answered.
        self._parts: list[bytes] | None = None
        self._ready: tuple[Head, bytes] | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._expect()

    def connection_lost(self, exc: Exception | None) -> None:
        self._expect_nothing()
        if self._quiet_timer is not None:
            self._quiet_timer.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self._came += len(data)
        self._quiet = None
        if self._head is not None:
            self._head += len(data)
        self._met = False
        super().data_received(data)
        if self._parts is not None:
            self._go_the_usual_way(self._parts)
        if self._head is not None and self._head > LARGEST_HEAD:
            self.send_400_response("The head of the request is too large.")
        elif self._begun:
            self._expect()
        elif (
            not self._met
            and self._timer is None
            and (self.cycle is None or self.cycle.response_complete)
        ):
            # Bytes that begin no request, such as empty lines before one.
            self._expect()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._head = self._head or 0
        self._begun = self._met = True

    def on_headers_complete(self) -> None:
        self._head = None
        if self._is_short():
            self._parts = []
        else:
            self._begin()

    def _is_short(self) -> bool:
        """Whether this request goes a short way, should all of it be here."""
        method = self.parser.get_method()
        if method == b"POST":
            return (
                self._way is not None
                and self._way.takes(self.url, self.headers)
                and self._is_plain()
            )
        if method != b"GET" or self._known is None or not self._is_plain():
            return False
        self._ready = self._known.at_hand(self.url, self.headers)
        return self._ready is not None

    def _is_plain(self) -> bool:
        """Whether nothing but the answer is asked of us, and no other request waits for its own."""
        parser = self.parser
        return (
            (self.cycle is None or self.cycle.response_complete)
            and not self.expect_100_continue
            and not self.transport.is_closing()
            and not self.flow.write_paused
            and not parser.should_upgrade()
            and parser.should_keep_alive()
            and parser.get_http_version() == "1.1"
        )

    def _begin(self) -> None:
        """Have uvicorn begin with the request whose head has come."""
        before = self.cycle
        super().on_headers_complete()
        if self.cycle is not before:
            joined: Any = Joined(self.transport, self.loop)
            self.cycle.transport = joined
            # Uvicorn makes them of its own class; nothing has been done with it yet.
            self.cycle.__class__ = Exchange

    def _go_the_usual_way(self, parts: list[bytes]) -> None:
        """More is to come of a request: uvicorn receives the rest."""
        self._parts = self._ready = None
        if not self.transport.is_closing():
            self._begin()
            for part in parts:
                super().on_body(part)

    def on_body(self, body: bytes) -> None:
        if self._parts is None:
            super().on_body(body)
        else:
            self._parts.append(body)

    def on_message_complete(self) -> None:
        if self._parts is None or self._way is None:
            super().on_message_complete()
        elif self._ready is not None:
            self._answer_at_once(self._ready)
        else:
            self._go_the_short_way(self._way, b"".join(self._parts))
        self._head = 0
        self._begun = False
        self._expect_nothing()

    def _go_the_short_way(self, way: ShortWay, body: bytes) -> None:
        self._parts = None
        common = self.server_state.default_headers
        whole = Whole(self.transport, common, self._answered)
        # All that uvicorn asks of one whose request has come.
        self.cycle = whole  # type: ignore[assignment]
        task = self.loop.create_task(whole.run(way, self.url, self.headers, body))
        task.add_done_callback(self.tasks.discard)
        self.tasks.add(task)

    def _answer_at_once(self, ready: tuple[Head, bytes]) -> None:
        self._parts = self._ready = None
        self.cycle = _ANSWERED  # type: ignore[assignment]
        self.transport.write(whole_answer(self.server_state.default_headers, *ready))
        self._answered()

    def _answered(self) -> None:
        """As uvicorn has it, but that a timer is not set and taken back with every answer."""
        if self.pipeline or self.transport.is_closing():
            self.on_response_complete()
            return
        self.server_state.total_requests += 1
        self._quiet = self.loop.time()
        if self._quiet_timer is None:
            self._look_again(self.timeout_keep_alive)

    def _look_again(self, seconds: float) -> None:
        self._quiet_timer = self.loop.call_later(seconds, self._look_for_quiet)

    def _look_for_quiet(self) -> None:
        """Close what was quiet for too long since the last answer by a short way."""
        self._quiet_timer = None
        if self._quiet is not None:
            left = self._quiet + self.timeout_keep_alive - self.loop.time()
            if left > 0:
                self._look_again(left)
            else:
                self.timeout_keep_alive_handler()

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
