# SPDX-License-Identifier: Apache-2.0
"""How far a member has read a timeline in their apps."""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from server.timelines import notices
from server.transaction import Transaction
from storage.base import insert
from storage.markers import Marker
from storage.members import Member

HOME = "home"
NOTIFICATIONS = "notifications"
TIMELINES = (HOME, NOTIFICATIONS)


async def held(session: AsyncSession, member: Member) -> dict[str, Marker]:
    """The member's markers by timeline."""
    question = select(Marker).where(Marker.member_id == member.id)
    return {one.timeline: one for one in (await session.execute(question)).scalars()}


async def move(tx: Transaction, member: Member, timeline: str, last_read: int) -> Marker:
    """Remember the last line read; notices up to it count as read on the site as well."""
    values = {"last_read": str(last_read), "updated": tx.now}
    await tx.session.execute(
        insert(tx.session, Marker)
        .values(member_id=member.id, timeline=timeline, version=1, **values)
        .on_conflict_do_update(
            index_elements=["member_id", "timeline"],
            set_={**values, "version": Marker.version + 1},
        )
    )
    if timeline == NOTIFICATIONS:
        await notices.read_upto(tx, member, last_read)
    question = select(Marker).where(Marker.member_id == member.id, Marker.timeline == timeline)
    found = await tx.session.execute(question, execution_options={"populate_existing": True})
    return found.scalar_one()
