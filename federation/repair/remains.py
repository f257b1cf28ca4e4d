# SPDX-License-Identifier: Apache-2.0
"""Deleted posts that a copy never held, so that answers have a place."""

from dataclasses import dataclass

from federation.authority import same_origin
from federation.digests.reading import parse_line
from federation.errors import WireError
from federation.receive import Receiver
from federation.repair.asking import Asking
from federation.repair.own import read_post
from federation.wire import Wire
from server.posts import restoring
from server.posts.restoring import Remains
from storage import digests, posts
from storage.forums import Forum

MOST_ABOVE = 20


class Places:
    """What the home lists as deleted is held as deleted where something live answers it.

    That it is deleted, and whom it was by, is the home's word; nobody is named as the author of
    a post under another origin's address. There are no words that a proof could be asked for.
    """

    def __init__(self, wire: Wire, receiver: Receiver, forum: Forum, home: Asking) -> None:
        self._wire = wire
        self._receiver = receiver
        self._forum = forum
        self._home = home

    async def prepare(self, parent: str | None) -> None:
        """Hold `parent` and what is above it as deleted, up to a post that is held here.

        Nothing is stored where something on the way is not listed as deleted. Raises WireError
        for what can be had later.
        """
        above: list[_Gone] = []
        while parent is not None and not await self._is_held(parent):
            gone = await self._gone(parent) if len(above) < MOST_ABOVE else None
            if gone is None:
                return
            above.append(gone)
            parent = gone.remains.parent
        for gone in reversed(above):
            try:
                author = await self._receiver.actors.person(gone.author)
            except WireError as error:
                if not error.permanent:
                    raise
                return
            async with self._wire.instance.transaction() as tx:
                await restoring.hold_remains(tx, author, self._forum, gone.remains, gone.day)

    async def _is_held(self, uri: str) -> bool:
        async with self._wire.instance.reading() as session:
            return await posts.is_held(session, uri)

    async def _gone(self, uri: str) -> "_Gone | None":
        """What the home says of a post that it lists as deleted; None for any other."""
        if self._wire.urls.is_ours(uri):
            return None
        async with self._wire.instance.reading() as session:
            known = (await digests.differences_of(session, self._forum.id, [uri])).get(uri)
        line = parse_line(known.theirs) if known is not None else None
        if known is None or line is None or not line.is_deleted:
            return None
        page = await self._home.one(uri)
        said = read_post(page.object if page is not None else None)
        if said is None or said.type != "Tombstone" or said.id != uri or said.published is None:
            return None
        if said.author is None or not same_origin(said.author, uri):
            return None
        context = said.context or ""
        if not any(same_origin(context, one) for one in (uri, self._forum.uri)):
            context = ""
        deleted = said.deleted or said.published
        why = said.summary or ""
        remains = Remains(uri, said.in_reply_to, context, said.published, deleted, why)
        return _Gone(remains, said.author, known.day)


@dataclass(frozen=True)
class _Gone:
    """What remains of a post, whom it was by, and the day that its home lists it under."""

    remains: Remains
    author: str
    day: str
