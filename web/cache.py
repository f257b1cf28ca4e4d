# SPDX-License-Identifier: Apache-2.0
"""Rendered pages for visitors, kept for as long as they are exactly right."""

import asyncio
import gzip
import re
import zlib
from collections import OrderedDict
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import blake2b
from typing import Any

from starlette.requests import Request

from server.clock import Clock
from server.freshness import Freshness, Mark
from web.faces import wants_activity

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]
Key = tuple[str, str, bytes]
"""What is asked for: the face of an address, its path, and the query."""

MOST_BYTES = 32 * 1024 * 1024
_WORTH_KEEPING = ("/p/", "/f/")
_POST = re.compile(r"/p/[0-9]{1,19}")
_SIGNED = frozenset({b"signature", b"authorization"})
_QUERY = re.compile(rb"(after=[0-9-]{1,64})?\Z")
_OF_ONE_VISITOR = (b"guildhall_session=", b"guildhall_said=", b"zone=")
# Named, and not with a weight of nothing (RFC 9110 §12.5.3).
_GZIP = re.compile(rb"\bgzip\b(?!\s*;\s*q=0(?:\.0*)?\s*(?:,|$))")
# A page nobody asks for again is not worth the work.
_SECOND = 2
# Shorter ones fit into a packet or two as they are.
_WORTH_PACKING = 2_048
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


@dataclass(slots=True)
class Page:
    """A rendered page; from its second reader on also packed, with the headers of that form."""

    mark: Mark
    until: datetime
    etag: bytes
    headers: Headers
    body: bytes
    asked: int = 0
    packed: bytes = b""
    packed_headers: Headers = field(default_factory=list)

    @property
    def size(self) -> int:
        """Bytes it may take: the packed form is counted as a third of the plain one."""
        return len(self.body) * 4 // 3 + 1_024

    async def pack(self) -> None:
        """Make the packed form, in a thread: some 0.5 ms for 50 KB."""
        self.packed = await asyncio.to_thread(gzip.compress, self.body, 5, mtime=0)
        kept = [pair for pair in self.headers if pair[0] != b"content-length"]
        length = str(len(self.packed)).encode()
        self.packed_headers = [*kept, (b"content-length", length), (b"content-encoding", b"gzip")]


@dataclass
class Pages:
    """The pages last asked for, at most MOST_BYTES of them."""

    most: int = MOST_BYTES
    held: OrderedDict[Key, Page] = field(default_factory=OrderedDict)
    size: int = 0

    def find(self, key: Key) -> Page | None:
        page = self.held.get(key)
        if page is not None:
            self.held.move_to_end(key)
        return page

    def keep(self, key: Key, page: Page) -> None:
        self.drop(key)
        self.held[key] = page
        self.size += page.size
        while self.size > self.most:
            _, oldest = self.held.popitem(last=False)
            self.size -= oldest.size

    def drop(self, key: Key) -> None:
        page = self.held.pop(key, None)
        if page is not None:
            self.size -= page.size


class PageCache:
    """Answers visitors with pages that were rendered before and would come out the same.

    So are posts as ActivityPub for those who do not sign, where those are answered.

    Nothing is believed for a time: each answer asks the database first whether any of what the
    page shows was changed, by this process or another, and no page outlives its "2 hours ago".
    One page is rendered once at a time, however many ask for it; `rendered` counts.
    """

    def __init__(self, app: Any, freshness: Freshness, clock: Clock, host: str) -> None:
        self._app = app
        self._host = host.encode()
        self._freshness = freshness
        self._clock = clock
        self._flights: dict[Key, asyncio.Future[bool]] = {}
        self.pages = Pages()
        self.rendered = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        key = self._key(scope)
        if key is None:
            await self._app(scope, receive, send)
            return
        while True:
            page = self.pages.find(key)
            if page is not None and await self._is_right(page):
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

    def _key(self, scope: Scope) -> Key | None:
        """What the bytes of an answer depend on; None where they depend on who asks."""
        if scope["type"] != "http" or scope["method"] not in {"GET", "HEAD"}:
            return None
        path: str = scope["path"]
        of_visitors: tuple[bytes, ...] = _OF_ONE_VISITOR
        if wants_activity(scope):
            if not _POST.fullmatch(path):
                return None
            face, of_visitors = "activity", ()
        elif path.startswith(_WORTH_KEEPING) or path == "/":
            face = "page"
        else:
            return None
        query: bytes = scope["query_string"]
        if query and not _QUERY.match(query):
            return None
        ours = False
        for name, value in scope["headers"]:
            if name == b"host":
                ours = value.lower() == self._host
            elif name in _SIGNED or (
                name == b"cookie" and any(cookie in value for cookie in of_visitors)
            ):
                return None
        return (face, path, query) if ours else None

    async def _is_right(self, page: Page) -> bool:
        return self._clock.now() < page.until and await self._freshness.holds(page.mark)

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
    return Page(mark, until, etag, [*headers, (b"etag", b"W/" + etag)], body)


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
    headers, body = page.headers, page.body
    if _GZIP.search(packs) and len(body) >= _WORTH_PACKING:
        page.asked += 1
        if page.asked == _SECOND:
            await page.pack()
        if page.packed:
            headers, body = page.packed_headers, page.packed
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})


def _names(asked: bytes, etag: bytes) -> bool:
    """Whether an If-None-Match names this page (RFC 9110 §13.1.2, compared weakly)."""
    offered = (part.strip().removeprefix(b"W/") for part in asked.split(b","))
    return any(part in (etag, b"*") for part in offered)
