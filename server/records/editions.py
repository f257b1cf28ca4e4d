# SPDX-License-Identifier: Apache-2.0
"""A record as it is published, and what a draft of one begins as."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Generic, Protocol, TypeVar

from server import text
from server.errors import Invalid
from server.records.documents import Document

D = TypeVar("D", bound=Document)

LONGEST_NOTE = 300


@dataclass(frozen=True)
class Edition(Generic[D]):
    """A record as it is published: which version, what it says of itself, by whom.

    `at` is when, where the post does not say it: an older version that came late.
    """

    record: D
    version: int
    note: str
    by: int
    at: datetime | None = None


@dataclass(frozen=True)
class Beginning:
    """What a draft begins as: its fields, and what it is to be of what.

    The numbers are those of posts, but for `forum`; `thread` is the discussion that it is
    distilled from.
    """

    typed: Mapping[str, str] = field(default_factory=dict)
    forum: int | None = None
    post: int | None = None
    source: int | None = None
    source_version: int | None = None
    source_digest: str = ""
    thread: int | None = None


def note_of(words: str) -> str:
    """What a version says of itself; Invalid where it is too long."""
    note = text.clean_line(words, LONGEST_NOTE + 1)
    if len(note) > LONGEST_NOTE:
        raise Invalid({"note": f"Keep the note under {LONGEST_NOTE} characters."})
    return note


class Tagged(Protocol):
    """A record with tags of its own and topics of the list."""

    @property
    def tags(self) -> tuple[str, ...]: ...
    @property
    def topics(self) -> tuple[str, ...]: ...


def tags_of(record: Tagged) -> tuple[str, ...]:
    """The tags that the post of a record carries: its own first, then its topics."""
    return tuple(dict.fromkeys([*(tag.lower() for tag in record.tags), *record.topics]))[:10]
