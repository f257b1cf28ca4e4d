# SPDX-License-Identifier: Apache-2.0
"""How many new people of one agency may begin to post at once."""

from datetime import timedelta

from sqlalchemy import bindparam, exists, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from server.ids import earliest
from server.transaction import Transaction
from storage.members import Member
from storage.posts import Post

MOST_AN_HOUR = 20
NEW_FOR = timedelta(days=1)
AN_HOUR = timedelta(hours=1)


async def must_wait(tx: Transaction, person: Member) -> bool:
    """Whether a newcomer's first post is to wait until fewer others of their host came lately.

    New is who was first heard of here less than a day ago: how old an account claims to be
    proves nothing. Whoever has posted before never waits.
    """
    if person.is_local or person.id < earliest(tx.now - NEW_FOR):
        return False
    if await _has_posted(tx.session, person):
        return False
    came = (
        select(func.count(func.distinct(Post.author_id)))
        .join(Member, Member.id == Post.author_id)
        .where(
            Member.peer == person.peer,
            Member.id >= earliest(tx.now - NEW_FOR),
            Post.arrived > tx.now - AN_HOUR,
        )
    )
    return bool((await tx.session.execute(came)).scalar_one() >= MOST_AN_HOUR)


_HAS_POSTED = select(exists().where(Post.author_id == bindparam("author")))


async def _has_posted(session: AsyncSession, person: Member) -> bool:
    return bool((await session.execute(_HAS_POSTED, {"author": person.id})).scalar_one())
