# SPDX-License-Identifier: Apache-2.0
"""Telling who may quote a post of ours, and who may not."""

from typing import Any

from federation.outbox.telling import Telling
from federation.quotes import stamps
from federation.quotes.stamps import Asked
from server.facts import QuoteAccepted, QuoteRefused, QuoteTakenBack
from storage import members, quotes
from storage.members import Member
from storage.posts import Post, PostState
from storage.quotes import Quote

MOST_REVOKED = 1_000


async def accepted(t: Telling, fact: QuoteAccepted) -> None:
    held = await t.tx.session.get_one(Quote, fact.quote)
    post = await t.tx.session.get_one(Post, held.post_id)
    if not held.active or post.state == PostState.DELETED:
        return
    author = await t.tx.session.get_one(Member, post.author_id)
    person = await t.tx.session.get_one(Member, held.member_id)
    asked = Asked(held.request, person.uri, held.uri, post.uri)
    await _answer(t, person, author.uri, asked, stamps.accept(asked, held.id, author.uri))


async def refused(t: Telling, fact: QuoteRefused) -> None:
    person = await t.tx.session.get_one(Member, fact.member)
    author = await t.tx.session.get(Member, fact.author) if fact.author else None
    actor = author.uri if author is not None else t.wire.urls.instance
    asked = Asked(fact.request, person.uri, fact.quoting, fact.quoted)
    await _answer(t, person, actor, asked, stamps.reject(asked, actor, fact.reason))


async def post_deleted(t: Telling, post: Post, author: Member) -> None:
    """Take the stamps of a post back, with the post."""
    standing = await quotes.active_of_post(t.tx.session, post.id, MOST_REVOKED)
    people = await members.by_ids(t.tx.session, {held.member_id for held in standing})
    for held in standing:
        person = people[held.member_id]
        held.active = False
        await _revoke(t, held, post, author, person)


async def taken_back(t: Telling, fact: QuoteTakenBack) -> None:
    held = await t.tx.session.get_one(Quote, fact.quote)
    post = await t.tx.session.get_one(Post, held.post_id)
    author = await t.tx.session.get_one(Member, post.author_id)
    await _revoke(t, held, post, author, await t.tx.session.get_one(Member, held.member_id))


async def _revoke(t: Telling, held: Quote, post: Post, author: Member, person: Member) -> None:
    asked = Asked(held.request, person.uri, held.uri, post.uri)
    await _answer(t, person, author.uri, asked, stamps.revoke(asked, held.id, author.uri))


async def _answer(
    t: Telling, person: Member, signer: str, asked: Asked, document: dict[str, Any]
) -> None:
    """To the server of whoever asked, in order with all about their quote."""
    await t.send_direct(
        document, signer, person.shared_inbox or person.inbox,
        order_key=asked.quoting, subject=str(document["id"]),
    )  # fmt: skip
