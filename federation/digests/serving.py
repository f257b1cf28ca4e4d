# SPDX-License-Identifier: Apache-2.0
"""The digest of a forum, as its home serves it."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from federation.digests.likes import LikeDocuments
from federation.digests.measures import (
    DAY,
    DAYS_A_PAGE,
    DIGEST,
    LIKES_A_PAGE,
    LINES_A_PAGE,
    MOST_ENDORSERS,
    POST,
    is_day,
)
from federation.members import moment
from server import digests
from server.digests import Bucket
from server.errors import NotFound
from server.instance import Instance
from server.peers import GUILDHALL
from storage import digests as storage
from storage import plain, posts
from storage.endorsements import Endorsement
from storage.forums import Forum
from storage.members import Member
from storage.peers import Peer
from storage.posts import Post, PostState

_LISTED = (PostState.LIVE, PostState.DELETED)
_CONTEXT = ["https://www.w3.org/ns/activitystreams", {"gh": "urn:guildhall:ns#"}]


async def buckets(instance: Instance, forum: Forum) -> list[Bucket]:
    """Every day of a forum with posts, newest first; what has changed is computed anew."""
    while True:
        async with instance.reading() as session:
            stale = await storage.stale(session, forum.id, digests.AT_ONCE)
        found: dict[str, tuple[Bucket, int]] = {}
        for day, changes in stale:
            # A session each: what is summed up is at least as new as the count of changes.
            async with instance.reading() as session:
                lines = await digests.lines_of_day(session, forum, day)
            found[day] = (digests.sum_of(day, lines.values()), changes)
        if found:
            async with instance.transaction() as tx:
                for bucket, changes in found.values():
                    await storage.keep(
                        tx.session, forum.id, bucket.day, changes, bucket.posts, bucket.sha256
                    )
        if len(stale) < digests.AT_ONCE:
            break
    async with instance.reading() as session:
        held = {row[0]: Bucket(*row) for row in await storage.computed(session, forum.id)}
    # What has changed once more meanwhile is as it was a moment ago.
    held |= {day: bucket for day, (bucket, _) in found.items() if day not in held}
    kept = (bucket for bucket in held.values() if bucket.posts)
    return sorted(kept, key=lambda bucket: bucket.day, reverse=True)


class DigestDocuments(LikeDocuments):
    """The digest's three faces, for listed agencies that run Guildhall."""

    async def _own_forum(self, handle: str) -> Forum:
        peer = await plain.found(self.session, Peer, self.asker.host or "")
        if not self.asker.allowed or peer is None or peer.software != GUILDHALL:
            raise NotFound
        return await self._forum(handle)

    async def days(self, handle: str, before: str) -> dict[str, Any]:
        """The days of a forum, newest first; `before` is a day, or empty for the newest page."""
        forum = await self._own_forum(handle)
        # Given back meanwhile: each day is read in a session of its own.
        await self.session.commit()
        await plain.give_back(self.session)
        return days_document(forum.uri, await buckets(self.wire.instance, forum), before)

    async def is_level(self, document: dict[str, Any]) -> None:
        """Whoever asks holds all of a forum that its days sum up."""
        await self.wire.level.found(self.asker.host or "", str(document["attributedTo"]))

    async def day(self, handle: str, day: str, after: str) -> dict[str, Any]:
        """The lines of one day, sorted, those that sort behind the id `after`."""
        forum = await self._own_forum(handle)
        if not is_day(day):
            raise NotFound
        lines = await digests.lines_of_day(self.session, forum, day)
        return day_document(forum.uri, day, sorted(lines.values()), after)

    async def one(self, handle: str, uri: str, after: int) -> dict[str, Any]:
        """A post as its author sent it, with who endorses it; of a deleted one what remains."""
        forum = await self._own_forum(handle)
        post = await posts.by_uri(self.session, uri)
        if post is None or post.forum_id != forum.id or post.state not in _LISTED:
            raise NotFound
        if post.state == PostState.DELETED:
            return post_document(forum.uri, uri, Whole(await self._remains(post), 0, []), [])
        whole = None
        if not after:
            ((_, passed_on),) = await self._objects([post.id])
            whole = Whole(passed_on, post.revision, await self._endorsers(post))
        likes = await self._likes(post, after=after, most=LIKES_A_PAGE + 1)
        return post_document(forum.uri, uri, whole, likes)

    async def _remains(self, post: Post) -> dict[str, Any]:
        """A tombstone that says where it stood: what is live may answer it."""
        remains = await self._tombstone(post) | {"published": moment(post.published)}
        if post.parent_id is not None:
            parent = await self.session.get_one(Post, post.parent_id)
            remains["inReplyTo"] = post.parent_uri or parent.uri
        return remains

    async def _endorsers(self, post: Post) -> list[str]:
        question = (
            select(Member.uri)
            .join(Endorsement, Endorsement.member_id == Member.id)
            .where(Endorsement.post_id == post.id, Endorsement.active)
            .limit(MOST_ENDORSERS)
        )
        return sorted((await self.session.execute(question)).scalars())


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


@dataclass(frozen=True)
class Whole:
    """What the first page about a post holds beside Likes."""

    object: dict[str, Any]
    revision: int
    endorsers: list[str]


def post_document(
    forum: str, uri: str, whole: Whole | None, likes: list[tuple[int, dict[str, Any]]]
) -> dict[str, Any]:
    """A page about one post; `likes` with the numbers that they are paged by, one too many."""
    document: dict[str, Any] = {
        "@context": _CONTEXT,
        "id": f"{forum}/digest?post={uri}",
        "type": POST,
        "attributedTo": forum,
    }
    if whole is not None:
        document["object"] = whole.object
        document["gh:revision"] = whole.revision
        document["gh:endorsers"] = whole.endorsers
    document["items"] = [like for _, like in likes[:LIKES_A_PAGE]]
    if len(likes) > LIKES_A_PAGE:
        document["gh:after"] = str(likes[LIKES_A_PAGE - 1][0])
    return document


def tag_of(document: dict[str, Any]) -> str:
    """The ETag of a digest: what it sums up to. "" for its other faces."""
    return str(document.get("gh:sha256", "")) if document.get("type") == DIGEST else ""
