# SPDX-License-Identifier: Apache-2.0
"""A stream as server-sent events."""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from starlette.responses import Response

from web.api.routes import CORS
from web.api.streaming.hub import Listener, Streams

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


class Events(Response):
    """Sends what a listener is told until either side has enough; `beat` in seconds."""

    media_type = "text/event-stream"

    def __init__(self, streams: Streams, listener: Listener, beat: float) -> None:
        # nginx would hold events back until it has a bufferful.
        super().__init__(headers=CORS | {"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
        del self.headers["content-length"]
        self._streams = streams
        self._listener = listener
        self._beat = beat

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        telling = asyncio.create_task(self._tell(send))
        leaving = asyncio.create_task(self._left(receive))
        try:
            await asyncio.wait({telling, leaving}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._streams.leave(self._listener)
            telling.cancel()
            leaving.cancel()
            await asyncio.gather(telling, leaving, return_exceptions=True)

    @staticmethod
    async def _left(receive: Receive) -> None:
        """Wait until the app is gone."""
        while (await receive())["type"] != "http.disconnect":
            pass

    async def _tell(self, send: Send) -> None:
        start = {"type": "http.response.start", "status": 200, "headers": self.raw_headers}
        await send(start)
        body = b":)\n\n"
        while body:
            await send({"type": "http.response.body", "body": body, "more_body": True})
            body = await self._next()
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _next(self) -> bytes:
        """What happens next, or a sign of life; nothing at the end."""
        try:
            async with asyncio.timeout(self._beat):
                waiting = await self._listener.waiting.get()
        except TimeoutError:
            return b":thump\n\n"
        if waiting is None:
            return b""
        _, event, payload = waiting
        return f"event: {event}\ndata: {payload}\n\n".encode()
