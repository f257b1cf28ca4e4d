# SPDX-License-Identifier: Apache-2.0
"""Links of our own resources: which are to be visited, and what came of it."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from server.facts import ResourcePublished
from server.notifications import Notice, tell_author
from server.resources.record import unpack
from server.transaction import Transaction
from storage.links import ResourceLink
from storage.members import Member
from storage.posts import Post
from storage.resources import Resource

WEEKLY = timedelta(days=7)
AGAIN = timedelta(days=1)
# One visit in vain may be a server that starts anew: only the next, a day later, is told.
TOLD_AFTER = 2
AT_ONCE = 50


@dataclass(frozen=True)
class Dead:
    """A link that has not answered since a moment, and what came of the last visit."""

    since: datetime
    fault: str


async def mind(tx: Transaction, fact: ResourcePublished) -> None:
    """Have the link of a resource of ours visited; copies are their home's to look after."""
    post = await tx.session.get_one(Post, fact.post)
    author = await tx.session.get_one(Member, post.author_id)
    if not author.is_local:
        return
    url = unpack((await tx.session.get_one(Resource, post.id)).record).link
    held = await tx.session.get(ResourceLink, post.id)
    if held is not None and held.url == url:
        return
    if held is not None:
        await tx.session.delete(held)
        await tx.session.flush()
    if url:
        tx.session.add(ResourceLink(post_id=post.id, url=url, next=tx.now, failures=0, fault=""))
    await tx.session.flush()


async def due(session: AsyncSession, now: datetime) -> list[tuple[int, str]]:
    """The links to be visited, with the posts they stand in, the longest due first."""
    question = (
        select(ResourceLink.post_id, ResourceLink.url)
        .where(ResourceLink.next <= now)
        .order_by(ResourceLink.next)
        .limit(AT_ONCE)
    )
    return [(row[0], row[1]) for row in (await session.execute(question)).all()]


async def visited(tx: Transaction, number: int, url: str, fault: str) -> None:
    """What came of a visit: "" where it answered. The author is told of the second in vain."""
    link = await tx.session.get(ResourceLink, number)
    if link is None or link.url != url:
        return
    if not fault:
        link.since, link.failures, link.fault, link.next = None, 0, "", tx.now + WEEKLY
        return
    link.since = link.since or tx.now
    link.failures += 1
    link.fault = fault[:500]
    link.next = tx.now + (AGAIN if link.failures < TOLD_AFTER else WEEKLY)
    if link.failures == TOLD_AFTER:
        await tell_author(tx, Notice.LINK, await tx.session.get_one(Post, number))


async def dead_link_of(session: AsyncSession, number: int) -> Dead | None:
    """Since when the link of a resource has not answered; None while it does."""
    link = await session.get(ResourceLink, number)
    if link is None or link.since is None or link.failures < TOLD_AFTER:
        return None
    return Dead(link.since, link.fault)
