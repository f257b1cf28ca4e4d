# SPDX-License-Identifier: Apache-2.0
"""What the steps of the check share: agencies, people, what was done once."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from web.demo.agencies import Agency, Sign, lay_tables
from web.demo.apps import App
from web.demo.peer import Peer
from web.demo.readers import Reader
from web.demo.story import LAKESIDE, PEOPLE, PLACES, RIVERTON, Person, password
from web.demo.telling import befriend, furnish

ELSEWHERE = Sign("elsewhere", "Town of Elsewhere", "Elsewhere Commons")
STRANGER = "stranger.localhost"
OUTSIDER = Person("elsewhere/tess", "Tess Moreau", "clerk", admin=True)
CAST = ("ana", "dee", "sam", "marek", "priya", "lou", "tess")
Made = TypeVar("Made")


class NotHeld(Exception):
    """A step saw something else than it should have."""


def expect(held: bool, otherwise: str) -> None:
    """NotHeld, saying what was seen, unless it held."""
    if not held:
        raise NotHeld(otherwise)


@dataclass(frozen=True)
class Placed:
    """A thread with its pages at both agencies."""

    uri: str
    at_lakeside: str
    at_riverton: str


@dataclass
class Scene:
    """Three fresh agencies and a stranger, and neighbours that are started when needed."""

    riverton: Agency
    lakeside: Agency
    elsewhere: Agency
    peer: Peer
    neighbours: dict[str, Agency] = field(default_factory=dict)
    people: dict[str, Reader] = field(default_factory=dict)
    apps: list[App] = field(default_factory=list)
    _done: dict[str, "asyncio.Future[Any]"] = field(default_factory=dict)

    async def once(self, what: str, make: Callable[[], Awaitable[Made]]) -> Made:
        """Do something the first time it is needed; a failure is remembered as well."""
        if what not in self._done:
            self._done[what] = asyncio.ensure_future(make())
        made: Made = await self._done[what]
        return made

    async def prepare(self, sabotage: str) -> None:
        """Accounts, forums and lists by the command line; then the servers."""
        await lay_tables(self.riverton, self.lakeside, self.elsewhere, *self.neighbours.values())
        await asyncio.gather(
            self._open(self.riverton, self.lakeside, sabotage),
            self._open(self.lakeside, self.riverton, sabotage),
            self._open(self.elsewhere, self.lakeside, sabotage),
        )

    async def _open(self, agency: Agency, other: Agency, sabotage: str) -> None:
        key = agency.sign.key
        people = [one for one in (*PEOPLE, OUTSIDER) if one.agency == key and one.handle in CAST]
        places = [
            place for place in PLACES if place.agency == key and place.visibility != "instance"
        ]
        await furnish(agency, tuple(people), tuple(places))
        await befriend(agency, other)
        await agency.start(sabotage)
        for one in people:
            self.people[one.handle] = Reader(agency, one.handle, password(key))

    async def close(self) -> None:
        """Let go of everything that is still under way."""
        for future in self._done.values():
            future.cancel()
        await asyncio.gather(*self._done.values(), return_exceptions=True)
        for reader in self.people.values():
            await reader.close()
        for app in self.apps:
            await app.close()

    async def person(self, handle: str) -> Reader:
        """A member, signed in."""
        return await self.once(f"{handle} is signed in", self.people[handle].sign_in)

    async def earlier(self) -> tuple[str, str]:
        """(thread, reply) written at Lakeside before anybody elsewhere follows."""
        return await self.once("earlier", self._earlier)

    async def _earlier(self) -> tuple[str, str]:
        marek, priya = await self.person("marek"), await self.person("priya")
        thread = await marek.post(
            self.lakeside, "permits", EARLIER, "Twenty-one days, and most of them in a tray."
        )
        path = await marek.thread(self.lakeside, "permits", thread)
        return thread, await priya.reply(path, thread, EARLIER_REPLY)

    async def followed(self) -> str:
        """Ana follows Lakeside's permits forum; answers its path at Riverton."""
        return await self.once("followed", self._followed)

    async def _followed(self) -> str:
        await self.earlier()
        ana = await self.person("ana")
        return (await ana.follow(self.lakeside, "permits")).path

    async def counters(self) -> str:
        """Marek follows Riverton's service counters; answers their path at Lakeside."""
        return await self.once("counters", self._counters)

    async def _counters(self) -> str:
        marek = await self.person("marek")
        return (await marek.follow(self.riverton, "counters")).path

    async def thread(self) -> Placed:
        """A thread of Marek's that has arrived at Riverton."""
        return await self.once("thread", lambda: self.placed(NEWS, NEWS_TEXT))

    async def placed(self, title: str, text: str) -> Placed:
        """Marek opens a thread at Lakeside; it is waited for at Riverton."""
        await self.followed()
        marek, ana = await self.person("marek"), await self.person("ana")
        uri = await marek.post(self.lakeside, "permits", title, text)
        return Placed(
            uri,
            await marek.thread(self.lakeside, "permits", uri),
            await ana.thread(self.lakeside, "permits", uri),
        )

    async def reply(self) -> str:
        """Ana's reply to Marek's thread, as posted at Riverton."""
        return await self.once("reply", self._reply)

    async def _reply(self) -> str:
        thread = await self.thread()
        ana = await self.person("ana")
        return await ana.reply(thread.at_riverton, thread.uri, REPLY)


EARLIER = "What the old form asked, and nobody read"
EARLIER_REPLY = "Question 14 was about chimneys. We have had no chimney since 1998."
NEWS = "How we cut permit times from 21 days to 12.6"
NEWS_TEXT = "Forty per cent less, and nothing is checked less. Ask me how."
REPLY = "Who does the first look, and how long does it take them?"
SIGNS = (RIVERTON, LAKESIDE, ELSEWHERE)
