# SPDX-License-Identifier: Apache-2.0
"""What guests hear of an event: notices on the site, and letters."""

from collections.abc import AsyncIterator

from sqlalchemy import select

from server import letters
from server.events.details import Details, of_row
from server.facts import EventChanged, GuestAnswered, JoinSettled
from server.notifications import Notice, tell_again
from server.transaction import Transaction
from storage import events
from storage.events import Event, EventGuest, GuestState
from storage.members import Member
from storage.posts import Post

AT_ONCE = 500
COMING = (GuestState.GOING, GuestState.WAITING, GuestState.ASKED)
_NOTICES = {
    GuestState.GOING: Notice.EVENT_PLACE,
    GuestState.WAITING: Notice.EVENT_WAITING,
    GuestState.REFUSED: Notice.EVENT_REFUSED,
}


async def guests_here(
    tx: Transaction, post: int, states: tuple[GuestState, ...]
) -> AsyncIterator[EventGuest]:
    """The guests of an event whom this instance tells: its own members, and those by e-mail."""
    last = 0
    while True:
        question = (
            select(EventGuest, Member)
            .outerjoin(Member, Member.id == EventGuest.member_id)
            .where(
                EventGuest.post_id == post,
                EventGuest.state.in_(states),
                EventGuest.id > last,
                Member.peer.is_(None),
            )
            .order_by(EventGuest.id)
            .limit(AT_ONCE)
        )
        # With their members, so that the session need not ask for each of them.
        found = (await tx.session.execute(question)).all()
        for guest, _ in found:
            yield guest
        if len(found) < AT_ONCE:
            return
        last = found[-1][0].id


async def tell_of_change(tx: Transaction, fact: EventChanged) -> None:
    """Everybody who comes, waits or has asked hears that it is another time or place, or off."""
    post = await tx.session.get_one(Post, fact.post)
    details = of_row(await tx.session.get_one(Event, post.id))
    is_off = details.status == "cancelled"
    subject = f"{'Cancelled' if is_off else 'Changed'}: {post.title}"
    words = "It does not take place." if is_off else "It is now:"
    async for guest in guests_here(tx, post.id, COMING):
        lines = [words, details.sentence]
        if guest.state == GuestState.GOING and not is_off and (link := link_of(guest, details)):
            lines.append(f"Where it is held online: {link}")
        await _tell(tx, guest, Notice.EVENT_CHANGED, post, subject, lines)


async def tell_of_answer(tx: Transaction, fact: GuestAnswered) -> None:
    """A guest hears by letter what was decided; a member here, that a place became free."""
    guest = await tx.session.get_one(EventGuest, fact.guest)
    if guest.email is None and not fact.promoted:
        return
    await _tell_answer(tx, guest)


async def tell_of_settling(tx: Transaction, fact: JoinSettled) -> None:
    """A member hears what the organiser's agency decided."""
    await _tell_answer(tx, await tx.session.get_one(EventGuest, fact.guest))


async def _tell_answer(tx: Transaction, guest: EventGuest) -> None:
    kind = _NOTICES.get(GuestState(guest.state))
    if kind is None:
        return
    post = await tx.session.get_one(Post, guest.post_id)
    details = of_row(await tx.session.get_one(Event, post.id))
    subject, words = await _answer_in_words(tx, guest, post)
    lines = [words, details.sentence]
    if guest.state == GuestState.GOING and (link := link_of(guest, details)):
        lines.append(f"Where it is held online: {link}")
    await _tell(tx, guest, kind, post, subject, lines)


def link_of(guest: EventGuest, details: Details) -> str:
    """The link for somebody with a place, as it is known here."""
    return guest.link or details.online


async def _answer_in_words(tx: Transaction, guest: EventGuest, post: Post) -> tuple[str, str]:
    if guest.state == GuestState.GOING:
        return f"You have a place: {post.title}", "You have a place."
    if guest.state == GuestState.WAITING:
        place = guest.place or await events.place_of(tx.session, guest)
        return (
            f"Waiting list: {post.title}",
            f"All places are taken. You are number {place} on the waiting list, and hear from us"
            " as soon as a place is yours.",
        )
    return f"No place: {post.title}", f"You have no place. {guest.reason}"


async def _tell(
    tx: Transaction, guest: EventGuest, kind: Notice, post: Post, subject: str, lines: list[str]
) -> None:
    """One guest, by notice and letter; whoever has no account, by letter alone."""
    page = f"{tx.settings.origin}/p/{post.id}"
    body = "\n\n".join([post.title, *lines, f"The event’s page: {page}"]) + "\n"
    if guest.member_id is not None:
        await tell_again(tx, guest.member_id, kind, post, post.author_id)
        member = await tx.session.get_one(Member, guest.member_id)
        await letters.tell(tx, member, letters.About.EVENTS, subject, body, post_id=post.id)
    elif guest.email:
        letters.post(tx, guest.email, subject, body, about=post.id)


async def remind(tx: Transaction, event: Event) -> None:
    """Those with a place hear that it is soon."""
    post = await tx.session.get_one(Post, event.post_id)
    details = of_row(event)
    async for guest in guests_here(tx, post.id, (GuestState.GOING,)):
        lines = ["This is soon:", details.sentence]
        if link := link_of(guest, details):
            lines.append(f"Where it is held online: {link}")
        await _tell(tx, guest, Notice.EVENT_REMINDER, post, f"Soon: {post.title}", lines)
