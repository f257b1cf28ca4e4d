# SPDX-License-Identifier: Apache-2.0
"""Rendered pages for visitors, kept for as long as they are exactly right."""

import asyncio
import zlib
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from typing import Any

from starlette.requests import Request

from server.freshness import Mark
from web.exchanges import HEAD, head_of
from web.kept import SECOND, Kept, Key, Page

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

_OF_A_BODY = (b"content-length", b"content-type", b"content-encoding")
KEPT = "guildhall.kept"


@dataclass
class Keep:
    """What a page says of itself: that it may be kept while `mark` holds, and until when."""

    mark: Mark | None = None
    until: datetime | None = None

    def is_asked(self, start: Message) -> bool:
        """Whether an answer that begins so is to be kept."""
        return self.mark is not None and self.until is not None and start["status"] == 200


def may_keep(request: Request, mark: Mark, until: datetime) -> None:
    """Say of the answer to a request that it may be given again while `mark` holds."""
    keep: Keep | None = request.scope.get(KEPT)
    if keep is not None:
        keep.mark, keep.until = mark, until


class PageCache:
    """Answers visitors with pages that were rendered before and would come out the same.

    So are posts as ActivityPub for those who do not sign, where those are answered.

    Nothing is believed for a time: each answer asks the database first whether any of what the
    page shows was changed, by this process or another, and no page outlives its "2 hours ago".
    One page is rendered once at a time, however many ask for it; `rendered` counts.
    """

    def __init__(self, app: Any, kept: Kept) -> None:
        self._app = app
        self._kept = kept
        self._flights: dict[Key, asyncio.Future[bool]] = {}
        self.pages = kept.pages
        self.rendered = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        key = self._kept.key(scope)
        if key is None:
            await self._app(scope, receive, send)
            return
        while True:
            page = self.pages.find(key)
            if page is not None and await self._kept.is_right(page):
                await _answer(page, scope, send)
                return
            flight = self._flights.get(key)
            if flight is None:
                break
            if not await asyncio.shield(flight):
                # Nothing to be kept: each reader is answered for themselves.
                await self._app(scope, receive, send)
                return
        if scope["method"] == "HEAD":
            await self._app(scope, receive, send)
        else:
            await self._render(key, scope, receive, send)

    async def _render(self, key: Key, scope: Scope, receive: Receive, send: Send) -> None:
        flight = self._flights[key] = asyncio.get_running_loop().create_future()
        keep = Keep()
        messages: list[Message] = []

        def landed(*, kept: bool) -> None:
            if not flight.done():
                del self._flights[key]
                flight.set_result(kept)

        async def collect(message: Message) -> None:
            """Hold back a page that is to be kept; anything else goes on as it comes."""
            if not messages and not keep.is_asked(message):
                landed(kept=False)
            if flight.done():
                await send(message)
            else:
                messages.append(message)

        page = None
        try:
            self.rendered += 1
            await self._app({**scope, KEPT: keep}, receive, collect)
            if messages and keep.mark is not None and keep.until is not None:
                page = _page(keep.mark, keep.until, messages)
                self.pages.keep(key, page)
            else:
                self.pages.drop(key)
        finally:
            landed(kept=page is not None)
        if page is not None:
            await _answer(page, scope, send)


def _page(mark: Mark, until: datetime, messages: list[Message]) -> Page:
    """The page that an application sent."""
    body = b"".join(message.get("body", b"") for message in messages[1:])
    # The mark tells states of the thread apart; what else differs is how long ago things were.
    state = blake2b(f"{mark.scopes}{mark.versions}".encode(), digest_size=8).hexdigest()
    etag = f'"{state}{zlib.crc32(body):08x}{len(body):x}"'.encode()
    headers = [pair for pair in messages[0]["headers"] if pair[0] != b"etag"]
    # Sent as a weak one, for it names the plain and the packed form alike (RFC 9110 §8.8.1).
    headers.append((b"etag", b"W/" + etag))
    return Page(mark, until, etag, headers, body, head_of(200, tuple(headers)))


async def _answer(page: Page, scope: Scope, send: Send) -> None:
    asked = packs = b""
    for name, value in scope["headers"]:
        if name == b"if-none-match":
            asked = value
        elif name == b"accept-encoding":
            packs = value
    if asked and _names(asked, page.etag):
        unchanged = [pair for pair in page.headers if pair[0] not in _OF_A_BODY]
        await send({"type": "http.response.start", "status": 304, "headers": unchanged})
        await send({"type": "http.response.body", "body": b""})
        return
    headers, body, head = page.headers, page.body, page.head
    if page.is_packed_for(packs):
        page.asked += 1
        if page.asked == SECOND:
            await page.pack()
        if page.packed:
            headers, body, head = page.packed_headers, page.packed, page.packed_head
    await send({"type": "http.response.start", "status": 200, "headers": headers, HEAD: head})
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})


def _names(asked: bytes, etag: bytes) -> bool:
    """Whether an If-None-Match names this page (RFC 9110 §13.1.2, compared weakly)."""
    offered = (part.strip().removeprefix(b"W/") for part in asked.split(b","))
    return any(part in (etag, b"*") for part in offered)
