# SPDX-License-Identifier: Apache-2.0
"""Places for people without an account, confirmed by a link in a letter."""

import hashlib
from datetime import timedelta

from sqlalchemy import delete, select

from server import text
from server.calendar import joining
from server.calendar.joining import HERE, why_closed
from server.errors import Invalid, NotAllowed, NotFound
from server.events.details import of_row
from server.letters import post as write
from server.transaction import Transaction
from storage import base
from storage.events import Event, EventGuest, GuestState
from storage.forums import Forum, Visibility
from storage.members import Member
from storage.plain import given
from storage.posts import Post, PostState

BETWEEN_LETTERS = timedelta(minutes=10)
KEPT_UNCONFIRMED = timedelta(days=7)
# Written once, for it is asked every few minutes.
_FORGOTTEN = (
    delete(EventGuest)
    .where(
        EventGuest.state == GuestState.UNCONFIRMED,
        EventGuest.at < given("before", base.UtcDateTime()),
    )
    .execution_options(synchronize_session=False)
)


def is_open(post: Post, forum: Forum, author: Member, event: Event) -> bool:
    """Whether somebody without an account may ask: ours alone, and what anybody may see."""
    return (
        author.is_local
        and forum.visibility == Visibility.PUBLIC
        and post.state == PostState.LIVE
        and event.joining == "free"
    )


async def ask(tx: Transaction, post: Post, name: str, email: str) -> None:
    """Send a link that takes the place; says nothing of whether the address is known."""
    post = await tx.session.get_one(Post, post.id)
    forum = await tx.session.get_one(Forum, post.forum_id)
    author = await tx.session.get_one(Member, post.author_id)
    event = await tx.session.get_one(Event, post.id)
    if not is_open(post, forum, author, event):
        raise NotFound
    if closed := why_closed(event, tx.now):
        raise NotAllowed(closed)
    name, address = _checked(name, email)
    guest = await _by_address(tx, post, address)
    if guest is not None and guest.token and tx.now - guest.at < BETWEEN_LETTERS:
        return
    token = tx.randomness.token()
    if guest is None:
        guest = EventGuest(
            id=tx.ids.next(), post_id=post.id, member_id=None, email=address, name=name,
            state=GuestState.UNCONFIRMED, queue=0, uri="", n=0, answers=0, place=None, link="",
            reason="", attended=None, certificate="", at=tx.now,
        )  # fmt: skip
        tx.session.add(guest)
    guest.token, guest.at = hashed(token), tx.now
    link = f"{tx.settings.origin}/p/{post.id}/place/{token}"
    body = (
        f"{name or 'Hello'},\n\nsomebody, we hope you, asked for a place at:\n\n{post.title}\n"
        f"{of_row(event).sentence}\n\nTo take the place, open this address and press the button:\n"
        f"{link}\n\nThe same address gives the place back later, so keep this letter. If it was"
        " not you, do nothing: in a week we forget that you were asked.\n"
    )
    write(tx, address, f"Your place: {post.title}", body, about=post.id)


def _checked(name: str, email: str) -> tuple[str, str]:
    name, address = text.clean_line(name, 200), email.strip().lower()
    faults = {}
    if not name:
        faults["name"] = "Say who comes."
    user, at, host = address.rpartition("@")
    is_plain = all(character.isprintable() and not character.isspace() for character in address)
    if not (at and user and "." in host and is_plain and len(address) <= 254):
        faults["email"] = "Write an e-mail address, such as ana@riverton.example.gov."
    if any(character in address for character in ',;<>()"\\'):
        faults["email"] = "Write one e-mail address and nothing else."
    if faults:
        raise Invalid(faults)
    return name, address


def hashed(token: str) -> str:
    """What of a link's token is stored."""
    return hashlib.sha256(token.encode(errors="replace")).hexdigest()


async def _by_address(tx: Transaction, post: Post, address: str) -> EventGuest | None:
    question = select(EventGuest).where(EventGuest.post_id == post.id, EventGuest.email == address)
    return (await tx.session.execute(question)).scalar_one_or_none()


async def answer(tx: Transaction, number: int, token: str, *, comes: bool) -> EventGuest:
    """Whoever has the link takes the place, or gives it back."""
    if await tx.session.get(Event, number) is None:
        raise NotFound
    event = await base.held(tx.session, Event, number)
    question = select(EventGuest).where(
        EventGuest.post_id == number, EventGuest.token == hashed(token)
    )
    guest = (await tx.session.execute(question)).scalar_one_or_none()
    if guest is None:
        raise NotFound
    if not comes:
        if guest.state in HERE:
            await joining.free(tx, event, guest)
        return guest
    if guest.state in HERE:
        return guest
    if closed := why_closed(event, tx.now):
        raise NotAllowed(closed)
    guest.at, guest.reason = tx.now, ""
    joining.take(tx, event, guest)
    return guest


async def tidy(tx: Transaction) -> None:
    """Forget addresses whose owners never confirmed."""
    await tx.session.execute(_FORGOTTEN, {"before": tx.now - KEPT_UNCONFIRMED})
