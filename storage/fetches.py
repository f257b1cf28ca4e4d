# SPDX-License-Identifier: Apache-2.0
"""Which servers fetched which posts of ours, and so hold copies of them."""

from dataclasses import dataclass

from sqlalchemy import ForeignKey, delete, exists, func, not_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from storage.base import Base, Characters, Url
from storage.keys import ActorKey
from storage.log import Lane, Subscription
from storage.peers import Peer

KEY = ("post_id", "host")


class FetchedPost(Base):
    """A server was given a post; `actor` signed the request."""

    __tablename__ = "fetched_posts"

    post_id: Mapped[int] = mapped_column(ForeignKey("posts.id"), primary_key=True)
    host: Mapped[str] = mapped_column(Characters(255), primary_key=True)
    actor: Mapped[Url]


@dataclass(frozen=True)
class Fetcher:
    """A server that fetched a post, as far as it is known: one lane to it, else an inbox."""

    host: str
    inbox: str
    lane: int | None
    peer: Peer | None


async def of_post(session: AsyncSession, post: int, audience: str, most: int) -> list[Fetcher]:
    """Those who fetched a post and do not follow the audience, by which they would be told."""
    inbox = (
        select(func.max(ActorKey.inbox))
        .where(ActorKey.owner == FetchedPost.actor)
        .correlate(FetchedPost)
        .scalar_subquery()
    )
    lane = (
        select(func.min(Lane.id))
        .where(Lane.peer == FetchedPost.host)
        .correlate(FetchedPost)
        .scalar_subquery()
    )
    follows = exists().where(
        Lane.peer == FetchedPost.host,
        Subscription.lane_id == Lane.id,
        Subscription.audience == audience,
        Subscription.until_seq.is_(None),
    )
    question = (
        select(FetchedPost.host, inbox, lane, Peer)
        .outerjoin(Peer, Peer.host == FetchedPost.host)
        .where(FetchedPost.post_id == post, not_(follows))
        .order_by(FetchedPost.host)
        .limit(most)
    )
    rows = (await session.execute(question)).all()
    return [Fetcher(host, inbox or "", lane, peer) for host, inbox, lane, peer in rows]


async def forget(session: AsyncSession, post: int) -> None:
    """The post is gone, and everybody was told."""
    await session.execute(delete(FetchedPost).where(FetchedPost.post_id == post))
