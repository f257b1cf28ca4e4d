# SPDX-License-Identifier: Apache-2.0
"""Connections: answers go in one piece, and those that dawdle are let go."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from functools import partial
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from web.exchanges import (
    Answered,
    AtHand,
    Exchange,
    Joined,
    Ready,
    ShortWay,
    Whole,
    put_together,
)

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
        self._ready: Ready | None = None

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
        if self._ready is not None:
            self._answer_at_once(self._ready)
        elif self._parts is None or self._way is None:
            super().on_message_complete()
        else:
            self._go_the_short_way(self._way, b"".join(self._parts))
        self._head = 0
        self._begun = False
        self._expect_nothing()

    def _go_the_short_way(self, way: ShortWay, body: bytes) -> None:
        self._parts = None
        whole = self._whole()
        self._go_on(whole.run(way, self.url, self.headers, body))

    def _whole(self) -> Whole:
        """What stands for a request that has come: all that uvicorn asks of one."""
        whole = Whole(self.transport, self.server_state.default_headers, self._answered)
        self.cycle = whole  # type: ignore[assignment]
        return whole

    def _go_on(self, task: Coroutine[Any, Any, None]) -> None:
        begun = self.loop.create_task(task)
        begun.add_done_callback(self.tasks.discard)
        self.tasks.add(begun)

    def _answer_at_once(self, ready: Ready) -> None:
        self._parts = self._ready = None
        if ready.is_right is None:
            self.cycle = _ANSWERED  # type: ignore[assignment]
            common = self.server_state.default_headers
            self.transport.write(put_together(common, ready.head, ready.body))
            self._answered()
        else:
            # Of this request: the next may be read before it is answered.
            anew = partial(self._answer_anew, self.scope, self.url)
            self._go_on(self._answer_if_right(ready, self._whole(), anew))

    async def _answer_if_right(
        self, ready: Ready, whole: Whole, anew: Callable[[Whole], Awaitable[None]]
    ) -> None:
        right = False
        # What is wrong with the database is told by the usual way.
        with suppress(Exception):
            right = ready.is_right is None or await ready.is_right()
        if right:
            whole.finish(ready.head, ready.body)
        elif not whole.disconnected:
            await anew(whole)

    async def _answer_anew(self, scope: Any, url: bytes, whole: Whole) -> None:
        """Have the application answer a GET without a body, as uvicorn would have begun with it."""
        path, _, query = url.partition(b"?")
        scope |= {"method": "GET", "path": path.decode(), "raw_path": path, "query_string": query}
        joined: Any = Joined(self.transport, self.loop)
        cycle = Exchange(
            scope=scope,
            transport=joined,
            flow=self.flow,
            logger=self.logger,
            access_logger=self.access_logger,
            access_log=self.access_log,
            default_headers=self.server_state.default_headers,
            message_event=asyncio.Event(),
            expect_100_continue=False,
            keep_alive=whole.keep_alive,
            on_response=self.on_response_complete,
        )
        cycle.more_body = False
        cycle.message_event.set()
        if self.cycle is whole:  # type: ignore[comparison-overlap]
            self.cycle = cycle
        await cycle.run_asgi(self.app)

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
