# SPDX-License-Identifier: Apache-2.0
"""Telling who is shut out of a forum, and what is reported."""

from typing import Any

import orjson

from federation import moderation
from federation.outbox.telling import Telling
from federation.urls import host_of_uri
from server.facts import LetIn, PostReported, ShutOut
from server.software import Profile, profile_of_peer
from storage.forums import FEDERATED, Forum, Visibility
from storage.members import Member
from storage.moderation import Report
from storage.peers import Peer
from storage.posts import Post

# These find what is reported by the id of the post alone.
_READ_ONE_ID = frozenset({Profile.GUILDHALL, Profile.THREADIVERSE, Profile.NODEBB})


async def shut_out(t: Telling, fact: ShutOut) -> None:
    forum = await t.tx.session.get_one(Forum, fact.forum)
    person = await t.tx.session.get_one(Member, fact.member)
    by = await t.tx.session.get(Member, fact.by)
    if by is None:
        return
    is_public = forum.visibility == Visibility.PUBLIC
    document = moderation.block(
        fact.uri, by.uri, person.uri, forum.uri, fact.reason, public=is_public
    )
    await _to_the_forum(t, forum, by, document)


async def let_in(t: Telling, fact: LetIn) -> None:
    forum = await t.tx.session.get_one(Forum, fact.forum)
    person = await t.tx.session.get_one(Member, fact.member)
    by = await t.tx.session.get(Member, fact.by)
    if by is None:
        return
    is_public = forum.visibility == Visibility.PUBLIC
    document = moderation.undo_block(fact.uri, by.uri, person.uri, forum.uri, public=is_public)
    await _to_the_forum(t, forum, by, document)


async def _to_the_forum(t: Telling, forum: Forum, by: Member, document: dict[str, Any]) -> None:
    """Announced at the home, as it came or as made here; sent there from a copy."""
    if forum.visibility not in FEDERATED:
        return
    if not forum.is_local:
        if by.is_local:
            await t.send_direct(
                document, by.uri, forum.shared_inbox or forum.inbox,
                order_key=f"{forum.uri}#blocks", subject=forum.uri,
            )  # fmt: skip
        return
    raw = await t.as_received()
    if raw is None:
        if not by.is_local:
            return
        raw = orjson.dumps(await t.sign(by.uri, document)).decode()
    stand_in = Post(uri=forum.uri)
    await t.announce(forum, raw, post=stand_in, order_key=forum.uri, follows=False)


async def reported(t: Telling, fact: PostReported) -> None:
    """To the forum's home in the member's name, to the author's server in that of this one.

    Who keeps a forum has to know who complains; who is complained of does not.
    """
    report = await t.tx.session.get_one(Report, fact.report)
    post = await t.tx.session.get_one(Post, report.post_id)
    forum = await t.tx.session.get_one(Forum, report.forum_id)
    author = await t.tx.session.get_one(Member, post.author_id)
    member = await t.tx.session.get_one(Member, fact.member)
    if not forum.is_local:
        inbox = forum.shared_inbox or forum.inbox
        await _flag(t, report, member.uri, forum.uri, inbox, (post, author, forum))
    if not author.is_local and author.peer != forum.peer:
        inbox = author.shared_inbox or author.inbox
        instance = t.wire.urls.instance
        await _flag(t, report, instance, author.uri, inbox, (post, author, forum))


async def _flag(
    t: Telling,
    report: Report,
    actor: str,
    to: str,
    inbox: str,
    about: tuple[Post, Member, Forum],
) -> None:
    post, author, forum = about
    peer = await t.tx.session.get(Peer, host_of_uri(inbox))
    things = [post.uri] if profile_of_peer(peer) in _READ_ONE_ID else [author.uri, post.uri]
    uri = f"{actor}#flag-{report.id}"
    document = moderation.flag(uri, actor, things, report.reason, to, forum.uri)
    await t.send_direct(document, actor, inbox, order_key=post.uri, subject=uri)
