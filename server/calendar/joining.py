# SPDX-License-Identifier: Apache-2.0
"""Taking a place at an event: its organiser's instance decides, alone.

Every deed here first takes the event's row for itself, so that two people who want the last
place at the same moment come one after the other, wherever they come from.
"""

from datetime import datetime

from sqlalchemy import func, select

from server import text
from server.errors import Gone, NotAllowed, NotFound, Refusal
from server.facts import GuestAnswered, JoinAsked, JoinTakenBack
from server.forums.standing import standing_now
from server.permissions import Permission, must
from server.transaction import Transaction
from storage import base, events
from storage.events import Event, EventGuest, GuestState
from storage.forums import Forum
from storage.log import Lane, Subscription
from storage.members import Member
from storage.posts import Post, PostState

HERE = frozenset({GuestState.GOING, GuestState.WAITING})
CLOSED = "Signing up here is closed."
AT_ONCE = 500


def why_closed(event: Event, now: datetime) -> str:
    """Why nobody can sign up any more; "" while they can."""
    if event.status == "cancelled":
        return "This event is cancelled."
    if event.ends <= now:
        return "This event is over."
    if event.joining != "free":
        return "Nobody signs up for this event here."
    return ""


async def sign_up(tx: Transaction, member: Member, post: Post) -> EventGuest:
    """A member here wants a place: decided here, or asked of the organiser's agency."""
    post, event = await _open_to(tx, member, post)
    if closed := why_closed(event, tx.now):
        raise NotAllowed(closed)
    author = await tx.session.get_one(Member, post.author_id)
    guest = await _guest(tx, member, post)
    if guest.state in {*HERE, GuestState.ASKED}:
        return guest
    guest.n += 1
    guest.at, guest.reason, guest.place, guest.link = tx.now, "", None, ""
    guest.uri = f"{member.uri}#join-{post.id}-{guest.n}"
    if author.is_local:
        take(tx, event, guest)
    else:
        guest.state = GuestState.ASKED
        tx.record(JoinAsked(guest.id, guest.n))
    return guest


async def decide(tx: Transaction, person: Member, post: Post, uri: str) -> None:
    """Somebody elsewhere asks for a place at an event of ours, by a Join of this id.

    They are answered in any case; a Refusal here is for what is not ours to answer.
    """
    post, event = await _open_to(tx, person, post)
    author = await tx.session.get_one(Member, post.author_id)
    if not author.is_local:
        raise NotFound("Another agency decides who comes to this event.")
    guest = await _guest(tx, person, post)
    if uri and guest.uri == uri:
        # Told twice, or taken back before it came.
        if guest.state != GuestState.LEFT:
            answer(tx, guest)
        return
    guest.uri, guest.n = uri, guest.n + 1
    if guest.state in HERE:
        answer(tx, guest)
        return
    guest.at, guest.reason = tx.now, ""
    if closed := why_closed(event, tx.now):
        guest.state, guest.reason = GuestState.REFUSED, closed
        answer(tx, guest)
        return
    take(tx, event, guest)


async def _open_to(tx: Transaction, person: Member, post: Post) -> tuple[Post, Event]:
    """The post and its event, taken for this deed alone, for somebody who may sign up at all."""
    post = await tx.session.get_one(Post, post.id)
    if post.state == PostState.DELETED:
        raise Gone("The event was deleted.")
    forum = await tx.session.get_one(Forum, post.forum_id)
    must(await standing_now(tx, person, forum), Permission.JOIN_EVENT)
    if await tx.session.get(Event, post.id) is None:
        raise NotFound
    return post, await base.held(tx.session, Event, post.id)


async def _guest(tx: Transaction, person: Member, post: Post) -> EventGuest:
    found = await events.guest_of(tx.session, post.id, person.id)
    if found is not None:
        return found
    guest = EventGuest(
        id=tx.ids.next(), post_id=post.id, member_id=person.id, email=None, name="", token="",
        state=GuestState.LEFT, queue=0, uri="", n=0, answers=0, place=None, link="", reason="",
        attended=None, certificate="", at=tx.now,
    )  # fmt: skip
    tx.session.add(guest)
    await tx.session.flush()
    return guest


def take(tx: Transaction, event: Event, guest: EventGuest) -> None:
    """A place where there is one, else the end of the waiting list."""
    if event.capacity is None or (event.going < event.capacity and not event.waiting):
        guest.state = GuestState.GOING
        event.going += 1
    else:
        guest.state = GuestState.WAITING
        guest.queue = tx.ids.next()
        event.waiting += 1
    answer(tx, guest)


def answer(tx: Transaction, guest: EventGuest, *, promoted: bool = False) -> None:
    """Say what was decided; the latest answer is the one that is told."""
    guest.answers += 1
    tx.record(GuestAnswered(guest.id, guest.answers, promoted))


async def fill(tx: Transaction, event: Event) -> None:
    """Give free places to those who have waited longest; `event` is held by this deed."""
    if why_closed(event, tx.now):
        return
    moved = 0
    while event.waiting and (event.capacity is None or event.going < event.capacity):
        await tx.session.flush()
        guest = await events.first_waiting(tx.session, event.post_id)
        if guest is None:
            event.waiting = 0
            return
        guest.state = GuestState.GOING
        event.waiting -= 1
        event.going += 1
        moved = guest.queue
        answer(tx, guest, promoted=True)
    if moved:
        await _tell_numbers(tx, event, moved)


async def _tell_numbers(tx: Transaction, event: Event, behind: int) -> None:
    """Whoever waits behind this place in the queue, at another agency, has another number now."""
    if not event.waiting:
        return
    await tx.session.flush()
    question = (
        select(EventGuest)
        .join(Member, Member.id == EventGuest.member_id)
        .where(
            EventGuest.post_id == event.post_id,
            EventGuest.state == GuestState.WAITING,
            EventGuest.queue > behind,
            Member.peer.is_not(None),
        )
        .order_by(EventGuest.queue)
        .limit(AT_ONCE)
    )
    while found := list((await tx.session.execute(question)).scalars()):
        for guest in found:
            answer(tx, guest)
        question = question.where(EventGuest.queue > found[-1].queue)


async def take_back(tx: Transaction, member: Member, post: Post) -> None:
    """A member here gives their place, or their question, back."""
    post = await tx.session.get_one(Post, post.id)
    if await tx.session.get(Event, post.id) is None:
        raise NotFound
    event = await base.held(tx.session, Event, post.id)
    guest = await events.guest_of(tx.session, post.id, member.id)
    if guest is None or guest.state not in {*HERE, GuestState.ASKED}:
        raise NotAllowed("You have no place here to give back.")
    author = await tx.session.get_one(Member, post.author_id)
    if author.is_local:
        await free(tx, event, guest)
        return
    guest.state, guest.place, guest.link = GuestState.LEFT, None, ""
    tx.record(JoinTakenBack(guest.id, guest.n))


async def leave(tx: Transaction, person: Member, post: Post, join: str = "") -> bool:
    """Somebody elsewhere gives a place at an event of ours back; answers whether they had one.

    `join` is the id of the Join that is taken back, where they say it: one that comes later
    than its Leave then counts for nothing.
    """
    post = await tx.session.get_one(Post, post.id)
    author = await tx.session.get_one(Member, post.author_id)
    if not author.is_local or await tx.session.get(Event, post.id) is None:
        return False
    event = await base.held(tx.session, Event, post.id)
    guest = await events.guest_of(tx.session, post.id, person.id)
    if guest is None:
        if join:
            (await _guest(tx, person, post)).uri = join
        return False
    if guest.state not in HERE:
        guest.uri = join or guest.uri
        return False
    await free(tx, event, guest)
    return True


async def free(tx: Transaction, event: Event, guest: EventGuest) -> None:
    """A place, or a place on the list, is free; `event` is held by this deed."""
    if guest.state == GuestState.GOING:
        event.going = max(0, event.going - 1)
    was_waiting = guest.state == GuestState.WAITING
    if was_waiting:
        event.waiting = max(0, event.waiting - 1)
    guest.state, guest.at = GuestState.LEFT, tx.now
    if was_waiting:
        await _tell_numbers(tx, event, guest.queue)
    await fill(tx, event)


async def tell_elsewhere(
    tx: Transaction, event: Event, forum: Forum, *, has_link: bool = False
) -> None:
    """Tell guests at other agencies, by an answer, what became of their event.

    Whoever follows its forum hears of it by the forum's own word, unless it `has_link`: another
    address online that only guests are told.
    """
    await tx.session.flush()
    question = (
        select(EventGuest)
        .join(Member, Member.id == EventGuest.member_id)
        .where(
            EventGuest.post_id == event.post_id,
            EventGuest.state.in_(HERE),
            Member.peer.is_not(None),
        )
        .order_by(EventGuest.id)
        .limit(AT_ONCE)
    )
    if forum.is_local and not has_link:
        follows = (
            select(Subscription.id)
            .join(Lane, Lane.id == Subscription.lane_id)
            .where(
                Subscription.audience == forum.uri,
                Subscription.until_seq.is_(None),
                Lane.inbox == func.coalesce(func.nullif(Member.shared_inbox, ""), Member.inbox),
            )
        )
        question = question.where(~follows.exists())
    while found := list((await tx.session.execute(question)).scalars()):
        for guest in found:
            answer(tx, guest)
        question = question.where(EventGuest.id > found[-1].id)


def must_answer(guest: EventGuest | None, author: str, by: str, uri: str) -> EventGuest:
    """The guest of ours whom an answer is for: to their latest question, by the organiser."""
    if guest is None or by != author:
        raise Refusal("This answers nobody here.")
    if guest.uri != uri or guest.state == GuestState.LEFT:
        raise Refusal("This answers a question that was taken back.")
    return guest


def settle(guest: EventGuest, state: GuestState, *, place: int | None, link: str) -> None:
    """What the organiser's agency decided about a member of ours."""
    guest.state = state
    guest.place = place if state == GuestState.WAITING else None
    guest.link = link[:2048] if state == GuestState.GOING else ""


def refuse(guest: EventGuest, reason: str) -> None:
    """The organiser's agency said no."""
    guest.state, guest.place, guest.link = GuestState.REFUSED, None, ""
    guest.reason = text.clean_line(reason, 500) or "The organiser’s agency gave no reason."
