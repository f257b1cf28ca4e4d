# SPDX-License-Identifier: Apache-2.0
"""Tells the story: each deed at the agency of whoever does it."""

import asyncio
from dataclasses import dataclass, field

from web.demo import events, resources, reviews
from web.demo.agencies import Agency
from web.demo.events import Announced
from web.demo.practices import Written, adapt, publish, report
from web.demo.readers import Reader
from web.demo.resources import Shared
from web.demo.story import PEOPLE, PLACES, Person, Place, Said, Talk, password


async def furnish(agency: Agency, people: tuple[Person, ...], places: tuple[Place, ...]) -> None:
    """Make accounts and forums by the command line, before the server starts or beside it."""
    for person in people:
        await agency.command(
            *("member", "add", person.handle, "--name", person.name, "--role", person.role),
            *("--email", f"{person.handle}@{person.agency}.example.gov", "--password-stdin"),
            *(["--admin"] if person.admin else []),
            stdin=f"{password(person.agency)}\n",
        )
    for place in places:
        await agency.command(
            *("forum", "add", place.handle, "--title", place.title),
            *("--visibility", place.visibility, "--description", place.description),
        )


async def befriend(agency: Agency, other: Agency) -> None:
    """Put another agency on the list."""
    reason = f"We learn from {other.sign.agency}."
    await agency.command("allow", "add", other.sign.host, "--reason", reason)


@dataclass
class Telling:
    """The story's people with their browsers, and where each post is seen."""

    agencies: dict[str, Agency]
    readers: dict[str, Reader] = field(default_factory=dict)

    async def tell(
        self,
        talks: tuple[Talk, ...],
        practices: tuple[Written, ...] = (),
        announced: tuple[Announced, ...] = (),
        shared: tuple[Shared, ...] = (),
    ) -> None:
        """Sign everybody in, let them follow, write and talk until all has arrived."""
        try:
            for person in PEOPLE:
                agency = self.agencies[person.agency]
                reader = Reader(agency, person.handle, password(person.agency))
                self.readers[person.key] = reader
                await reader.sign_in()
            await asyncio.gather(*(self._follow(place) for place in PLACES))
            await asyncio.gather(*(self._write_up(written) for written in practices))
            await asyncio.gather(*(self._announce(event) for event in announced))
            await asyncio.gather(*(self._share(one) for one in shared))
            await asyncio.gather(*(self._talk(talk) for talk in talks))
        finally:
            for reader in self.readers.values():
                await reader.close()

    async def _follow(self, place: Place) -> None:
        for key in place.followers:
            await self.readers[key].follow(self.agencies[place.agency], place.handle)

    async def _write_up(self, written: Written) -> None:
        """Publish a practice; others report on it, adapt it and review it, each at their own."""
        page = await publish(self.readers[written.author], written)
        uri = next(iter(page.posts))
        agency, _, forum = written.forum.partition("/")
        for said in written.reports:
            reader = self.readers[said.author]
            path = await reader.thread(self.agencies[agency], forum, uri)
            await report(reader, path, said.fields)
        for made in written.adaptations:
            reader = self.readers[made.author]
            path = await reader.thread(self.agencies[agency], forum, uri)
            await adapt(reader, path, made)
        if written.is_reviewed:
            await reviews.review(self.readers, written.author, page.path)

    async def _announce(self, event: Announced) -> None:
        """Put an event into the calendar, and have its guests sign up, each at their agency."""
        agency, _, forum = event.forum.partition("/")
        page = await events.announce(self.readers[event.author], event)
        uri = next(iter(page.posts))
        for key in event.guests:
            reader = self.readers[key]
            path = await reader.thread(self.agencies[agency], forum, uri)
            await reader.browser.submit(path, f"/p/{path.split('/')[2]}/join")

    async def _share(self, shared: Shared) -> None:
        """Share a resource with its file."""
        reader = self.readers[shared.author]
        draft = await resources.begin(reader, shared.resource)
        await resources.publish(reader, draft, shared.resource, shared.forum)

    async def _talk(self, talk: Talk) -> None:
        agency, _, forum = talk.forum.partition("/")
        home = self.agencies[agency]
        author = self.readers[talk.author]
        opener = await author.post(home, forum, talk.title, talk.text, talk.tags)
        conversation = _Conversation(self.readers, home, forum, opener)
        await conversation.arrive_everywhere(talk)
        for key in talk.endorsed:
            await conversation.endorse(key, opener)
        for said in talk.replies:
            await conversation.say(said, opener)


@dataclass
class _Conversation:
    readers: dict[str, Reader]
    home: Agency
    forum: str
    opener: str
    # Where the thread is at everybody's agency, once it was seen listed there.
    paths: dict[str, str] = field(default_factory=dict)

    async def arrive_everywhere(self, talk: Talk) -> None:
        """Wait until the thread is listed wherever somebody takes part in it."""
        for key in {*talk.authors(), *talk.endorsed}:
            await self._path(key)

    async def say(self, said: Said, to: str) -> None:
        """A reply, what people think of it, and what is said to it."""
        reader = self.readers[said.author]
        uri = await reader.reply(await self._path(said.author), to, said.text)
        for key in said.endorsed:
            await self.endorse(key, uri)
        for answer in said.replies:
            await self.say(answer, uri)

    async def endorse(self, key: str, uri: str) -> None:
        await self.readers[key].endorse(await self._path(key), uri)

    async def _path(self, key: str) -> str:
        if key not in self.paths:
            reader = self.readers[key]
            self.paths[key] = await reader.thread(self.home, self.forum, self.opener)
        return self.paths[key]
