# SPDX-License-Identifier: Apache-2.0
"""What a forum holds, summed up by day, alike at its home and its copies."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from sqlalchemy.ext.asyncio import AsyncSession

from server.facts import (
    Endorsed,
    EndorsementWithdrawn,
    PostDeleted,
    PostEdited,
    ReplyPosted,
    ThreadLocked,
    ThreadPinned,
    ThreadPosted,
)
from server.transaction import Transaction
from storage import digests
from storage.base import insert
from storage.digests import KnownDifference, Standing
from storage.forums import Forum
from storage.posts import Post, PostState

AT_ONCE = 100


class Reason(StrEnum):
    """Why a copy may differ from its home about a post."""

    POLICY = "policy"
    DELETED = "deleted"
    REFUSED = "refused"
    UNMET = "unmet"
    OURS = "ours"
    UNLISTED = "unlisted"
    CONTENTS = "contents"
    DAY = "day"


WITHHELD = (Reason.POLICY, Reason.REFUSED, Reason.UNMET)
"""What readers are told of: posts that are at the home and not here."""

BY_RULES = (*WITHHELD, Reason.CONTENTS)
"""What other rules may decide otherwise."""


@dataclass(frozen=True)
class Bucket:
    """One UTC day of a forum: how many posts, and the SHA-256 over their lines."""

    day: str
    posts: int
    sha256: str


def day_of(published: datetime) -> str:
    """The UTC day, `yyyy-mm-dd`."""
    return f"{published.astimezone(UTC):%Y-%m-%d}"


def line_of(standing: Standing) -> str:
    """`uri, updated, state, endorsers' hash`, with tabs between, as both sides compute it.

    Of a deleted post only that it is deleted: when, each side knows for itself.
    """
    if standing.state == PostState.DELETED:
        return f"{standing.uri}\t\tdeleted\t"
    updated = standing.updated
    marks = ",".join(
        ("live", *(["locked"] if standing.locked else []), *(["pinned"] if standing.pinned else []))
    )
    when = f"{updated:%Y-%m-%dT%H:%M:%S}.{updated.microsecond // 1000:03d}Z" if updated else ""
    return f"{standing.uri}\t{when}\t{marks}\t{endorsers_hash(standing.endorsers)}"


def endorsers_hash(actors: Iterable[str]) -> str:
    """SHA-256 over the sorted actor ids, one a line; "" where nobody endorses."""
    found = sorted(set(actors))
    return hashlib.sha256("\n".join(found).encode()).hexdigest() if found else ""


def sum_of(day: str, lines: Iterable[str]) -> Bucket:
    """The bucket of a day; the order of the lines makes no difference."""
    found = sorted(lines)
    return Bucket(day, len(found), hashlib.sha256("\n".join(found).encode()).hexdigest())


def total_of(buckets: Iterable[Bucket]) -> str:
    """SHA-256 over all days, newest first: two forums with the same total hold the same."""
    ordered = sorted(buckets, key=lambda bucket: bucket.day, reverse=True)
    rows = (f"{bucket.day}\t{bucket.posts}\t{bucket.sha256}" for bucket in ordered)
    return hashlib.sha256("\n".join(rows).encode()).hexdigest()


async def lines_of_day(session: AsyncSession, forum: Forum, day: str) -> dict[str, str]:
    """The line of each post of a day, by its id; a known difference counts as held.

    A post of a copy whose home keeps it under another day stands there.
    """
    found = {one.uri: line_of(one) for one in await digests.of_day(session, forum.id, day)}
    if forum.is_local:
        return found
    for known in (await digests.differences_of(session, forum.id, found)).values():
        if known.day != day:
            del found[known.uri]
    here = await digests.differences(session, forum.id, day)
    away = {known.uri for known in here} - found.keys()
    found |= {one.uri: line_of(one) for one in await digests.of_uris(session, forum.id, away)}
    for known in here:
        if found.get(known.uri, "") == known.ours:
            found[known.uri] = known.theirs
    return {uri: line for uri, line in found.items() if line}


async def held_line(session: AsyncSession, forum: Forum, uri: str) -> tuple[str, str]:
    """(line, day) of a post as the forum holds it, known differences aside; "" for neither."""
    found = await digests.of_uris(session, forum.id, [uri])
    return (line_of(found[0]), day_of(found[0].published)) if found else ("", "")


async def post_changed(tx: Transaction, post: Post) -> None:
    """What was computed of a post's day holds no longer."""
    forum = await tx.session.get_one(Forum, post.forum_id)
    days = {day_of(post.published)}
    if not forum.is_local:
        known = await digests.differences_of(tx.session, forum.id, [post.uri])
        days |= {row.day for row in known.values()}
    await tx.session.flush()
    await digests.mark(tx.session, forum.id, days)


Told = (
    ThreadPosted
    | ReplyPosted
    | PostEdited
    | PostDeleted
    | Endorsed
    | EndorsementWithdrawn
    | ThreadLocked
    | ThreadPinned
)


async def drop_day(tx: Transaction, fact: Told) -> None:
    """The reaction to every fact that changes a post."""
    await post_changed(tx, await tx.session.get_one(Post, fact.post))


async def differ(tx: Transaction, forum: Forum, difference: KnownDifference) -> None:
    """Remember that a post differs and why; it is counted as held from now on."""
    values = {
        name: getattr(difference, name) for name in ("day", "theirs", "ours", "reason", "note")
    } | {"at": tx.now}
    before = await digests.differences_of(tx.session, forum.id, [difference.uri])
    held = await digests.of_uris(tx.session, forum.id, [difference.uri])
    await tx.session.execute(
        insert(tx.session, KnownDifference)
        .values(forum_id=forum.id, uri=difference.uri, **values)
        .on_conflict_do_update(index_elements=["forum_id", "uri"], set_=values)
    )
    days = {difference.day, *(row.day for row in before.values())}
    await digests.mark(tx.session, forum.id, days | {day_of(one.published) for one in held})


async def agree(tx: Transaction, forum: Forum, uri: str) -> None:
    """A post no longer differs."""
    for known in (await digests.differences_of(tx.session, forum.id, [uri])).values():
        held = await digests.of_uris(tx.session, forum.id, [uri])
        await tx.session.delete(known)
        await tx.session.flush()
        days = {known.day, *(day_of(one.published) for one in held)}
        await digests.mark(tx.session, forum.id, days)
