# SPDX-License-Identifier: Apache-2.0
"""What pages and commands may ask of the network, for a few seconds."""

import asyncio
import re
from collections.abc import Coroutine
from http import HTTPStatus
from typing import Any, TypeVar

from federation import discovery
from federation.errors import BadAnswer, StatusError, WireError
from federation.handlers.announced import apply
from federation.incoming import Ignored, Incoming
from federation.station import Station
from federation.urls import host_of_uri
from federation.vocabulary.activities import Reference
from federation.vocabulary.actors import Actor
from federation.vocabulary.collections import parse_collection
from federation.vocabulary.documents import parse_any
from federation.vocabulary.errors import Malformed
from federation.vocabulary.posts import Post as WirePost
from federation.vocabulary.values import is_http_url
from server.errors import NotFound, Refusal, Unavailable
from server.peers import Wanted
from server.settings import Federation
from storage import forums, members, posts
from storage.forums import Forum
from storage.members import Member
from storage.peers import Peer
from storage.posts import Post

SECONDS = 3.0
LOOKED_EVERY = 0.1
MOST_FORUMS = 100
LARGEST_PICTURE = 5 * 1024 * 1024
# `/f/permits@lakeside.example.gov`: a page about what lives at yet another agency.
_SHOWN_BY_ANOTHER = re.compile(
    r"/[fu]/([A-Za-z0-9_.-]{1,64})@([A-Za-z0-9.-]{1,253}(?::\d{1,5})?)\Z"
)
T = TypeVar("T")


class WireLookup:
    """Looks things up at other agencies; what it finds is remembered."""

    def __init__(self, wire: Station, seconds: float = SECONDS) -> None:
        self._wire = wire
        self._seconds = seconds

    async def find(self, what: str) -> Forum | Member | Post | None:
        """What a handle or a URL stands for; None when nothing has that name."""
        handle = discovery.split_handle(what)
        if handle is not None:
            return await self._within(self._by_handle(*handle))
        if is_http_url(what.strip()):
            return await self._within(self._by_url(what.strip()))
        return None

    async def forums_of(self, host: str) -> list[Forum]:
        """The public forums of another Guildhall."""
        return await self._within(self._forums_of(host.strip().lower()))

    async def picture(self, url: str) -> bytes:
        """The bytes of a picture on an allowed host, at most 5 MB."""
        return await self._within(self._picture(url))

    async def file(self, wanted: Wanted) -> bool:
        """Whether a file of an allowed host is here now; False while it is still on its way."""
        try:
            return await self._wire.downloads.bring(wanted, self._seconds)
        except StatusError as error:
            raise _said(error) from error
        except WireError as error:
            raise Unavailable(str(error)) from error

    async def _picture(self, url: str) -> bytes:
        await self._wire.must_be_allowed(url)
        answer = await self._wire.door.get(
            url,
            accept="image/webp, image/png, image/jpeg, image/gif",
            sign=await self._wire.signer(),
            max_bytes=LARGEST_PICTURE,
            deadline=self._seconds,
        )
        return answer.body

    async def describe(self, host: str) -> Peer:
        """What a host runs and calls itself."""
        if self._wire.instance.settings.federates is Federation.OFF:
            raise Unavailable("Federation is switched off here.")
        asking = discovery.describe(
            self._wire, host.strip().lower(), deadline=self._seconds, unlisted=True
        )
        return await self._within(asking)

    async def compared(self, forum: Forum) -> Forum:
        """A copy once the worker has compared it with its home, as was asked for in this row."""
        return await self._within(self._compared(forum))

    def opened(self, thread: int) -> None:
        """Have the thread of this id looked over by itself."""
        self._wire.repair.opened.look(thread)

    async def _compared(self, forum: Forum) -> Forum:
        while True:
            async with self._wire.instance.reading() as session:
                held = await session.get_one(Forum, forum.id)
            if held.compare_next != forum.compare_next:
                return held
            await asyncio.sleep(LOOKED_EVERY)

    async def _within(self, asking: Coroutine[Any, Any, T]) -> T:
        try:
            async with asyncio.timeout(self._seconds):
                return await asking
        except TimeoutError as error:
            raise Unavailable("The other agency did not answer in time: try again.") from error
        except Ignored as error:
            raise NotFound(str(error)) from error
        except StatusError as error:
            raise _said(error) from error
        except WireError as error:
            raise Unavailable(f"That could not be looked up: {error}") from error

    async def _by_handle(self, name: str, host: str) -> Forum | Member | None:
        if host == self._wire.instance.settings.host:
            async with self._wire.instance.reading() as session:
                return await forums.by_handle(session, name) or await members.by_handle(
                    session, name
                )
        uri = await discovery.find_actor(self._wire, name, host, deadline=self._seconds)
        if host_of_uri(uri) != host:
            raise BadAnswer("The answer is about an actor on another host.")
        return await self._actor(uri)

    async def _actor(self, uri: str) -> Forum | Member:
        """A forum or a person by id, as the actor document says."""
        async with self._wire.instance.reading() as session:
            held = await forums.by_uri(session, uri) or await members.by_uri(session, uri)
        if held is not None:
            return held
        await self._wire.actors.meet(host_of_uri(uri))
        actor = await self._wire.actors.fetch(uri)
        if actor.type == "Group":
            return await self._wire.actors.forum(uri, fresh=True)
        return await self._wire.actors.person(uri, fresh=True)

    async def _by_url(self, pasted: str) -> Forum | Member | Post | None:
        """What a pasted address is: an id, or the page somebody copied from their browser."""
        url = pasted.partition("#")[0].partition("?")[0].rstrip("/")
        held = await self._held(url)
        if held is not None or self._wire.urls.is_ours(url):
            return held
        shown = _SHOWN_BY_ANOTHER.search(url)
        if shown is not None:
            return await self._by_handle(shown[1].lower(), shown[2].lower())
        document = await self._wire.key_document(url, deadline=self._seconds)
        try:
            found = parse_any(document.data)
        except Malformed as error:
            raise BadAnswer(str(error)) from error
        if isinstance(found, Actor):
            return await self._actor(found.id)
        if isinstance(found, WirePost):
            return await self._post(found)
        return None

    async def _held(self, url: str) -> Forum | Member | Post | None:
        """What is known here under an id, or under the address of its page."""
        async with self._wire.instance.reading() as session:
            return (
                await posts.by_uri(session, url)
                or await posts.by_url(session, url)
                or await forums.by_uri(session, url)
                or await members.by_uri(session, url)
            )

    async def _post(self, found: WirePost) -> Post | Forum | None:
        """A post of a forum followed here; of one that is not, the forum to follow first."""
        async with self._wire.instance.reading() as session:
            held = await posts.by_uri(session, found.id)
        if held is not None:
            return held
        for uri in found.audience:
            forum = await self._actor(uri)
            if not isinstance(forum, Forum):
                continue
            if forum.copy_state == "known":
                return forum
            incoming = Incoming(self._wire, self._wire.actors, self._wire.verifier)
            try:
                await apply(incoming, forum, Reference(found.id))
            except (Refusal, WireError):
                return forum
            async with self._wire.instance.reading() as session:
                return await posts.by_uri(session, found.id)
        return None

    async def _forums_of(self, host: str) -> list[Forum]:
        await self._wire.actors.meet(host)
        async with self._wire.instance.reading() as session:
            peer = await session.get(Peer, host)
        if peer is None:
            raise Unavailable("This agency could not be reached.")
        document = await self._wire.key_document(
            f"{peer.origin}/instance/forums", deadline=self._seconds
        )
        try:
            listed = parse_collection(document.data)
        except Malformed as error:
            raise BadAnswer(str(error)) from error
        uris = [uri for uri in listed.items if isinstance(uri, str) and host_of_uri(uri) == host]
        found = await asyncio.gather(
            *(self._actor(uri) for uri in uris[:MOST_FORUMS]), return_exceptions=True
        )
        return [forum for forum in found if isinstance(forum, Forum)]


def _said(error: StatusError) -> Refusal:
    """What a status of another site means to the person who asked."""
    if error.status in {HTTPStatus.NOT_FOUND, HTTPStatus.GONE}:
        return NotFound("There is nothing of this name at that agency.")
    if error.status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        return Unavailable("That agency does not show it to us: ask its administrators to list us.")
    return Unavailable("The other agency's site has trouble answering: try again later.")
