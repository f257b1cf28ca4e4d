# SPDX-License-Identifier: Apache-2.0
"""How a member reads the calendar: their zone, their own feed."""

from sqlalchemy.ext.asyncio import AsyncSession

from server.transaction import Transaction
from storage import events
from storage.base import insert
from storage.events import CalendarChoice, EventGuest
from storage.members import Member
from storage.posts import Post


async def keep_zone(tx: Transaction, member: Member, zone: str) -> None:
    """Show this member times in a zone from now on; "" for each event's own."""
    await tx.session.execute(
        insert(tx.session, CalendarChoice)
        .values(member_id=member.id, zone=zone[:64], feed=0)
        .on_conflict_do_update(index_elements=["member_id"], set_={"zone": zone[:64]})
    )


async def renew_feed(tx: Transaction, member: Member) -> None:
    """Give the member's own feed another address."""
    kept = await tx.session.get(CalendarChoice, member.id)
    if kept is None:
        tx.session.add(CalendarChoice(member_id=member.id, zone="", feed=1))
    else:
        kept.feed += 1


async def guest_of(session: AsyncSession, post: Post, member: Member | None) -> EventGuest | None:
    """Where a member stands with an event; None for a visitor."""
    return None if member is None else await events.guest_of(session, post.id, member.id)
