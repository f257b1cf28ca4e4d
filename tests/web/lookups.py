# SPDX-License-Identifier: Apache-2.0
"""A network that a test writes down beforehand."""

from dataclasses import dataclass, field

from server.errors import Unavailable
from storage.forums import Forum
from storage.members import Member
from storage.peers import Peer
from storage.posts import Post


@dataclass
class WrittenLookup:
    """Answers what it was given and notes what it was asked; else nobody answers."""

    things: dict[str, Forum | Member | Post] = field(default_factory=dict)
    forums: dict[str, list[Forum]] = field(default_factory=dict)
    peers: dict[str, Peer] = field(default_factory=dict)
    pictures: dict[str, bytes] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    async def find(self, what: str) -> Forum | Member | Post | None:
        self.asked.append(what)
        if what not in self.things:
            raise Unavailable("That site does not answer at the moment.")
        return self.things[what]

    async def forums_of(self, host: str) -> list[Forum]:
        self.asked.append(host)
        if host not in self.forums:
            raise Unavailable("That site does not answer at the moment.")
        return self.forums[host]

    async def describe(self, host: str) -> Peer:
        self.asked.append(host)
        if host not in self.peers:
            raise Unavailable("That site does not answer at the moment.")
        return self.peers[host]

    def opened(self, thread: int) -> None:
        self.asked.append(f"thread {thread}")

    async def compared(self, forum: Forum) -> Forum:
        self.asked.append(forum.uri)
        raise Unavailable("That site does not answer at the moment.")

    async def picture(self, url: str) -> bytes:
        self.asked.append(url)
        if url not in self.pictures:
            raise Unavailable("That site does not answer at the moment.")
        return self.pictures[url]
