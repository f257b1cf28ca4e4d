# SPDX-License-Identifier: Apache-2.0
"""The pages that are kept for visitors, and what each of them answers."""

import asyncio
import gzip
import re
from collections import OrderedDict
from collections.abc import MutableMapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any

from server.clock import Clock
from server.freshness import Freshness, Mark
from web.exchanges import Head, Headers, Ready, head_of
from web.faces import wants_activity

Scope = MutableMapping[str, Any]
Key = tuple[str, str, bytes]
"""What is asked for: the face of an address, its path, and the query."""

MOST_BYTES = 32 * 1024 * 1024
_WORTH_KEEPING = ("/p/", "/f/")
_POST = re.compile(r"/p/[0-9]{1,19}")
_SIGNED = frozenset({b"signature", b"authorization"})
_QUERY = re.compile(rb"(after=[0-9-]{1,64})?\Z")
# An address that is spelled otherwise is read by those who read all addresses.
_PLAIN = re.compile(rb"/[A-Za-z0-9/@:._-]*(?:\?[a-z0-9=-]*)?")
_OF_ONE_VISITOR = (b"guildhall_session=", b"guildhall_said=", b"zone=")
# Named, and not with a weight of nothing (RFC 9110 §12.5.3).
_GZIP = re.compile(rb"\bgzip\b(?!\s*;\s*q=0(?:\.0*)?\s*(?:,|$))")
# A page nobody asks for again is not worth the work.
SECOND = 2
# Shorter ones fit into a packet or two as they are.
_WORTH_PACKING = 2_048


@dataclass(slots=True)
class Page:
    """A rendered page; from its second reader on also packed, with the headers of that form."""

    mark: Mark
    until: datetime
    etag: bytes
    headers: Headers
    body: bytes
    head: Head | None = None
    asked: int = 0
    packed: bytes = b""
    packed_headers: Headers = field(default_factory=list)
    packed_head: Head | None = None

    def is_packed_for(self, accepted: bytes) -> bool:
        """Whether it goes packed to those who send this Accept-Encoding."""
        return len(self.body) >= _WORTH_PACKING and _GZIP.search(accepted) is not None

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
        self.packed_head = head_of(200, tuple(self.packed_headers))


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


class Kept:
    """The pages of one application: who may be given which, and whether it is still right."""

    def __init__(self, freshness: Freshness, clock: Clock, host: str) -> None:
        self._freshness = freshness
        self._clock = clock
        self._host = host.encode()
        self.pages = Pages()

    def key(self, scope: Scope) -> Key | None:
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

    async def is_right(self, page: Page) -> bool:
        """Whether it would come out the same by now."""
        return self._clock.now() < page.until and await self._freshness.holds(page.mark)

    def at_hand(self, url: bytes, headers: Headers) -> Ready | None:
        """The whole answer to a GET, with what has to be asked where that is another machine's.

        None for whoever has the page already, for a page that is still to be packed, and where
        it must be asked of our own file, which the usual way does.
        """
        if not _PLAIN.fullmatch(url):
            return None
        path, _, query = url.partition(b"?")
        scope = {
            "type": "http",
            "method": "GET",
            "path": path.decode(),
            "query_string": query,
            "headers": headers,
        }
        key = self.key(scope)
        page = self.pages.find(key) if key is not None else None
        if page is None or page.head is None:
            return None
        is_known = self._freshness.is_known_to_hold(page.mark)
        if not (self._clock.now() < page.until and (is_known or self._freshness.is_far)):
            return None
        is_right = None if is_known else partial(self.is_right, page)
        packs = b""
        for name, value in headers:
            if name == b"if-none-match":
                return None
            if name == b"accept-encoding":
                packs = value
        if not page.is_packed_for(packs):
            return Ready(page.head, page.body, is_right)
        if page.packed_head is None:
            # Whoever comes this way before it is packed has it packed.
            return None
        page.asked += 1
        return Ready(page.packed_head, page.packed, is_right)
