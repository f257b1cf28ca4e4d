# SPDX-License-Identifier: Apache-2.0
"""What people elsewhere send to forums of ours: the home decides."""

from dataclasses import replace
from http import HTTPStatus

import orjson
from sqlalchemy.ext.asyncio import AsyncSession

from federation import authority, past_versions, tombstones
from federation.errors import StatusError
from federation.forums import followers
from federation.handlers import parents, polls, practices, quotes, resources, warnings
from federation.handlers.homes import take
from federation.incoming import Ignored, Incoming
from federation.posts import SharedPost, from_wire, is_vote, origin_of_post
from federation.quotes.checking import Leave, leave
from federation.urls import host_of_uri
from federation.vocabulary.activities import Activity
from federation.vocabulary.actors import Actor
from federation.vocabulary.posts import Post as WirePost
from federation.vocabulary.terms import PUBLIC
from federation.vocabulary.values import type_of
from server.errors import NotAllowed
from server.facts import PollCounted
from server.posts import editing, voting
from server.posts.drafts import EditDraft
from server.transaction import Transaction
from storage import forums, members, posts
from storage.forums import FEDERATED, Forum, Visibility
from storage.members import Member, MemberState
from storage.posts import Post


async def create(incoming: Incoming, activity: Activity) -> None:
    """A thread or a reply for a forum of ours, under the same rules as a form."""
    post = activity.object
    if not isinstance(post, WirePost):
        raise Ignored("This creates nothing that can be posted in a forum.")
    authority.must_own(activity.actor, post, ours=incoming.origin)
    if is_vote(post):
        await polls.vote(incoming, activity, post)
        return
    await _arrived(incoming, activity, post)


async def _arrived(incoming: Incoming, activity: Activity, post: WirePost) -> None:
    """A post by the actor that is not held here yet."""
    async with incoming.wire.instance.reading() as session:
        forum = await _forum_of(session, post, activity)
    incoming.forum = forum.id
    person = await incoming.actors.person(activity.actor)
    incoming.member = person.id
    _must_be_for_all(forum, post, activity)
    if post.in_reply_to is not None:
        await parents.bring(incoming, forum, post)
    raw = orjson.dumps(post.raw).decode()
    sharing = (await leave(incoming, post)).given(from_wire(post, forum.uri))
    async with incoming.deed(subject=post.id) as tx:
        await take(tx, person, forum, sharing, raw, incoming.key_id)
    await past_versions.bring(incoming.wire, post)
    await warnings.of_source(incoming, post)


def _must_be_for_all(forum: Forum, post: WirePost, activity: Activity) -> None:
    """A letter to the forum, or to its author's followers, is not for everybody to read."""
    named = {*post.to, *post.cc, *activity.to, *activity.cc}
    if forum.visibility != Visibility.PUBLIC or not named:
        return
    if PUBLIC not in named and followers(forum.uri) not in named:
        raise NotAllowed("This forum can be read by anybody, and takes public posts only.")


async def _forum_of(session: AsyncSession, post: WirePost, activity: Activity) -> Forum:
    """The forum of ours that a post is for: by audience, recipients, then its parent's."""
    named = (*post.audience, *activity.audience, *post.to, *post.cc, *activity.to, *activity.cc)
    known = await forums.by_uris(session, set(named))
    forum = next((known[uri] for uri in named if uri in known), None)
    if forum is None:
        parent = await posts.by_uri(session, post.in_reply_to) if post.in_reply_to else None
        forum = await session.get(Forum, parent.forum_id) if parent else None
    if forum is None or not forum.is_local or forum.visibility not in FEDERATED:
        raise Ignored("This is not for a forum of ours.")
    return forum


async def update(incoming: Incoming, activity: Activity) -> None:
    """An edit of one's own post in a forum of ours, or news of an actor."""
    changed = activity.object
    if isinstance(changed, Actor):
        await _actor_changed(incoming, activity, changed)
        return
    if not isinstance(changed, WirePost):
        raise Ignored("This updates nothing that is held here.")
    authority.must_own(activity.actor, changed, ours=incoming.origin)
    if not await _is_held(incoming, changed.id):
        async with incoming.wire.instance.reading() as session:
            is_source = await practices.is_source(session, changed.id)
        if is_source:
            await warnings.given(incoming, changed)
            return
        # The Update overtook its Create, and carries the whole post.
        await _arrived(incoming, activity, changed)
        return
    person = await incoming.actors.person(activity.actor)
    incoming.member = person.id
    quoting = await leave(incoming, changed)
    async with incoming.deed(subject=changed.id) as tx:
        post, forum = await _held(tx, changed.id)
        incoming.forum = forum.id
        authority.must_be_author(person.uri, changed.author or "")
        sharing = quoting.given(from_wire(changed, forum.uri))
        if sharing.updated is None and quoting != Leave() and sharing.source == post.source:
            # It says the same, and brings the leave it was given meanwhile (Mastodon).
            post.quoted_uri, post.quote_stamp = quoting.quoted or None, quoting.stamp or None
            return
        if sharing.poll is not None and sharing.updated is None and sharing.source == post.source:
            if await voting.put(tx, post, sharing.poll):
                tx.record(PollCounted(post.id, sharing.poll.voters, sharing.poll.over))
            return
        if await resources.is_of_its_link(tx, post, sharing):
            return
        if sharing.updated is None:
            # Its author signed this Update just now, and only did not date it.
            sharing = replace(sharing, updated=tx.now)
        practices.must_stay_one(post, sharing)
        before = post.revision
        draft = edit_draft(sharing, changed, incoming.key_id)
        post = await editing.edit(tx, person, post, draft)
        await practices.edited(tx, post, sharing, before)
    await past_versions.bring(incoming.wire, changed)


def edit_draft(sharing: SharedPost, post: WirePost, key_id: str) -> EditDraft:
    """The draft of an edit made elsewhere."""
    raw = orjson.dumps(post.raw).decode()
    sharing = practices.as_told_here(sharing)
    origin = origin_of_post(sharing, raw, key_id)
    return EditDraft(sharing.title, sharing.source, sharing.tags, origin)


async def _actor_changed(incoming: Incoming, activity: Activity, changed: Actor) -> None:
    """A person or a forum says what it is now; its own origin is asked."""
    authority.must_be_of_origin(activity.actor, changed.id)
    async with incoming.wire.instance.reading() as session:
        forum = await forums.by_uri(session, changed.id)
        person = await members.by_uri(session, changed.id)
    if forum is not None and not forum.is_local:
        await incoming.actors.forum(changed.id, fresh=True)
    elif person is not None and not person.is_local:
        await incoming.actors.person(changed.id, fresh=True)
    else:
        raise Ignored("This actor is not known here.")


async def delete(incoming: Incoming, activity: Activity) -> None:
    """A post is deleted by its author, or removed by a steward; or an account is gone."""
    uri = getattr(activity.object, "id", "")
    if uri == activity.actor:
        await _account_gone(incoming, uri)
        return
    if not await _is_held(incoming, uri):
        if not authority.same_origin(uri, activity.actor):
            raise Ignored("This post is not held here.")
        async with incoming.deed() as tx:
            await tombstones.remember(tx, activity.actor, uri)
            await quotes.post_gone(tx, activity.actor, uri)
            await quotes.stamp_gone(tx, activity.actor, uri)
        return
    person = await incoming.actors.person(activity.actor)
    incoming.member = person.id
    gone = await _is_gone(incoming, activity.actor, uri)
    async with incoming.deed(subject=uri) as tx:
        post, forum = await _held(tx, uri)
        incoming.forum = forum.id
        if gone:
            author = await tx.session.get_one(Member, post.author_id)
            await editing.apply_removal(tx, post, author, activity.summary or "")
        else:
            await editing.remove(tx, person, post, activity.summary or "")
        await quotes.post_gone(tx, activity.actor, uri)


async def _is_gone(incoming: Incoming, actor: str, uri: str) -> bool:
    """Whether another actor of a post's own origin says rightly that it is gone (FEP-4f05).

    Its author's signature is enough, and a steward's; anybody else's server is asked for it.
    """
    async with incoming.wire.instance.reading() as session:
        post = await posts.by_uri(session, uri)
        author = await session.get(Member, post.author_id) if post else None
        person = await members.by_uri(session, actor)
        stewarded = post and person and await forums.is_steward(session, post.forum_id, person.id)
    if author is None or author.uri == actor or stewarded:
        return False
    if not authority.same_origin(uri, actor):
        return False
    try:
        document = await incoming.wire.document(uri)
    except StatusError as error:
        if error.status in {HTTPStatus.NOT_FOUND, HTTPStatus.GONE}:
            return True
        raise
    return type_of(document.data) == "Tombstone"


async def _is_held(incoming: Incoming, uri: str) -> bool:
    async with incoming.wire.instance.reading() as session:
        return await posts.is_held(session, uri)


async def _account_gone(incoming: Incoming, uri: str) -> None:
    async with incoming.deed() as tx:
        person = await members.by_uri(tx.session, uri)
        if person is None or person.is_local:
            raise Ignored("This person is not known here.")
        person.state = MemberState.GONE
        person.bio_html = person.bio_source = ""


async def _held(tx: Transaction, uri: str) -> tuple[Post, Forum]:
    """A post in a forum of ours; copies change by their home's announcement only."""
    post = await posts.by_uri(tx.session, uri)
    if post is None:
        raise Ignored("This post is not held here.")
    forum = await tx.session.get_one(Forum, post.forum_id)
    if not forum.is_local:
        raise Ignored(f"Only {host_of_uri(forum.uri)} announces what changes in its forum.")
    return post, forum
