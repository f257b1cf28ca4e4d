# SPDX-License-Identifier: Apache-2.0
"""Links of resources: which are to be visited, and what came of it.

The home of a resource visits its link, and says in its document what it found; a copy shows that.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from server.facts import LinkChanged, ResourcePublished
from server.notifications import Notice, tell_author
from server.resources.record import unpack
from server.transaction import Transaction
from storage.base import UtcDateTime
from storage.links import ResourceLink
from storage.members import Member
from storage.plain import Question, ask, found, given
from storage.posts import Post
from storage.resources import Resource

WEEKLY = timedelta(days=7)
AGAIN = timedelta(days=1)
# One visit in vain may be a server that starts anew: only the next, a day later, is told.
TOLD_AFTER = 2
AT_ONCE = 50


@dataclass(frozen=True)
class Dead:
    """A link that has not answered since a moment, and what came of the last visit.

    `said` is when the home of a copy found that, None for what we found ourselves.
    """

    since: datetime
    fault: str
    said: datetime | None = None


@dataclass(frozen=True)
class LinkState:
    """What the home of a resource found at its link: `since` None where it answers."""

    since: datetime | None
    visited: datetime


async def mind(tx: Transaction, fact: ResourcePublished) -> None:
    """Have the link of a resource of ours visited; copies are their home's to look after."""
    post = await tx.session.get_one(Post, fact.post)
    author = await tx.session.get_one(Member, post.author_id)
    url = unpack((await tx.session.get_one(Resource, post.id)).record).link
    held = await tx.session.get(ResourceLink, post.id)
    if held is not None and held.url == url:
        return
    if held is not None:
        await tx.session.delete(held)
        await tx.session.flush()
    if url and author.is_local:
        tx.session.add(ResourceLink(post_id=post.id, url=url, next=tx.now, failures=0, fault=""))
    await tx.session.flush()


_DUE: Question[tuple[int, str]] = Question(
    select(ResourceLink.post_id, ResourceLink.url)
    .where(ResourceLink.next <= given("now", UtcDateTime()))
    .order_by(ResourceLink.next)
    .limit(AT_ONCE),
    lambda *both: both,
)


async def due(session: AsyncSession, now: datetime) -> list[tuple[int, str]]:
    """The links to be visited, with the posts they stand in, the longest due first."""
    return await ask(session, _DUE, now=now)


async def visited(tx: Transaction, number: int, url: str, fault: str) -> None:
    """What came of a visit: "" where it answered. The author is told of the second in vain."""
    link = await tx.session.get(ResourceLink, number)
    if link is None or link.url != url:
        return
    link.visited = tx.now
    if not fault:
        was_dead = link.failures >= TOLD_AFTER
        link.since, link.failures, link.fault, link.next = None, 0, "", tx.now + WEEKLY
        if was_dead:
            tx.record(changed(number, tx.now))
        return
    link.since = link.since or tx.now
    link.failures += 1
    link.fault = fault[:500]
    link.next = tx.now + (AGAIN if link.failures < TOLD_AFTER else WEEKLY)
    if link.failures == TOLD_AFTER:
        await tell_author(tx, Notice.LINK, await tx.session.get_one(Post, number))
        tx.record(changed(number, tx.now))


def changed(number: int, at: datetime) -> LinkChanged:
    """That a link was found dead, or alive again."""
    return LinkChanged(number, int(at.timestamp() * 1_000))


async def told(tx: Transaction, post: Post, version: int, state: LinkState) -> bool:
    """Keep what the home of a copy says of the link of this version; whether it is a change.

    What it said earlier changes nothing, and about the links of our own nobody tells us.
    """
    author = await tx.session.get_one(Member, post.author_id)
    resource = await tx.session.get(Resource, post.id)
    if author.is_local or resource is None or resource.version != version:
        return False
    url = unpack(resource.record).link
    visited = min(state.visited, tx.now)
    held = await tx.session.get(ResourceLink, post.id)
    if held is not None and held.url != url:
        await tx.session.delete(held)
        await tx.session.flush()
        held = None
    if not url or (held is not None and held.visited is not None and visited <= held.visited):
        return False
    if held is None:
        held = ResourceLink(post_id=post.id, url=url, next=None, failures=0, fault="")
        tx.session.add(held)
    was_dead = held.since is not None
    held.visited, held.since = visited, state.since and min(state.since, visited)
    held.failures = 0 if held.since is None else TOLD_AFTER
    await tx.session.flush()
    return was_dead is not (held.since is not None)


async def states_of(session: AsyncSession, numbers: Collection[int]) -> dict[int, LinkState]:
    """What was found at the links of these resources, as their documents say it."""
    question = select(ResourceLink).where(
        ResourceLink.post_id.in_(numbers), ResourceLink.visited.is_not(None)
    )
    return {
        link.post_id: LinkState(link.since if link.failures >= TOLD_AFTER else None, link.visited)
        for link in (await session.execute(question)).scalars()
        if link.visited is not None
    }


async def dead_link_of(session: AsyncSession, number: int) -> Dead | None:
    """Since when the link of a resource has not answered; None while it does."""
    link = await found(session, ResourceLink, number)
    if link is None or link.since is None or link.failures < TOLD_AFTER:
        return None
    return Dead(link.since, link.fault, link.visited if link.next is None else None)
