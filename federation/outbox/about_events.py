# SPDX-License-Identifier: Apache-2.0
"""Asking for places at events, and telling what was decided about ours."""

from federation import joins
from federation.joins import Answer, Asking
from federation.outbox.telling import Telling
from server.events.details import of_row
from server.facts import GuestAnswered, GuestDropped, JoinAsked, JoinTakenBack
from storage import events as events_storage
from storage.events import Event, EventGuest, GuestState
from storage.members import Member
from storage.posts import Post, PostState


async def asked(t: Telling, fact: JoinAsked | JoinTakenBack) -> None:
    """Join or Leave of a member of ours, to the organiser alone."""
    guest = await t.tx.session.get(EventGuest, fact.guest)
    if guest is None or guest.member_id is None:
        return
    post = await t.tx.session.get_one(Post, guest.post_id)
    member = await t.tx.session.get_one(Member, guest.member_id)
    author = await t.tx.session.get_one(Member, post.author_id)
    uri = f"{member.uri}#join-{post.id}-{fact.n}"
    asking = Asking(uri, member.uri, post.uri, author.uri)
    document = joins.join(asking) if isinstance(fact, JoinAsked) else joins.leave(asking)
    await t.send_direct(
        document, member.uri, author.shared_inbox or author.inbox,
        order_key=f"{post.uri}#guests", subject=str(document["id"]),
    )  # fmt: skip


async def answered(t: Telling, fact: GuestAnswered) -> None:
    """What was decided, to the guest's agency alone; a later answer makes this one void."""
    guest = await t.tx.session.get(EventGuest, fact.guest)
    if guest is None or guest.member_id is None or guest.answers != fact.n:
        return
    person = await t.tx.session.get_one(Member, guest.member_id)
    state = GuestState(guest.state)
    if person.is_local or state not in {GuestState.GOING, GuestState.WAITING, GuestState.REFUSED}:
        return
    post = await t.tx.session.get_one(Post, guest.post_id)
    if post.state == PostState.DELETED:
        return
    author = await t.tx.session.get_one(Member, post.author_id)
    details = of_row(await t.tx.session.get_one(Event, post.id))
    is_waiting = state == GuestState.WAITING
    said = Answer(
        state,
        place=await events_storage.place_of(t.tx.session, guest) if is_waiting else None,
        link=details.online if details.is_hidden and state == GuestState.GOING else "",
        reason=guest.reason if state == GuestState.REFUSED else "",
        certificate=guest.certificate,
        news=joins.News(post.uri, post.title, details, post.updated or post.published),
    )
    asking = Asking(guest.uri, person.uri, post.uri, author.uri)
    # About the post: whoever got it is sent its changes by its author, where they take them so.
    await t.send_direct(
        joins.answer(asking, guest.id, fact.n, said), author.uri,
        person.shared_inbox or person.inbox,
        order_key=f"{post.uri}#guests", subject=post.uri,
    )  # fmt: skip


async def dropped(t: Telling, fact: GuestDropped) -> None:
    """The event is deleted: a last answer to a guest who had a place."""
    post = await t.tx.session.get_one(Post, fact.post)
    person = await t.tx.session.get_one(Member, fact.person)
    author = await t.tx.session.get_one(Member, post.author_id)
    said = Answer(GuestState.REFUSED, reason="The event was deleted.")
    asking = Asking(fact.join, person.uri, post.uri, author.uri)
    document = joins.answer(asking, fact.guest, fact.n, said)
    await t.send_direct(
        document, author.uri, person.shared_inbox or person.inbox,
        order_key=f"{post.uri}#guests", subject=str(document["id"]),
    )  # fmt: skip
