# SPDX-License-Identifier: Apache-2.0
"""Visits to the links of our own resources, to see whether they answer."""

from urllib.parse import urlsplit

from federation.errors import Forbidden, StatusError, WireError
from federation.fetch.pace import Pace
from federation.urls import host_of_uri
from federation.wire import Wire
from server.resources import links
from server.settings import Mode

# A server that says so is there, and wants something of its visitors that we have not.
_ALIVE = frozenset({401, 402, 403, 405, 406, 429, 451})
# Servers that do not know HEAD answer so; they are asked again as a browser would.
_UNKNOWING = frozenset({400, 403, 404, 405, 501})
SECONDS = 20.0
PACE = 5.0


class Visits:
    """One link at a time, each host every few seconds at most.

    Links may lead to anybody, so the list of agencies does not decide here: whoever published
    the resource is one of us. Nothing is signed, and nothing of an answer is read but its status.
    """

    def __init__(self, wire: Wire, *, every: float = PACE) -> None:
        self._wire = wire
        self._pace = Pace(wire.instance.clock, wire.instance.randomness, every=every)

    async def due(self) -> list[tuple[int, str]]:
        """What is to be visited now: most often nothing, and then nobody need claim it."""
        instance = self._wire.instance
        if not instance.settings.check_links:
            return []
        async with instance.reading() as session:
            return await links.due(session, instance.clock.now())

    async def run(self, found: list[tuple[int, str]]) -> None:
        """Visit these links, with the numbers of their posts."""
        instance = self._wire.instance
        for number, url in found:
            try:
                await self._pace.turn(host_of_uri(url))
            except WireError:
                continue
            fault = await self._fault_of(url)
            async with instance.transaction() as tx:
                await links.visited(tx, number, url, fault)

    async def _fault_of(self, url: str) -> str:
        """What is wrong with a link; "" where it answers, or where we may not ask."""
        settings = self._wire.instance.settings
        is_here = (urlsplit(url).hostname or "") in settings.resolve
        if settings.mode is not Mode.PRODUCTION and not is_here:
            # What is tried out on one machine leaves the rest of the world alone.
            return ""
        try:
            await self._asked(url)
        except Forbidden:
            return ""
        except StatusError as error:
            self._pace.heed(host_of_uri(url), error)
            return "" if error.status in _ALIVE else str(error)
        except WireError as error:
            return str(error)
        return ""

    async def _asked(self, url: str) -> None:
        try:
            await self._wire.door.knock(url, method="HEAD", deadline=SECONDS)
        except StatusError as error:
            if error.status not in _UNKNOWING:
                raise
            await self._wire.door.knock(url, method="GET", deadline=SECONDS)
