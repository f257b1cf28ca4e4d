# SPDX-License-Identifier: Apache-2.0
"""Asking the home of a forum for its digest."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from federation.authority import same_origin
from federation.digests.reading import (
    DaysPage,
    Line,
    LinesPage,
    PostPage,
    parse_days,
    parse_lines,
    parse_one,
)
from federation.errors import BadAnswer, StatusError, Unreachable, WireError
from federation.fetch import Response
from federation.vocabulary.errors import Malformed
from federation.vocabulary.posts import parse_post
from federation.vocabulary.reader import read
from federation.vocabulary.terms import ACTIVITY_JSON, is_activity_json
from federation.wire import Wire
from server.digests import Bucket

MOST_PAGES_OF_DAYS = 20
MOST_PAGES_OF_LINES = 200
MOST_PAGES_OF_LIKES = 50
NOT_MODIFIED = 304
NOT_FOUND = 404


class NoDigest(Unreachable):
    """The home has no digest of this forum for us."""


@dataclass(frozen=True)
class Asking:
    """One home's digest of one forum; every answer is bounded, and none is authority."""

    wire: Wire
    forum: str

    async def days(self, total: str) -> dict[str, Bucket] | None:
        """The days the home has, by day; None where all of it sums up to `total`.

        Raises NoDigest where there is none at all.
        """
        try:
            return await self._days(total)
        except StatusError as error:
            if error.status == NOT_FOUND:
                raise NoDigest from error
            raise

    async def _days(self, total: str) -> dict[str, Bucket] | None:
        found: dict[str, Bucket] = {}
        before = ""
        today = self.wire.instance.clock.now().date()
        for _ in range(MOST_PAGES_OF_DAYS):
            asked = {"before": before} if before else {}
            document = await self._get(asked, tag="" if before else total)
            if document is None:
                return None
            page: DaysPage = _parsed(parse_days, document, self.forum, today)
            found |= {bucket.day: bucket for bucket in page.days}
            if not page.before or (before and page.before >= before):
                break
            before = page.before
        return found

    async def lines(self, day: str) -> dict[str, Line]:
        """What the home says of each post of a day that it has, by id, in order."""
        try:
            return await self._lines(day)
        except StatusError as error:
            if error.status == NOT_FOUND:
                raise BadAnswer("The home has no day that it said it has.") from error
            raise

    async def _lines(self, day: str) -> dict[str, Line]:
        found: dict[str, Line] = {}
        after = ""
        for _ in range(MOST_PAGES_OF_LINES):
            asked = {"day": day} | ({"after": after} if after else {})
            page: LinesPage = _parsed(parse_lines, await self._get(asked) or {}, self.forum)
            found |= {line.uri: line for line in page.lines}
            if not page.after or page.after <= after:
                break
            after = page.after
        return dict(sorted(found.items()))

    async def one(self, uri: str, after: str = "") -> PostPage | None:
        """A post as the home passes it on; None where the home has none of this id."""
        asked = {"post": uri} | ({"after": after} if after else {})
        try:
            document = await self._get(asked)
        except StatusError as error:
            if error.status == NOT_FOUND:
                return None
            raise
        page: PostPage = _parsed(parse_one, document or {}, self.forum)
        return page

    async def reason(self, uri: str) -> str | None:
        """Why a steward removed a post; None where its author deleted it, or nobody knows."""
        try:
            page = await self.one(uri)
            remains = parse_post(page.object) if page is not None and page.object else None
        except (Malformed, WireError):
            # It goes all the same.
            return None
        is_tombstone = remains is not None and remains.type == "Tombstone"
        return remains.summary if remains is not None and is_tombstone else None

    async def likes(self, uri: str, first: PostPage) -> list[dict[str, Any]]:
        """Every endorsement of a post that the home passes on."""
        found, page = list(first.likes), first
        for _ in range(MOST_PAGES_OF_LIKES):
            if not page.after:
                break
            following = await self.one(uri, page.after)
            if following is None or following.after == page.after:
                break
            page = following
            found += page.likes
        return found

    async def _get(self, asked: dict[str, str], *, tag: str = "") -> dict[str, Any] | None:
        """An answer as JSON; None for 304 to `tag`."""
        url = f"{self.forum}/digest"
        if asked:
            url = f"{url}?{urlencode(asked, quote_via=quote, safe='')}"
        await self.wire.must_be_allowed(url)
        answer: Response = await self.wire.door.get(
            url,
            accept=ACTIVITY_JSON,
            sign=await self.wire.signer(),
            redirects=0,
            headers={"If-None-Match": f'"{tag}"'} if tag else {},
        )
        if answer.status == NOT_MODIFIED:
            return None
        if not same_origin(answer.url, self.forum):
            raise BadAnswer("The digest is answered by another server.")
        if not is_activity_json(answer.headers.get("Content-Type", "")):
            raise BadAnswer("The other server's answer is not marked as ActivityPub.")
        try:
            return read(answer.body)
        except Malformed as error:
            raise BadAnswer(str(error)) from error


def _parsed(parse: Any, document: dict[str, Any], *about: object) -> Any:
    """What a reader makes of a document; BadAnswer where it is none of its kind."""
    try:
        return parse(document, *about)
    except Malformed as error:
        raise BadAnswer(str(error)) from error
