# SPDX-License-Identifier: Apache-2.0
"""Who may quote posts of ours elsewhere, and until when (FEP-044f)."""

from dataclasses import dataclass

from sqlalchemy import select

from server.facts import QuoteAccepted, QuoteRefused
from server.transaction import Transaction
from server.viewers import Viewer, visible_posts
from storage import base, quotes
from storage.forums import Forum, Visibility
from storage.members import Member, MemberState
from storage.posts import Post, PostState
from storage.quotes import Quote

MOST_OF_ONE_POST = 100
UNKNOWN = "There is no such post here."
DELETED = "This post was deleted."
NOT_PUBLIC = "This post is not public, and is not quoted outside."
NOT_ALLOWED = "Whoever wrote this post is no longer here to allow it."
NOT_THEIRS = "Only its own author may ask for a post to quote another."
TOO_MANY = f"You have quoted this post {MOST_OF_ONE_POST} times, which is enough."


@dataclass(frozen=True)
class QuoteDraft:
    """Somebody asks whether their post may quote one of ours; all three are ids."""

    request: str
    quoting: str
    quoted: str


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
    held.request, held.active = draft.request, True
    tx.record(QuoteAccepted(held.id))
    return ""


async def withdraw(tx: Transaction, person: Member, quoting: str) -> int:
    """A post elsewhere is gone, or quotes no more: its stamps are; answers how many were."""
    standing = [
        held for held in await quotes.by_quoting(tx.session, quoting, person.id) if held.active
    ]
    for held in standing:
        held.active = False
    return len(standing)
