# SPDX-License-Identifier: Apache-2.0
"""Two cities that learn from each other: people, forums, threads."""

from collections.abc import Iterator
from dataclasses import dataclass

from web.demo.agencies import Sign

RIVERTON = Sign("riverton", "City of Riverton", "Riverton Commons")
LAKESIDE = Sign("lakeside", "City of Lakeside", "Lakeside Commons")


@dataclass(frozen=True)
class Person:
    """Somebody who works at an agency; `key` is `agency/handle`."""

    key: str
    name: str
    role: str
    admin: bool = False

    @property
    def agency(self) -> str:
        return self.key.partition("/")[0]

    @property
    def handle(self) -> str:
        return self.key.partition("/")[2]


@dataclass(frozen=True)
class Place:
    """A forum; `key` is `agency/handle` of its home, `followers` are people of both."""

    key: str
    title: str
    description: str
    visibility: str
    followers: tuple[str, ...]

    @property
    def agency(self) -> str:
        return self.key.partition("/")[0]

    @property
    def handle(self) -> str:
        return self.key.partition("/")[2]


@dataclass(frozen=True)
class Said:
    """A reply with the people who endorse it and what is said to it."""

    author: str
    text: str
    replies: "tuple[Said, ...]" = ()
    endorsed: tuple[str, ...] = ()


@dataclass(frozen=True)
class Talk:
    """A thread of a forum."""

    forum: str
    author: str
    title: str
    tags: str
    text: str
    replies: tuple[Said, ...] = ()
    endorsed: tuple[str, ...] = ()

    def authors(self) -> Iterator[str]:
        """Who wrote each post of it."""
        yield self.author
        waiting = list(self.replies)
        while waiting:
            said = waiting.pop()
            yield said.author
            waiting.extend(said.replies)


ANA, DEE, SAM, TOM = "riverton/ana", "riverton/dee", "riverton/sam", "riverton/tom"
MAREK, PRIYA, LOU, INES = "lakeside/marek", "lakeside/priya", "lakeside/lou", "lakeside/ines"

PEOPLE = (
    Person(SAM, "Sam Hale", "commons administrator", admin=True),
    Person(ANA, "Ana Ruiz", "permit analyst"),
    Person(DEE, "Dee Okafor", "counter services lead"),
    Person(TOM, "Tom Becker", "records officer"),
    Person(LOU, "Lou Berg", "commons administrator", admin=True),
    Person(MAREK, "Marek Nowak", "permit manager"),
    Person(PRIYA, "Priya Shah", "digital services"),
    Person(INES, "Ines Duarte", "inspections lead"),
)
PERMITS, DATA = "lakeside/permits", "lakeside/data"
COUNTERS, STAFF = "riverton/counters", "riverton/staff"
PLACES = (
    Place(
        PERMITS,
        "Permits and licensing",
        "How building and trade permits are handled, and how they could be handled faster"
        " without checking less. Everybody may read; agencies write.",
        "public",
        (ANA, DEE, TOM, MAREK, PRIYA, INES),
    ),
    Place(
        DATA,
        "Data platforms",
        "Registers, interfaces and templates, with the figures that are not for publication."
        " Shared with listed agencies only.",
        "agencies",
        (ANA, TOM, MAREK, PRIYA),
    ),
    Place(
        COUNTERS,
        "Service counters",
        "Everything that happens face to face: queues, languages, forms that people bring"
        " back half filled in.",
        "public",
        (ANA, DEE, SAM, MAREK, PRIYA, INES),
    ),
    Place(
        STAFF,
        "Riverton staff room",
        "For ourselves: who does what, and who is away.",
        "instance",
        (ANA, DEE, SAM, TOM),
    ),
)


def password(agency: str) -> str:
    """What everybody at an agency of the demo signs in with."""
    return f"{agency}-demo-password"
