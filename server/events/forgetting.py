# SPDX-License-Identifier: Apache-2.0
"""Leaving nothing of a deleted event, once its guests were told."""

from sqlalchemy import delete, select

from server import letters
from server.events.details import of_row
from server.events.telling import COMING, guests_here
from server.facts import GuestDropped, PostDeleted
from server.transaction import Transaction
from storage.events import Event, EventGuest, EventSeries, GuestState
from storage.letters import Letter
from storage.members import Member
from storage.posts import Post


async def forget(tx: Transaction, fact: PostDeleted) -> None:
    """Take an event out of the calendar; whoever had a place hears by letter that it is gone."""
    event = await tx.session.get(Event, fact.post)
    if event is None:
        return
    # Letters about it say what it was called.
    await tx.session.execute(delete(Letter).where(Letter.post_id == event.post_id))
    if event.ends > tx.now:
        when = of_row(event).when
        async for guest in guests_here(tx, event.post_id, COMING):
            address = guest.email
            if guest.member_id is not None:
                address = (await tx.session.get_one(Member, guest.member_id)).email
            if address:
                words = f"An event that you signed up for, on {when}, was deleted."
                letters.post(tx, address, "An event you signed up for was deleted", f"{words}\n")
        await _drop_elsewhere(tx, event.post_id)
    for table in (EventGuest, Event):
        await tx.session.execute(delete(table).where(table.post_id == fact.post))
    if event.series:
        await _forget_series(tx, event.series)


async def _drop_elsewhere(tx: Transaction, number: int) -> None:
    """Guests at other agencies of an event of ours are told by a last answer."""
    post = await tx.session.get_one(Post, number)
    if not (await tx.session.get_one(Member, post.author_id)).is_local:
        return
    question = (
        select(EventGuest)
        .join(Member, Member.id == EventGuest.member_id)
        .where(
            EventGuest.post_id == number,
            EventGuest.state.in_((GuestState.GOING, GuestState.WAITING)),
            Member.peer.is_not(None),
        )
    )
    async for guest in await tx.session.stream_scalars(question):
        tx.record(
            GuestDropped(number, guest.member_id or 0, guest.uri, guest.id, guest.answers + 1)
        )


async def _forget_series(tx: Transaction, uri: str) -> None:
    """With its last event goes what more of them would be made from."""
    left = select(Event.post_id).where(Event.series == uri).limit(1)
    if (await tx.session.execute(left)).first() is None:
        await tx.session.execute(delete(EventSeries).where(EventSeries.uri == uri))
