# SPDX-License-Identifier: Apache-2.0
"""What a home says in its digest, read without fear."""

import re
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from federation.digests.measures import (
    DAY,
    DAYS_A_PAGE,
    DIGEST,
    LIKES_A_PAGE,
    LINES_A_PAGE,
    MOST_EDITS,
    MOST_ENDORSERS,
    POST,
    is_day,
)
from federation.vocabulary.errors import Malformed
from federation.vocabulary.values import MAX_ID, is_http_url
from server.digests import Bucket

_SHA256 = re.compile(r"[0-9a-f]{64}\Z")
_LINE = re.compile(
    r"(?P<uri>[^\t\n]+)\t(?P<updated>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z|)"
    r"\t(?P<state>deleted|live(?:,locked)?(?:,pinned)?)\t(?P<endorsers>[0-9a-f]{64}|)\Z"
)


@dataclass(frozen=True)
class DaysPage:
    """A page of days a home says it has; `before` asks for the next."""

    days: tuple[Bucket, ...]
    before: str


@dataclass(frozen=True)
class Line:
    """What a home says of one post; `text` is its line verbatim."""

    uri: str
    updated: str
    marks: tuple[str, ...]
    endorsers: str
    text: str

    @property
    def is_deleted(self) -> bool:
        return self.marks == ("deleted",)


@dataclass(frozen=True)
class LinesPage:
    """A page of lines; `after` asks for the next."""

    lines: tuple[Line, ...]
    after: str


@dataclass(frozen=True)
class PostPage:
    """One post as its home passes it on; nothing in it is believed without its author's proof.

    `endorsers` is None on later pages.
    """

    object: dict[str, Any] | None
    endorsers: tuple[str, ...] | None
    likes: tuple[dict[str, Any], ...] = field(default=())
    revision: int = 0
    after: str = ""


def parse_days(document: dict[str, Any], forum: str, today: date) -> DaysPage:
    """Read a page of days; Malformed for anything else. Days that cannot be are left out."""
    _must_be(document, DIGEST, forum)
    found: dict[str, Bucket] = {}
    latest = f"{today + timedelta(days=1):%Y-%m-%d}"
    for entry in _list(document, "gh:days")[:DAYS_A_PAGE]:
        if not isinstance(entry, dict):
            continue
        day, count, sha256 = entry.get("day"), entry.get("posts"), entry.get("sha256")
        if (
            isinstance(day, str)
            and is_day(day)
            and day <= latest
            and isinstance(count, int)
            and not isinstance(count, bool)
            and 0 < count < 1 << 31
            and isinstance(sha256, str)
            and _SHA256.match(sha256)
        ):
            found[day] = Bucket(day, count, sha256)
    before = document.get("gh:before")
    ordered = sorted(found.values(), key=lambda bucket: bucket.day, reverse=True)
    return DaysPage(tuple(ordered), before if isinstance(before, str) and is_day(before) else "")


def parse_lines(document: dict[str, Any], forum: str) -> LinesPage:
    """Read a page of lines; Malformed for anything else. Lines that say nothing are left out."""
    _must_be(document, DAY, forum)
    found = []
    for entry in _list(document, "gh:lines")[:LINES_A_PAGE]:
        line = parse_line(entry)
        if line is not None:
            found.append(line)
    return LinesPage(tuple(found), _next(document))


def parse_line(entry: object) -> Line | None:
    """A line as it is hashed; None for anything else."""
    match = _LINE.match(entry) if isinstance(entry, str) and len(entry) < 2 * MAX_ID else None
    if match is None or not is_http_url(match["uri"]):
        return None
    return Line(
        match["uri"],
        match["updated"],
        tuple(match["state"].split(",")),
        match["endorsers"],
        match[0],
    )


def parse_one(document: dict[str, Any], forum: str) -> PostPage:
    """Read what a home passes on of one post; Malformed for anything else."""
    _must_be(document, POST, forum)
    passed, endorsers = document.get("object"), document.get("gh:endorsers")
    named = endorsers if isinstance(endorsers, list) else None
    return PostPage(
        object=passed if isinstance(passed, dict) else None,
        endorsers=None
        if named is None
        else tuple(uri for uri in named[:MOST_ENDORSERS] if is_http_url(uri)),
        likes=tuple(
            like for like in _list(document, "items")[:LIKES_A_PAGE] if isinstance(like, dict)
        ),
        revision=_revision(document.get("gh:revision")),
        after=_next(document),
    )


def _revision(value: object) -> int:
    counted = isinstance(value, int) and not isinstance(value, bool) and 0 <= value < MOST_EDITS
    return value if counted and isinstance(value, int) else 0


def _must_be(document: dict[str, Any], kind: str, forum: str) -> None:
    if document.get("type") != kind or document.get("attributedTo") != forum:
        raise Malformed("The answer is not the digest that was asked for.")


def _list(document: dict[str, Any], name: str) -> list[Any]:
    found = document.get(name)
    return found if isinstance(found, list) else []


def _next(document: dict[str, Any]) -> str:
    found = document.get("gh:after")
    return found if isinstance(found, str) and 0 < len(found) <= MAX_ID else ""
