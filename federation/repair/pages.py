# SPDX-License-Identifier: Apache-2.0
"""Reads collections of other servers, of which only what changed is sent."""

import hashlib
from collections import OrderedDict
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import Any

from federation.authority import same_origin
from federation.errors import BadAnswer
from federation.fetch import Response
from federation.vocabulary.collections import Collection, parse_collection
from federation.vocabulary.errors import Malformed
from federation.vocabulary.reader import read
from federation.vocabulary.terms import ACCEPT, is_activity_json
from federation.vocabulary.values import url_id_of
from federation.wire import Wire

MOST_KEPT = 1_000
MOST_CHARACTERS = 16_000
LONGEST_TAG = 256
NOT_MODIFIED = 304


@dataclass(frozen=True)
class Page:
    """A collection, or a page of one; `changed` since it was last read here.

    Of what has not changed the items may be ids only.
    """

    items: tuple[str | dict[str, Any], ...]
    following: str | None
    total: int | None
    changed: bool = True


@dataclass(frozen=True)
class _Kept:
    """A page as it was, with what it is asked for by (RFC 9110, 13.1)."""

    page: Page
    asking: dict[str, str]
    digest: bytes


class Pages:
    """Remembers the pages read last, in memory: after a restart each is read whole once more."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._kept: OrderedDict[str, _Kept] = OrderedDict()

    async def of(self, url: str, most: int) -> AsyncIterator[Page]:
        """The pages of a collection in its own order, `most` at most, all of its own origin.

        One that leads back to a page already read ends there. Raises WireError.
        """
        asked: set[str] = set()
        following: str | None = url
        while following is not None and following not in asked and len(asked) < most:
            if not same_origin(following, url):
                return
            asked.add(following)
            page = await self._page(following)
            yield page
            following = page.following

    async def _page(self, url: str) -> Page:
        kept = self._kept.get(url)
        answer = await self._wire.answer(url, accept=ACCEPT, headers=kept.asking if kept else {})
        if answer.status == NOT_MODIFIED:
            if kept is None:
                raise BadAnswer("Something unknown is said to be unchanged.")
            self._kept.move_to_end(url)
            return replace(kept.page, changed=False)
        digest = hashlib.sha256(answer.body).digest()
        page = _parsed(answer, url)
        changed = kept is None or kept.digest != digest
        self._keep(url, answer, page, digest)
        return replace(page, changed=changed)

    def _keep(self, url: str, answer: Response, page: Page, digest: bytes) -> None:
        """Remember a page by the ids in it, unless it is a large one."""
        self._kept.pop(url, None)
        ids = tuple(uri for item in page.items if (uri := subject(item)) is not None)
        if sum(map(len, ids)) > MOST_CHARACTERS or len(page.following or "") > MOST_CHARACTERS:
            return
        asking = {}
        for name, header in (("If-None-Match", "ETag"), ("If-Modified-Since", "Last-Modified")):
            value = answer.headers.get(header, "")
            if 0 < len(value) <= LONGEST_TAG and value.isascii() and value.isprintable():
                asking[name] = value
        self._kept[url] = _Kept(replace(page, items=ids), asking, digest)
        while len(self._kept) > MOST_KEPT:
            self._kept.popitem(last=False)


def subject(item: str | dict[str, Any]) -> str | None:
    """The id of the post that an item of a collection is or is about."""
    if isinstance(item, str):
        return item
    about = item
    while isinstance(about.get("object"), dict):
        about = about["object"]
    return url_id_of(about.get("object")) or url_id_of(about)


def _parsed(answer: Response, url: str) -> Page:
    """Raises BadAnswer for what is no collection of the origin that was asked.

    A list gives nobody the right to speak for what is in it, so plain JSON will do.
    """
    if not same_origin(answer.url, url):
        raise BadAnswer("The collection is answered by another server.")
    kind = answer.headers.get("Content-Type", "")
    if not is_activity_json(kind) and kind.partition(";")[0].strip().lower() != "application/json":
        raise BadAnswer("The other server's answer is not marked as ActivityPub.")
    try:
        found: Collection = parse_collection(read(answer.body))
    except Malformed as error:
        raise BadAnswer(str(error)) from error
    return Page(found.items, found.next or (found.first if not found.items else None), found.total)
