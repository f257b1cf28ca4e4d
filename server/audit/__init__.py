# SPDX-License-Identifier: Apache-2.0
"""The record of what was decided and by whom."""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from server.facts import PostDeleted, RemovalAsked, StewardNamed, ThreadLocked, ThreadPinned
from server.transaction import Transaction
from storage.audit import AuditEntry
from storage.forums import Forum
from storage.members import Member
from storage.posts import Post
from storage.sealing import ORIGIN


def note(tx: Transaction, actor: Member | str, verb: str, subject: str, detail: str = "") -> None:
    """Add one line; `actor` is a member, or the wire id or word for who did it.

    It is sealed at the commit, to the line that then stands before it.
    """
    tx.session.info[ORIGIN] = tx.settings.origin
    tx.session.add(
        AuditEntry(
            id=tx.ids.next(),
            at=tx.now,
            actor=actor.uri if isinstance(actor, Member) else actor,
            verb=verb,
            subject=subject[:2048],
            detail=detail[:1000],
            salt=tx.randomness.salt(),
        )
    )


async def _who(tx: Transaction, by: int, post: Post) -> Member | str:
    """Who did it; the forum itself where its home did not say (0)."""
    if by:
        return await tx.session.get_one(Member, by)
    return (await tx.session.get_one(Forum, post.forum_id)).uri


async def note_removal(tx: Transaction, fact: PostDeleted | RemovalAsked) -> None:
    post = await tx.session.get_one(Post, fact.post)
    if post.author_id == fact.by:
        return
    verb = "post.removed" if isinstance(fact, PostDeleted) else "post.removal_asked"
    note(tx, await _who(tx, fact.by, post), verb, post.uri, fact.reason)


async def note_lock(tx: Transaction, fact: ThreadLocked) -> None:
    post = await tx.session.get_one(Post, fact.post)
    verb = "thread.locked" if fact.locked else "thread.unlocked"
    note(tx, await _who(tx, fact.by, post), verb, post.uri)


async def note_pin(tx: Transaction, fact: ThreadPinned) -> None:
    post = await tx.session.get_one(Post, fact.post)
    verb = "thread.pinned" if fact.pinned else "thread.unpinned"
    note(tx, await _who(tx, fact.by, post), verb, post.uri)


async def note_steward(tx: Transaction, fact: StewardNamed) -> None:
    forum = await tx.session.get_one(Forum, fact.forum)
    member = await tx.session.get_one(Member, fact.member)
    verb = "steward.named" if fact.named else "steward.removed"
    note(tx, await tx.session.get_one(Member, fact.by), verb, forum.uri, member.uri)


async def page(session: AsyncSession, *, before: int | None = None) -> list[AuditEntry]:
    """Up to 50 lines, newest first, older than `before`."""
    question = select(AuditEntry).order_by(AuditEntry.id.desc()).limit(50)
    if before is not None:
        question = question.where(AuditEntry.id < before)
    return list((await session.execute(question)).scalars())
