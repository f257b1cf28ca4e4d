# SPDX-License-Identifier: Apache-2.0
"""What mentoring does by itself: asks how it went, forgets what is old."""

from datetime import timedelta

from sqlalchemy import select

from server.instance import Instance
from server.mentoring import notices
from server.mentoring.notices import Notice
from server.transaction import Transaction
from storage import passing
from storage.base import UtcDateTime
from storage.mentoring import Entry, EntryKind, Pairing, PairState
from storage.plain import given

# Long enough for a session to be over, and for the two to have said so by themselves.
AFTER = timedelta(hours=3)
NO_LATER = timedelta(days=14)
AT_ONCE = 100
# Written once, for it is asked every few minutes.
_UNTOLD = (
    select(Entry, Pairing)
    .join(Pairing, Pairing.id == Entry.pairing_id)
    .where(
        Entry.kind == EntryKind.SESSION,
        Entry.state == "planned",
        Entry.starts < given("before", UtcDateTime()),
        Entry.starts > given("after", UtcDateTime()),
        Entry.followed_up.is_(None),
        Pairing.state == PairState.ACTIVE,
    )
    .order_by(Entry.starts)
    .limit(AT_ONCE)
)


async def tend(instance: Instance) -> None:
    """Ask after sessions of which nobody said how they went; leave nothing of what was sent."""
    async with instance.transaction() as tx:
        await passing.scrub_delivered(tx.session, 10 * AT_ONCE)
        await ask_how_it_went(tx)
        await notices.tidy(tx)


async def ask_how_it_went(tx: Transaction) -> int:
    """Both of a pair are asked once about a session that is over; answers about how many."""
    between = {"after": tx.now - NO_LATER, "before": tx.now - AFTER}
    found = (await tx.session.execute(_UNTOLD, between)).all()
    for entry, pairing in found:
        entry.followed_up = tx.now
        await notices.tell_both(tx, pairing, Notice.FEEDBACK_DUE)
    return len(found)
