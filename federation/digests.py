# SPDX-License-Identifier: Apache-2.0
"""The digest of a forum on the wire: made by its home, read by copies."""

import re
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from sqlalchemy import select

from federation.documents import Documents
from federation.vocabulary.errors import Malformed
from federation.vocabulary.values import MAX_ID, is_http_url
from server import digests
from server.digests import Bucket
from server.errors import NotFound
from server.instance import Instance
from server.peers import GUILDHALL
from storage import digests as storage
from storage import posts
from storage.endorsements import Endorsement
from storage.forums import Forum
from storage.members import Member
from storage.peers import Peer
from storage.posts import Post, PostState

DAYS_A_PAGE = 1_000
LINES_A_PAGE = 1_000
LIKES_A_PAGE = 100
MOST_ENDORSERS = 5_000
MOST_EDITS = 1_000_000
DIGEST, DAY, POST = "gh:Digest", "gh:DigestDay", "gh:DigestPost"
_CONTEXT = ["https://www.w3.org/ns/activitystreams", {"gh": "urn:guildhall:ns#"}]
_SHA256 = re.compile(r"[0-9a-f]{64}\Z")
_LINE = re.compile(
    r"(?P<uri>[^\t\n]+)\t(?P<updated>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z|)"
    r"\t(?P<state>deleted|live(?:,locked)?(?:,pinned)?)\t(?P<endorsers>[0-9a-f]{64}|)\Z"
)
FIRST_DAY = date(2000, 1, 1)


async def buckets(instance: Instance, forum: Forum) -> list[Bucket]:
    """Every day of a forum with posts, newest first; what has changed is computed anew."""
    while True:
        async with instance.reading() as session:
            stale = await storage.stale(session, forum.id, digests.AT_ONCE)
            if not stale:
                return [Bucket(*row) for row in await storage.computed(session, forum.id)]
        found: list[tuple[Bucket, int]] = []
        for day, changes in stale:
            # A session each: what is summed up is at least as new as the count of changes.
            async with instance.reading() as session:
                lines = await digests.lines_of_day(session, forum, day)
            found.append((digests.sum_of(day, lines.values()), changes))
        async with instance.transaction() as tx:
            for bucket, changes in found:
                await storage.keep(
                    tx.session, forum.id, bucket.day, changes, bucket.posts, bucket.sha256
                )


class DigestDocuments(Documents):
    """The digest's three faces, for listed agencies that run Guildhall."""

    async def _own_forum(self, handle: str) -> Forum:
        peer = await self.session.get(Peer, self.asker.host or "")
        if not self.asker.allowed or peer is None or peer.software != GUILDHALL:
            raise NotFound
        return await self._forum(handle)

    async def days(self, handle: str, before: str) -> dict[str, Any]:
        """The days of a forum, newest first; `before` is a day, or empty for the newest page."""
        forum = await self._own_forum(handle)
        # Given back meanwhile: each day is read in a session of its own.
        await self.session.commit()
        found = await buckets(self.wire.instance, forum)
        return days_document(forum.uri, found, before)

    async def day(self, handle: str, day: str, after: str) -> dict[str, Any]:
        """The lines of one day, sorted, those that sort behind the id `after`."""
        forum = await self._own_forum(handle)
        if not is_day(day):
            raise NotFound
        lines = await digests.lines_of_day(self.session, forum, day)
        return day_document(forum.uri, day, sorted(lines.values()), after)

    async def one(self, handle: str, uri: str, after: int) -> dict[str, Any]:
        """A post of the forum as its author sent it, with who endorses it."""
        forum = await self._own_forum(handle)
        post = await posts.by_uri(self.session, uri)
        if post is None or post.forum_id != forum.id or post.state != PostState.LIVE:
            raise NotFound
        document: dict[str, Any] = {
            "@context": _CONTEXT,
            "id": f"{forum.uri}/digest?post={uri}",
            "type": POST,
            "attributedTo": forum.uri,
            "items": [],
        }
        if not after:
            document["object"] = (await self._objects([post]))[post.id]
            document["gh:revision"] = post.revision
            document["gh:endorsers"] = await self._endorsers(post)
        likes = await self._likes(post, after=after, most=LIKES_A_PAGE + 1)
        document["items"] = [like for _, like in likes[:LIKES_A_PAGE]]
        if len(likes) > LIKES_A_PAGE:
            document["gh:after"] = str(likes[LIKES_A_PAGE - 1][0])
        return document

    async def _endorsers(self, post: Post) -> list[str]:
        question = (
            select(Member.uri)
            .join(Endorsement, Endorsement.member_id == Member.id)
            .where(Endorsement.post_id == post.id, Endorsement.active)
            .limit(MOST_ENDORSERS)
        )
        return sorted((await self.session.execute(question)).scalars())


def is_day(value: object) -> bool:
    """Whether this is `yyyy-mm-dd`, a day of this calendar since 2000."""
    if not isinstance(value, str) or len(value) != 10:
        return False
    try:
        found = date.fromisoformat(value)
    except ValueError:
        return False
    return found >= FIRST_DAY and value == f"{found:%Y-%m-%d}"


def days_document(forum: str, found: list[Bucket], before: str) -> dict[str, Any]:
    """A page of days, newest first, with the sum of all of them."""
    rest = [bucket for bucket in found if not before or bucket.day < before]
    document: dict[str, Any] = {
        "@context": _CONTEXT,
        "id": f"{forum}/digest",
        "type": DIGEST,
        "attributedTo": forum,
        "gh:sha256": digests.total_of(found),
        "gh:days": [
            {"day": bucket.day, "posts": bucket.posts, "sha256": bucket.sha256}
            for bucket in rest[:DAYS_A_PAGE]
        ],
    }
    if len(rest) > DAYS_A_PAGE:
        document["gh:before"] = rest[DAYS_A_PAGE - 1].day
    return document


def day_document(forum: str, day: str, lines: list[str], after: str) -> dict[str, Any]:
    """A page of lines, as they are hashed."""
    rest = [line for line in lines if not after or line.partition("\t")[0] > after]
    document: dict[str, Any] = {
        "@context": _CONTEXT,
        "id": f"{forum}/digest?day={day}",
        "type": DAY,
        "attributedTo": forum,
        "gh:lines": rest[:LINES_A_PAGE],
    }
    if len(rest) > LINES_A_PAGE:
        document["gh:after"] = rest[LINES_A_PAGE - 1].partition("\t")[0]
    return document


def tag_of(document: dict[str, Any]) -> str:
    """The ETag of a digest: what it sums up to. "" for its other faces."""
    return str(document.get("gh:sha256", "")) if document.get("type") == DIGEST else ""


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
