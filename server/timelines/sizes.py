# SPDX-License-Identifier: Apache-2.0
"""How large an instance is, as far as anybody may know."""

from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from storage.forums import Forum, Visibility
from storage.members import Member, MemberState
from storage.peers import Peer


@dataclass(frozen=True)
class Sizes:
    """Counts of accounts here, of posts in public forums here, and of other agencies."""

    members: int
    posts: int
    peers: int


async def sizes(session: AsyncSession) -> Sizes:
    """The counts, from the forums' own counters."""
    here = (Member.peer.is_(None), Member.state == MemberState.ACTIVE)
    members = select(func.count()).select_from(Member).where(*here)
    open_forums = (Forum.peer.is_(None), Forum.visibility == Visibility.PUBLIC)
    posts = select(func.coalesce(func.sum(Forum.post_count), 0)).where(*open_forums)
    peers = select(func.count()).select_from(Peer)
    asked = [(await session.execute(question)).scalar_one() for question in (members, posts, peers)]
    return Sizes(*(int(one) for one in asked))


async def contact(session: AsyncSession) -> Member | None:
    """Whom to turn to: the administrator who was here first."""
    question = (
        select(Member)
        .where(Member.peer.is_(None), Member.is_admin, Member.state == MemberState.ACTIVE)
        .order_by(Member.id)
        .limit(1)
    )
    return (await session.execute(question)).scalar_one_or_none()
