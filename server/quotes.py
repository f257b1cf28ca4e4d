# SPDX-License-Identifier: Apache-2.0
"""Who may quote posts of ours elsewhere, and until when (FEP-044f)."""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from server.errors import NotFound
from server.facts import QuoteAccepted, QuoteRefused, QuoteTakenBack
from server.forums.standing import standing, standing_now
from server.permissions import Permission, Standing, must
from server.posts import pages
from server.transaction import Transaction
from server.viewers import Viewer, visible_posts
from storage import base, posts, quotes
from storage.forums import Forum, Visibility
from storage.members import Member, MemberState
from storage.posts import Post, PostState
from storage.quotes import Quote

MOST_OF_ONE_POST = 100
MOST_SHOWN = 200
UNKNOWN = "There is no such post here."
DELETED = "This post was deleted."
NOT_PUBLIC = "This post is not public, and is not quoted outside."
NOT_ALLOWED = "Whoever wrote this post is no longer here to allow it."
REVOKED = "Whoever wrote this post does not want it quoted there."
NOT_THEIRS = "Only its own author may ask for a post to quote another."
TOO_MANY = f"You have quoted this post {MOST_OF_ONE_POST} times, which is enough."


@dataclass(frozen=True)
class QuoteDraft:
    """Somebody asks whether their post may quote one of ours; all three are ids."""

    request: str
    quoting: str
    quoted: str


def address(quoted: str, number: int) -> str:
    """Where the stamp of a quote is."""
    return f"{quoted}/quotes/{number}"


async def ask(
    tx: Transaction, person: Member, viewer: Viewer, draft: QuoteDraft, *, is_own: bool
) -> None:
    """Allow a quote, or say why not; `viewer` is the person's server, `is_own` its post theirs.

    A post that the asker may not see is unknown, as it is to whoever asks for it.
    """
    question = (
        select(Post, Forum, Member)
        .join(Forum, Forum.id == Post.forum_id)
        .join(Member, Member.id == Post.author_id)
        .where(Post.uri == draft.quoted, visible_posts(viewer))
    )
    found = (await tx.session.execute(question)).one_or_none()
    speaks, reason = 0, UNKNOWN
    if found is not None:
        post, forum, author = found
        # Whoever is gone says nothing; the instance answers for them.
        speaks = author.id if author.state == MemberState.ACTIVE else 0
        reason = why_not(post, forum, author) if is_own else NOT_THEIRS
        if not reason:
            reason = await _allow(tx, person, post, draft)
    if reason:
        tx.record(
            QuoteRefused(person.id, speaks, draft.request, draft.quoting, draft.quoted, reason)
        )


def why_not(post: Post, forum: Forum, author: Member) -> str:
    """Why nobody may quote a post; "" where anybody may."""
    if post.state == PostState.DELETED:
        return DELETED
    if forum.visibility != Visibility.PUBLIC:
        return NOT_PUBLIC
    return "" if author.state == MemberState.ACTIVE else NOT_ALLOWED


async def _allow(tx: Transaction, person: Member, post: Post, draft: QuoteDraft) -> str:
    """Give the stamp, or the same once more; answers why not."""
    await base.held(tx.session, Post, post.id)
    held = await quotes.of_post(tx.session, post.id, draft.quoting)
    if held is not None and held.member_id != person.id:
        return NOT_THEIRS
    if held is None:
        if await quotes.count_of(tx.session, post.id, person.id) >= MOST_OF_ONE_POST:
            return TOO_MANY
        held = Quote(
            id=tx.ids.next(), post_id=post.id, member_id=person.id, uri=draft.quoting, at=tx.now
        )
        tx.session.add(held)
    if held.revoked:
        return REVOKED
    held.request, held.active = draft.request, True
    quoting = await posts.by_uri(tx.session, draft.quoting)
    if quoting is not None and quoting.author_id == person.id:
        # It came before it had leave.
        await tx.session.flush()
        quoting.quoted_uri, quoting.quote_stamp = post.uri, address(post.uri, held.id)
    tx.record(QuoteAccepted(held.id))
    return ""


async def withdraw(tx: Transaction, person: Member, quoting: str) -> int:
    """A post elsewhere is gone, or quotes no more: its stamps are; answers how many were."""
    standing = [
        held for held in await quotes.by_quoting(tx.session, quoting, person.id) if held.active
    ]
    for held in standing:
        await _withdraw(tx, held)
    return len(standing)


async def _withdraw(tx: Transaction, held: Quote) -> None:
    held.active = False
    quoted = await tx.session.get_one(Post, held.post_id)
    author = await tx.session.get_one(Member, quoted.author_id)
    await show_no_longer(tx, address(quoted.uri, held.id), author)


async def show_no_longer(tx: Transaction, stamp: str, author: Member) -> None:
    """A stamp that the author of what is quoted gave stands no more: nothing shows it here."""
    quoting, quoted = aliased(Post), aliased(Post)
    question = (
        select(quoting)
        .join(quoted, quoted.uri == quoting.quoted_uri)
        .where(quoting.quote_stamp == stamp, quoted.author_id == author.id)
    )
    for post in (await tx.session.execute(question)).scalars().all():
        post.quoted_uri = post.quote_stamp = None


async def take_back(tx: Transaction, member: Member, post: Post, number: int) -> None:
    """The author of a post no longer allows one that quotes it; it is not allowed again."""
    post = await tx.session.get_one(Post, post.id)
    must(await _standing(tx, member, post), Permission.TAKE_BACK_QUOTE, post)
    held = await tx.session.get(Quote, number)
    if held is None or held.post_id != post.id or not held.active:
        raise NotFound
    held.revoked = True
    await _withdraw(tx, held)
    tx.record(QuoteTakenBack(held.id))


async def _standing(tx: Transaction, member: Member, post: Post) -> Standing:
    return await standing_now(tx, member, await tx.session.get_one(Forum, post.forum_id))


@dataclass(frozen=True)
class QuotesPage:
    """Where a post is quoted, the oldest first; each with who quotes it."""

    post: Post
    opener: Post
    forum: Forum
    quotes: list[tuple[Quote, Member]]


async def page(session: AsyncSession, viewer: Viewer, number: int) -> QuotesPage:
    """The posts elsewhere that may show one of the viewer's own."""
    post, forum = await pages.locate(session, viewer, number)
    stands = await standing(session, viewer.member, forum)
    must(stands, Permission.TAKE_BACK_QUOTE, post)
    question = (
        select(Quote, Member)
        .join(Member, Member.id == Quote.member_id)
        .where(Quote.post_id == post.id, Quote.active)
        .order_by(Quote.id)
        .limit(MOST_SHOWN)
    )
    rows = [(row[0], row[1]) for row in (await session.execute(question)).all()]
    return QuotesPage(post, await session.get_one(Post, post.thread_id), forum, rows)
