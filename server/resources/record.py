# SPDX-License-Identifier: Apache-2.0
"""The one JSON document of a resource: read, checked, written (`v: 1`).

`parse(dump(record)) == record` for every record; what is not known here is kept and written out
again. The names on the wire are those of the fields in camelCase.
"""

import re
from dataclasses import dataclass, field
from typing import ClassVar

from server.records.documents import Document, read, stored
from server.records.documents import digest as digest
from server.records.documents import dump as dump
from server.records.documents import pack as pack
from server.records.parts import Part, Parts, member, nested
from server.records.patterns import ADDRESS, DIGEST, LICENCE, SLUG, TAG
from server.records.values import (
    Choice,
    Day,
    Faults,
    Flag,
    Items,
    Json,
    Line,
    Number,
    Pattern,
    Text,
)
from server.resources.software import LANGUAGE, Software
from server.resources.terms import ACCESS, KINDS

MOST_FILES = 20
DOI = Pattern(re.compile(r"10\.[0-9]{4,9}/[^\s\"<>]+"), "Give a DOI, such as 10.1000/182.", 200)
MEDIA_TYPE = Pattern(
    re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]*/[a-z0-9][a-z0-9!#$&^_.+-]*"),
    "Give a media type, such as application/pdf.",
    100,
)


@dataclass(frozen=True)
class File(Part):
    """A file of a version: what it is called, what it is, and how it is told to be unaltered.

    `size` is in bytes. `access` says whether everybody can use it, `checked` when that was found.
    """

    name: str = member(Line(150, needed="Give the file a name."))
    url: str = member(ADDRESS)
    media_type: str = member(MEDIA_TYPE)
    size: int | None = member(Number(0, whole=True), None)
    sha256: str = member(DIGEST)
    language: str = member(LANGUAGE)
    access: str = member(Choice(tuple(ACCESS)))
    access_note: str = member(Line(300))
    checked: str = member(Day())

    def check(self, path: str, faults: Faults) -> None:
        for name, value in (("url", self.url), ("sha256", self.sha256), ("size", self.size)):
            if value in ("", None):
                faults.add(f"{path}.{name}", "A file needs an address, a size and its SHA-256.")


@dataclass(frozen=True)
class Source(Part):
    """What a resource was made from: which resource, in which version, with which digest."""

    uri: str = member(ADDRESS)
    version: int | None = member(Number(1, whole=True), None)
    digest: str = member(DIGEST)

    def check(self, path: str, faults: Faults) -> None:
        if not self.uri:
            faults.add(f"{path}.uri", "Say which resource this is based on.")


@dataclass(frozen=True)
class Record(Document):
    """The whole record of one version; `label` is what its authors call the version."""

    NOUN: ClassVar[str] = "resource"
    LARGEST: ClassVar[int] = 200_000
    LONG: ClassVar[str] = "description"

    kind: str = member(Choice(tuple(KINDS), "template"), "template")
    name: str = member(Line(100, needed="Give it a title."))
    summary: str = member(Line(300, needed="Say in a sentence what it is good for."))
    description: str = member(Text(20_000))
    agency: str = member(Line(200))
    contact: str = member(Line(200))
    language: str = member(LANGUAGE)
    label: str = member(Line(40))
    license: str = member(LICENCE)
    topics: tuple[str, ...] = member(Items(SLUG, 10, "topics"), ())
    tags: tuple[str, ...] = member(Items(TAG, 10, "tags"), ())
    link: str = member(ADDRESS)
    doi: str = member(DOI)
    citation: str = member(Line(500))
    peer_reviewed: bool = member(Flag(), False)
    files: tuple[File, ...] = member(Parts(File, MOST_FILES, "files"), ())
    based_on: tuple[Source, ...] = member(Parts(Source, 5, "sources"), ())
    software: Software = field(default_factory=Software, metadata=nested(Software))

    def check(self, path: str, faults: Faults) -> None:
        super().check(path, faults)
        if not self.files and not self.link:
            faults.add("files", "Add a file, or give the link where it is found.")


def parse(document: Json) -> Record:
    """The record of a JSON object; Invalid names every field that is wrong and why."""
    return read(Record, document)


def unpack(text: str) -> Record:
    """A stored record."""
    return stored(Record, text)
