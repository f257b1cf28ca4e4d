# SPDX-License-Identifier: Apache-2.0
"""Remembers who is given posts of ours, to tell them how those change."""

from collections import OrderedDict
from typing import Any

from federation.askers import Asker
from federation.vocabulary.terms import PUBLIC
from federation.wire import Wire
from storage.fetches import KEY, FetchedPost

MOST_HELD = 10_000
POSTS = frozenset({"Article", "Note"})


class Fetches:
    """What was noted lately is held here, so that asking again costs nothing."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._noted: OrderedDict[tuple[str, str], None] = OrderedDict()

    async def note(self, who: Asker, document: dict[str, Any]) -> None:
        """Note durably that a server is about to be given a post; other documents pass.

        Agencies are told by the forum. Who does not sign is nobody we could tell. A fault of the
        database goes on to whoever asked: what cannot be taken back is not given out.
        """
        uri = str(document.get("id"))
        if who.host is None or who.agency or document.get("type") not in POSTS:
            return
        number = self._wire.urls.post_id(uri)
        if number is None or PUBLIC not in document.get("to", ()):
            return
        if (who.host, uri) in self._noted:
            return
        row = {"post_id": number, "host": who.host, "actor": who.actor}
        await self._wire.instance.database.writer.append(FetchedPost, row, unique=KEY)
        self._noted[who.host, uri] = None
        while len(self._noted) > MOST_HELD:
            self._noted.popitem(last=False)
