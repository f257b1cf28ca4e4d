# SPDX-License-Identifier: Apache-2.0
"""What a reply to a forum of ours answers: fetched, or waited for."""

from datetime import timedelta

import orjson

from federation import authority
from federation.errors import WireError
from federation.fetch.allowance import documents_left
from federation.handlers.homes import attached, take
from federation.incoming import Ignored, Incoming
from federation.posts import OPENERS, REPLIES, from_wire
from federation.quotes.checking import leave
from federation.vocabulary.posts import Post as WirePost
from federation.vocabulary.terms import PUBLIC
from server.errors import NotFound, Refusal
from storage import posts
from storage.forums import Forum, Visibility

AWAITED_FOR = timedelta(hours=1)


class ParentAwaited(WireError):
    """What this answers has not come yet."""

    permanent = False


async def bring(incoming: Incoming, forum: Forum, post: WirePost) -> None:
    """Have what a reply to a forum of ours answers be here, as far as it can be had.

    Asked of its origin, up to the first ancestor that is held or begins a thread in the forum.
    Where it cannot be had now and no thread is known either, ParentAwaited for AWAITED_FOR.
    """
    found: list[WirePost] = []
    uri = post.in_reply_to
    failed: WireError | None = None
    while uri is not None and await _is_missing(incoming, uri):
        # Each of those found may be by somebody who has to be asked for yet.
        authors = {ancestor.author for ancestor in found}
        if documents_left() <= len(authors) + 1 or not await _may_ask(incoming, uri):
            return
        try:
            ancestor = await _fetched(incoming, forum, uri)
        except WireError as error:
            failed = error
            break
        found.append(ancestor)
        uri = ancestor.in_reply_to
    if failed is not None and not failed.permanent:
        await _wait(incoming, forum, post, failed)
        return
    if failed is not None and uri is not None and await _is_missing(incoming, uri):
        return
    if uri is None and found and forum.uri not in _addressed(found[-1]):
        # It begins a thread, and not in this forum.
        return
    for ancestor in reversed(found):
        try:
            await _store(incoming, forum, ancestor)
        except Refusal as refusal:
            raise NotFound(f"What this answers is not taken: {refusal.sentence}") from refusal
        except Ignored:
            # It came by itself meanwhile, or was deleted.
            continue


def _addressed(post: WirePost) -> tuple[str, ...]:
    return (*post.audience, *post.to, *post.cc)


async def _may_ask(incoming: Incoming, uri: str) -> bool:
    return not incoming.wire.urls.is_ours(uri) and await incoming.is_allowed(uri)


async def _is_missing(incoming: Incoming, uri: str) -> bool:
    async with incoming.wire.instance.reading() as session:
        return not await posts.is_held(session, uri)


async def _fetched(incoming: Incoming, forum: Forum, uri: str) -> WirePost:
    """A post as its origin shows it to anybody, if it can be a thread or a reply here."""
    post = await incoming.fetch_post(uri)
    authority.must_own(post.author or "", post, ours=incoming.origin)
    if post.type not in (REPLIES if post.in_reply_to else OPENERS):
        raise authority.Unauthorised(f"A {post.type} is neither a thread nor a reply.")
    # Its author has not sent it to us: what is not for everybody is not ours to show.
    if forum.visibility != Visibility.PUBLIC or PUBLIC not in (*post.to, *post.cc):
        raise authority.Unauthorised("What this answers is not for everybody.")
    return post


async def _wait(incoming: Incoming, forum: Forum, post: WirePost, why: WireError) -> None:
    """Put the reply off, unless its thread is known or it has waited long enough."""
    now = incoming.wire.instance.clock.now()
    async with incoming.wire.instance.reading() as session:
        if await attached(session, forum, post.in_reply_to or "", post.context or ""):
            return
    if incoming.received is not None and now - incoming.received < AWAITED_FOR:
        raise ParentAwaited(f"What this answers has not come yet: {why}")


async def _store(incoming: Incoming, forum: Forum, post: WirePost) -> None:
    """Post what was fetched, under the rules that its author's own delivery meets."""
    person = await incoming.actors.person(post.author or "")
    raw = orjson.dumps(post.raw).decode()
    sharing = (await leave(incoming, post)).given(from_wire(post, forum.uri))
    settles, sent = incoming.settles, incoming.raw
    # No activity brought it: what the forum announces is the post itself.
    incoming.settles, incoming.raw = False, raw
    try:
        async with incoming.deed(subject=post.id) as tx:
            await take(tx, person, forum, sharing, raw, "")
    finally:
        incoming.settles, incoming.raw = settles, sent
