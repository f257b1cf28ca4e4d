# SPDX-License-Identifier: Apache-2.0
"""Publishing and changing events: the home decides, a copy applies.

`publish` and `revise` go by the rules of this instance; `apply` is their other half, which a
translator calls with what the home of a forum sent, after `writing.apply_thread` or
`editing.apply_edit`.
"""

from dataclasses import replace
from datetime import datetime

from server.calendar import joining
from server.calendar.typed import EventDraft
from server.errors import Gone, Locked, NotAllowed
from server.events.details import WHEN_AND_WHERE, Details, has_moved, of_row, put
from server.facts import EventChanged
from server.forums.pages import tags_of
from server.forums.standing import standing_now
from server.permissions import Permission, must
from server.posts import editing, writing
from server.posts.drafts import EditDraft
from server.transaction import Transaction
from storage.base import held
from storage.events import Event
from storage.forums import Forum
from storage.members import Member
from storage.posts import Kind, Post, PostState


async def publish(tx: Transaction, author: Member, forum: Forum, draft: EventDraft) -> Post:
    """Put an event into a forum, and so into the calendar."""
    await must_publish(tx, author, forum)
    return await enter(tx, author, forum, draft)


async def must_publish(tx: Transaction, author: Member, forum: Forum) -> None:
    """Refuse whoever may announce nothing there, or has done so too often in a minute."""
    must(await standing_now(tx, author, forum), Permission.POST_THREAD)
    await writing.must_be_calm(tx, author)


async def enter(tx: Transaction, author: Member, forum: Forum, draft: EventDraft) -> Post:
    """The event as it then is, without asking whether it may be."""
    post = await writing.apply_thread(tx, author, forum, draft.post)
    await apply(tx, post, draft.details)
    return post


async def revise(tx: Transaction, actor: Member, post: Post, draft: EventDraft) -> Post:
    """Change an event; those who come are told if it is at another time or place."""
    post, _ = await must_change(tx, actor, post)
    return await rewrite(tx, post, draft)


async def rewrite(tx: Transaction, post: Post, draft: EventDraft) -> Post:
    """The event as its form says; what is not on the form stays as it is."""
    before = of_row(await tx.session.get_one(Event, post.id))
    details = replace(
        draft.details,
        status=before.status,
        materials=before.materials,
        recording=before.recording,
        series=before.series,
        series_at=before.series_at,
        rule=before.rule,
    )
    written = EditDraft(draft.post.title, draft.post.source, draft.post.tags)
    post = await editing.apply_edit(tx, post, written)
    await apply(tx, post, details)
    return post


async def amend(tx: Transaction, actor: Member, post: Post, **changes: object) -> Post:
    """Change some of what an event says and none of its words: cancel it, add materials."""
    post, _ = await must_change(tx, actor, post)
    return await change(tx, post, **changes)


async def change(tx: Transaction, post: Post, **changes: object) -> Post:
    """The same, without asking whether it may be."""
    before = of_row(await tx.session.get_one(Event, post.id))
    details = replace(before, **changes)  # type: ignore[arg-type]
    tags = (await tags_of(tx.session, [post.id])).get(post.id, ())
    post = await editing.apply_edit(tx, post, EditDraft(post.title, post.source, tags))
    await apply(tx, post, details)
    return post


async def must_change(tx: Transaction, actor: Member, post: Post) -> tuple[Post, Event]:
    """The event, for those who may change it."""
    post = await tx.session.get_one(Post, post.id)
    if post.state == PostState.DELETED:
        raise Gone("The event was deleted meanwhile.")
    if post.kind != Kind.EVENT:
        raise NotAllowed("This is not an event.")
    forum = await tx.session.get_one(Forum, post.forum_id)
    must(await standing_now(tx, actor, forum), Permission.EDIT_POST, post)
    if post.locked:
        raise Locked("This event is closed: it can no longer be changed.")
    await writing.must_be_calm(tx, actor)
    return post, await tx.session.get_one(Event, post.id)


async def hear(tx: Transaction, post: Post, told: Details, updated: datetime) -> None:
    """The organiser told a guest of ours when and where it is, as of a moment.

    A copy that its forum keeps current has it from there, maybe newer; in a forum of ours only
    an edit changes anything.
    """
    row = await tx.session.get(Event, post.id)
    forum = await tx.session.get_one(Forum, post.forum_id)
    is_old = updated < (post.updated or post.published)
    if row is None or forum.is_local or is_old or post.state == PostState.DELETED:
        return
    details = replace(
        of_row(row), **{name: getattr(told, name) for name in WHEN_AND_WHERE if name != "online"}
    )
    if has_moved(of_row(row), details):
        await apply(tx, post, details)


async def apply(tx: Transaction, post: Post, details: Details) -> Event:
    """The event as it then is, without asking whether it may be."""
    row = await tx.session.get(Event, post.id)
    if row is None:
        row = Event(post_id=post.id, going=0, waiting=0, sequence=0, reminded=None)
        put(row, details)
        tx.session.add(row)
        await tx.session.flush()
        return row
    row = await held(tx.session, Event, post.id)
    before = of_row(row)
    put(row, details)
    if has_moved(before, details):
        row.sequence += 1
        if before.starts != details.starts:
            row.reminded = None
        tx.record(EventChanged(post.id))
    author = await tx.session.get_one(Member, post.author_id)
    if author.is_local:
        await joining.fill(tx, row)
        told = details.is_hidden and (before.online != details.online or not before.is_hidden)
        if told or has_moved(before, details):
            forum = await tx.session.get_one(Forum, post.forum_id)
            await joining.tell_elsewhere(tx, row, forum, has_link=told)
    return row
