# SPDX-License-Identifier: Apache-2.0
"""Asking for a place at an event, and what the organiser's agency answers."""

from federation import authority, joins
from federation.askers import asker
from federation.incoming import Ignored, Incoming
from federation.posts import SharedPost
from federation.urls import host_of_uri
from federation.vocabulary.activities import Activity, Reference
from federation.vocabulary.values import url_id_of
from server.calendar import joining, writing
from server.errors import NotFound
from server.facts import JoinSettled
from server.posts.pages import locate
from server.transaction import Transaction
from storage import events as events_storage
from storage import members, posts
from storage.events import EventGuest, GuestState
from storage.forums import FEDERATED, Forum
from storage.members import Member
from storage.posts import Kind, Post


async def join(incoming: Incoming, activity: Activity) -> None:
    """Somebody elsewhere asks for a place; answered by the organiser, and never announced."""
    uri = getattr(activity.object, "id", "")
    post = await _ours(incoming, uri, activity.actor)
    person = await incoming.actors.person(activity.actor)
    async with incoming.deed() as tx:
        await joining.decide(tx, person, post, activity.id)


async def _ours(incoming: Incoming, uri: str, actor: str) -> Post:
    """An event that a member of ours organises, and that the asker may see."""
    if not incoming.wire.urls.is_ours(uri):
        raise Ignored("Another agency decides who comes to this.")
    viewer = (await asker(incoming.wire, host_of_uri(actor), actor)).viewer
    async with incoming.wire.instance.reading() as session:
        post = await posts.by_uri(session, uri)
        if post is None or post.kind != Kind.EVENT:
            raise Ignored("This is no event that can be joined.")
        await locate(session, viewer, post.id)
        forum = await session.get_one(Forum, post.forum_id)
    if forum.visibility not in FEDERATED:
        raise NotFound
    return post


async def leave(incoming: Incoming, activity: Activity) -> None:
    """Somebody elsewhere gives their place back: the first who waits has it."""
    await _left(incoming, activity.actor, activity.object, activity.raw.get("gh:join"))


async def undo_join(incoming: Incoming, activity: Activity, inner: Activity) -> None:
    """The same, said as an Undo."""
    authority.must_undo_own(activity.actor, inner)
    await _left(incoming, activity.actor, inner.object, inner.id)


async def _left(incoming: Incoming, actor: str, thing: object, said: object) -> None:
    uri = getattr(thing, "id", "")
    taken_back = url_id_of(said) or ""
    if taken_back and not authority.same_origin(taken_back, actor):
        taken_back = ""
    if not incoming.wire.urls.is_ours(uri):
        raise Ignored("Nobody here organises this.")
    person = await incoming.actors.person(actor)
    async with incoming.deed() as tx:
        post = await posts.by_uri(tx.session, uri)
        if post is None or post.kind != Kind.EVENT:
            raise Ignored("This is no event that can be left.")
        await joining.leave(tx, person, post, taken_back)


def is_about(activity: Activity) -> bool:
    """Whether an answer is to a Join."""
    inner = activity.object
    if isinstance(inner, Activity):
        return inner.type == "Join"
    return isinstance(inner, Reference) and "#join-" in inner.id


async def answered(incoming: Incoming, activity: Activity) -> None:
    """The organiser's agency answers a member of ours: a place, the waiting list, or no."""
    inner = activity.object
    uri = getattr(inner, "id", "")
    said = joins.answer_of(activity.raw, activity.type, activity.summary or activity.content)
    async with incoming.deed() as tx:
        post, guest, organiser = await _asked(tx, incoming, uri)
        found = joining.must_answer(guest, organiser, activity.actor, uri)
        before = (found.state, found.link)
        if said.state == GuestState.REFUSED:
            joining.refuse(found, said.reason)
        else:
            joining.settle(found, said.state, place=said.place, link=said.link)
        is_theirs = authority.same_origin(said.certificate, activity.actor)
        found.certificate = said.certificate if is_theirs else ""
        # Another number on the list is shown, and nobody is woken for it.
        if before != (found.state, found.link):
            tx.record(JoinSettled(found.id))
        if said.news is not None and said.news.event == post.uri:
            await writing.hear(tx, post, said.news.details, said.news.updated)


async def _asked(
    tx: Transaction, incoming: Incoming, uri: str
) -> tuple[Post, EventGuest | None, str]:
    """What a Join of a member of ours asked for, who that is, and who organises it."""
    if not incoming.wire.urls.is_ours(uri):
        raise Ignored("This answers nothing that was asked here.")
    actor, _, rest = uri.partition("#join-")
    number = rest.partition("-")[0]
    member = await members.by_uri(tx.session, actor)
    if member is None or not member.is_local or not number.isdecimal() or len(number) > 19:
        raise Ignored("This answers nothing that was asked here.")
    post = await tx.session.get(Post, int(number))
    if post is None or post.kind != Kind.EVENT:
        raise Ignored("The event is not here any more.")
    author = await tx.session.get_one(Member, post.author_id)
    return post, await events_storage.guest_of(tx.session, post.id, member.id), author.uri


async def put(tx: Transaction, post: Post, sharing: SharedPost) -> None:
    """An event was stored or changed: with when and where it is."""
    if sharing.event is not None:
        post.kind = Kind.EVENT
        await writing.apply(tx, post, sharing.event.details)
