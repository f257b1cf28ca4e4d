# SPDX-License-Identifier: Apache-2.0
"""A reader's open page, as far as its event stream goes."""

import asyncio
import json
from collections.abc import MutableMapping
from dataclasses import dataclass, field
from typing import Any

import httpx
from starlette.applications import Starlette

SECONDS = 20
ADDRESS = "203.0.113.9"


def told(text: str) -> list[dict[str, Any]]:
    """What the events of a stream say, the oldest first."""
    found = []
    for block in text.split("\n\n"):
        lines = dict(line.split(": ", 1) for line in block.split("\n") if ": " in line)
        if lines.get("event") == "changed":
            found.append(json.loads(lines["data"]))
    return found


def names(text: str) -> list[str]:
    """The ids in a stream; the last one is what a browser sends when it comes back."""
    return [line[4:] for line in text.split("\n") if line.startswith("id: ")]


@dataclass
class Listener:
    """A stream that stays open until it is ended, or `leave` is called."""

    app: Starlette
    path: str
    headers: dict[str, str] = field(default_factory=dict)
    address: str = ADDRESS
    method: str = "GET"
    status: int = 0
    answered: dict[str, str] = field(default_factory=dict)
    text: str = ""
    ended: bool = False

    async def open(self) -> "Listener":
        """Ask, and wait for the first of the answer."""
        self._news = asyncio.Condition()
        self._gone = asyncio.Event()
        self._asked = False
        self._running = asyncio.create_task(self._run())
        await self.until(lambda: bool(self.text) or self.ended)
        return self

    async def _run(self) -> None:
        path, _, query = self.path.partition("?")
        host = self.app.state.instance.settings.host
        given = {"host": host, "accept": "text/event-stream"} | self.headers
        scope = {
            "type": "http", "http_version": "1.1", "method": self.method, "scheme": "http",
            "path": path, "raw_path": path.encode(), "query_string": query.encode(),
            "root_path": "", "client": (self.address, 1), "server": (host, 80),
            "headers": [(k.lower().encode(), v.encode("latin-1")) for k, v in given.items()],
        }  # fmt: skip
        await self.app(scope, self._receive, self._send)

    async def _receive(self) -> MutableMapping[str, Any]:
        if not self._asked:
            self._asked = True
            return {"type": "http.request", "body": b"", "more_body": False}
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: MutableMapping[str, Any]) -> None:
        async with self._news:
            if message["type"] == "http.response.start":
                self.status = message["status"]
                self.answered = dict(httpx.Headers(message["headers"]))
            else:
                self.text += message["body"].decode()
                if not message.get("more_body"):
                    self.ended = True
                    self._gone.set()
            self._news.notify_all()

    async def until(self, holds: Any) -> None:
        async with asyncio.timeout(SECONDS), self._news:
            await self._news.wait_for(holds)

    async def hears(self, count: int = 1) -> list[dict[str, Any]]:
        """Wait for so many events in all; answers them."""
        await self.until(lambda: len(told(self.text)) >= count)
        return told(self.text)

    async def is_ended(self) -> list[dict[str, Any]]:
        """Wait until the server has ended it; answers what was told before."""
        await self.until(lambda: self.ended)
        await self._running
        return told(self.text)

    async def over(self) -> None:
        """Wait until the request is over, however it ended."""
        async with asyncio.timeout(SECONDS):
            await self._running

    async def leave(self) -> None:
        """Close the tab."""
        self._gone.set()
        await self._running
