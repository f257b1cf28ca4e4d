# SPDX-License-Identifier: Apache-2.0
"""What the home of a forum announces: a copy applies it."""

from dataclasses import replace

import orjson
from sqlalchemy import select

from federation import authority, past_versions, tombstones
from federation.errors import StatusError, WireError
from federation.fetch.allowance import documents_left
from federation.handlers import practices, warnings
from federation.handlers.copies import held, steered
from federation.handlers.homes import attached
from federation.handlers.posts import edit_draft
from federation.handlers.relayed import LIKES, liked, unliked
from federation.handlers.undone import inner_of
from federation.handlers.vouching import vouched_for
from federation.incoming import Ignored, Incoming
from federation.posts import from_wire, origin_of_post
from federation.quotes.checking import leave
from federation.urls import host_of_uri
from federation.vocabulary.activities import Activity, Reference, Thing
from federation.vocabulary.actors import Actor
from federation.vocabulary.posts import Post as WirePost
from server.errors import Refusal
from server.posts import editing, receipts, writing
from server.posts.drafts import ReplyDraft
from server.transaction import Transaction
from storage import forums, members, posts
from storage.forums import CopyState, Forum
from storage.members import Member
from storage.posts import Post

HELD = (CopyState.WAITING, CopyState.FILLING, CopyState.CURRENT)


async def announce(incoming: Incoming, activity: Activity) -> None:
    """A forum that is followed here tells what happened in it."""
    async with incoming.wire.instance.reading() as session:
        forum = await forums.by_uri(session, activity.actor)
    if forum is None or forum.is_local:
        raise Ignored("This forum is not known here.")
    incoming.copy = forum.id
    things = activity.object if isinstance(activity.object, tuple) else (activity.object,)
    incoming.settles = len(things) == 1
    if len(things) == 1 and things[0] is not None:
        await apply(incoming, forum, things[0])
        return
    for thing in things:
        # Of a batch each stands for itself; what can be tried again has all of it tried again.
        try:
            if thing is not None:
                await apply(incoming, forum, thing)
        except Refusal:
            continue
        except WireError as error:
            if not error.permanent:
                raise


async def apply(incoming: Incoming, forum: Forum, thing: Thing) -> None:
    """Apply one announced activity, or one announced post, to the copy."""
    if isinstance(thing, Reference):
        await _posted(incoming, forum, thing.id, None, None)
        return
    if isinstance(thing, WirePost):
        # An embedded copy proves nothing: its origin is asked.
        await _posted(incoming, forum, thing.id, None, None)
        return
    if not isinstance(thing, Activity):
        raise Ignored("This announces nothing that is held here.")
    authority.must_be_inner(thing)
    if incoming.wire.urls.is_ours(thing.actor):
        await _receipt(incoming, forum, thing)
        return
    if thing.type == "Announce":
        # A forum passes on what another has announced (NodeBB): what is inside counts.
        for inner in thing.object if isinstance(thing.object, tuple) else (thing.object,):
            if inner is not None:
                await apply(incoming, forum, inner)
        return
    handler = HANDLERS.get(thing.type)
    if handler is None:
        raise Ignored(f"An announced {thing.type} means nothing here.")
    await handler(incoming, forum, thing)


async def _receipt(incoming: Incoming, forum: Forum, activity: Activity) -> None:
    """The home announces what one of us sent: it was taken."""
    inner = activity.object
    about = inner.object if isinstance(inner, Activity) else inner
    async with incoming.deed() as tx:
        # Applied on the home's word, never as a deed of our member: that would be sent again.
        kinds = {activity.type, getattr(inner, "type", "")}
        if activity.target == forum.moderators or "Block" in kinds:
            await steered(tx, forum, activity, None)
            return
        member = await members.by_uri(tx.session, activity.actor)
        post = await held(tx, forum, getattr(about, "id", ""))
        own = member is not None and member.id == post.author_id
        # An edit that came before what it changes was taken as the whole post.
        if activity.type in {"Create", "Update"} and own:
            await receipts.confirm(tx, post)
            await practices.confirmed(tx, post)
        elif activity.type == "Like" and member is not None:
            await receipts.confirm_endorsement(tx, post, member.id)
        elif activity.type in {"Lock", "Undo", "Add", "Remove", "Delete"}:
            await steered(tx, forum, activity, None)


async def _created(incoming: Incoming, forum: Forum, activity: Activity) -> None:
    post = activity.object
    if isinstance(post, Reference):
        await _posted(incoming, forum, post.id, None, None)
        return
    if not isinstance(post, WirePost):
        raise Ignored("This creates nothing that can be posted in a forum.")
    await _posted(incoming, forum, post.id, post, activity)


async def _posted(
    incoming: Incoming, forum: Forum, uri: str, post: WirePost | None, activity: Activity | None
) -> None:
    """A new thread or reply in the forum; what is held already changes in every copy."""
    if forum.copy_state not in HELD:
        raise Ignored("Nobody here follows this forum.")
    if incoming.wire.urls.is_ours(uri):
        raise Ignored("This post is one of ours.")
    async with incoming.wire.instance.reading() as session:
        if await posts.by_uri(session, uri) is not None:
            raise Ignored("This post is here already.")
        if await tombstones.stands(session, forum.uri, uri):
            raise Ignored("This post was deleted before it came.")
        is_source = post is None and await practices.is_source(session, uri, forum)
    if not await incoming.is_allowed(uri):
        await _withhold(incoming, forum, uri, post)
        return
    if is_source:
        # What practices of this forum were made from, told of by its id alone.
        vouched, _ = await vouched_for(incoming, None, None, uri)
        if forum.uri not in (*vouched.audience, *vouched.to, *vouched.cc):
            await warnings.given(incoming, vouched)
            return
    chain = await _with_ancestors(incoming, forum, uri, post, activity)
    settles = incoming.settles
    for number, (found, key_id) in enumerate(chain, start=1):
        # The row is done with its last post, and not before.
        incoming.settles = settles and number == len(chain)
        await _store(incoming, forum, found, key_id)
        await past_versions.bring(incoming.wire, found)
        await warnings.of_source(incoming, found)
    incoming.settles = settles


async def _with_ancestors(
    incoming: Incoming, forum: Forum, uri: str, post: WirePost | None, activity: Activity | None
) -> list[tuple[WirePost, str]]:
    """The post with the parents that are missing here, the oldest first; bounded."""
    found = [await vouched_for(incoming, post, activity, uri)]
    # Each of those found may be by somebody who has to be asked for yet.
    while documents_left() > len({one.author for one, _ in found}):
        parent = found[-1][0].in_reply_to
        if parent is None or not await _is_missing(incoming, parent):
            break
        try:
            if incoming.wire.urls.is_ours(parent) or not await incoming.is_allowed(parent):
                break
            ancestor = await vouched_for(incoming, None, None, parent)
        except WireError as error:
            if not error.permanent and not isinstance(error, StatusError):
                raise
            break
        if forum.uri not in (*ancestor[0].audience, *ancestor[0].to, *ancestor[0].cc):
            break
        found.append(ancestor)
    return found[::-1]


async def _is_missing(incoming: Incoming, uri: str) -> bool:
    async with incoming.wire.instance.reading() as session:
        return await posts.by_uri(session, uri) is None


async def _store(incoming: Incoming, forum: Forum, post: WirePost, key_id: str) -> None:
    """Apply a vouched post, if it is of this forum."""
    await _must_be_of(incoming, forum, post)
    sharing = from_wire(post, forum.uri)
    if not any(authority.same_origin(sharing.context, uri) for uri in (post.id, forum.uri)):
        sharing = replace(sharing, context="")
    sharing = practices.as_told_here((await leave(incoming, post)).given(sharing))
    person = await incoming.actors.person(sharing.author)
    raw = orjson.dumps(post.raw).decode()
    origin = origin_of_post(sharing, raw, key_id)
    async with incoming.deed() as tx:
        if await posts.by_uri(tx.session, post.id) is not None:
            return
        if sharing.parent is None:
            opener = await writing.apply_thread(
                tx, person, forum, practices.opening(sharing, origin)
            )
            await practices.opened(tx, opener, sharing)
            opener.locked = sharing.locked and authority.same_origin(post.id, forum.uri)
            return
        place = await attached(tx.session, forum, sharing.parent, sharing.context)
        if place is None:
            raise Ignored("What this answers is not held here.")
        parent, unmet = place
        draft = ReplyDraft(sharing.source, parent.id, sharing.language, origin, unmet)
        await practices.answered(tx, await writing.apply_reply(tx, person, draft), sharing)


async def _must_be_of(incoming: Incoming, forum: Forum, post: WirePost) -> None:
    """A forum announces what is in it: the post names it, or answers a post of it."""
    if forum.uri in (*post.audience, *post.to, *post.cc):
        return
    async with incoming.wire.instance.reading() as session:
        parent = await posts.by_uri(session, post.in_reply_to) if post.in_reply_to else None
    if parent is None or parent.forum_id != forum.id:
        raise Ignored("The post does not say that it is in this forum.")


async def _withhold(incoming: Incoming, forum: Forum, uri: str, post: WirePost | None) -> None:
    """Its author's host is not on our list: it is counted, nothing of it is stored."""
    async with incoming.deed() as tx:
        thread = await _thread_of(tx, forum, post) if post is not None else None
        missing = writing.Missing(uri, host_of_uri(uri), forum.id, thread)
        await writing.withhold(tx, missing)


async def _thread_of(tx: Transaction, forum: Forum, post: WirePost) -> int | None:
    """The thread held here that a post belongs to, by its parent or its context."""
    parent = await posts.by_uri(tx.session, post.in_reply_to) if post.in_reply_to else None
    if parent is not None and parent.forum_id == forum.id:
        return parent.thread_id
    question = select(Post.id).where(
        Post.context == (post.context or "-"),
        Post.thread_id == Post.id,
        Post.forum_id == forum.id,
    )
    return (await tx.session.execute(question)).scalars().first()


async def _updated(incoming: Incoming, forum: Forum, activity: Activity) -> None:
    """An author changed a post, or the forum changed itself."""
    changed = activity.object
    if isinstance(changed, Actor) and changed.id == forum.uri:
        # Whoever is said to have changed it: the forum itself is asked.
        await incoming.actors.forum(forum.uri, fresh=True)
        return
    if not isinstance(changed, WirePost | Reference):
        raise Ignored("This updates nothing that is held here.")
    if await _is_missing(incoming, changed.id):
        given = changed if isinstance(changed, WirePost) else None
        await _posted(incoming, forum, changed.id, given, activity if given else None)
        return
    if not await incoming.is_allowed(changed.id):
        raise Ignored("Its author's agency is not on our list.")
    given = changed if isinstance(changed, WirePost) else None
    vouched, key_id = await vouched_for(incoming, given, activity if given else None, changed.id)
    quoting = await leave(incoming, vouched)
    async with incoming.deed() as tx:
        post = await held(tx, forum, vouched.id)
        author = await tx.session.get_one(Member, post.author_id)
        authority.must_be_author(vouched.author or "", author.uri)
        sharing = quoting.given(from_wire(vouched, forum.uri))
        practices.must_stay_one(post, sharing)
        before = post.revision
        post.quoted_uri, post.quote_stamp = sharing.quoted or None, sharing.stamp or None
        post = await editing.apply_edit(tx, post, edit_draft(sharing, vouched, key_id))
        await practices.edited(tx, post, sharing, before)
        if post.is_thread and authority.same_origin(vouched.id, forum.uri):
            # Elsewhere only the home's Lock closes a thread, not its author.
            post.locked = sharing.locked
    await past_versions.bring(incoming.wire, vouched)


async def _deleted(incoming: Incoming, forum: Forum, activity: Activity) -> None:
    """A post of the forum is gone: its home has the say."""
    uri = getattr(activity.object, "id", "")
    if activity.type == "Delete" and await _is_missing(incoming, uri):
        async with incoming.deed() as tx:
            await tombstones.remember(tx, forum.uri, uri)
        return
    async with incoming.deed() as tx:
        member = await members.by_uri(tx.session, activity.actor)
        await steered(tx, forum, activity, member)


async def _undone(incoming: Incoming, forum: Forum, activity: Activity) -> None:
    """Something is taken back: an endorsement by who gave it, a lock by the home."""
    inner = await inner_of(incoming, activity)
    if inner is None:
        raise Ignored("This undoes nothing that is held here.")
    if inner.type not in LIKES:
        await _deleted(incoming, forum, activity)
        return
    await unliked(incoming, forum, activity, inner)


HANDLERS = {
    "Create": _created,
    "Update": _updated,
    "Delete": _deleted,
    "Like": liked,
    "EmojiReact": liked,
    "Undo": _undone,
    "Lock": _deleted,
    "Block": _deleted,
    "Add": _deleted,
    "Remove": _deleted,
}
