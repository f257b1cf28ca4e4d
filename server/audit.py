# SPDX-License-Identifier: Apache-2.0
"""The record of what was decided and by whom."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from server.errors import Invalid, NotFound
from server.facts import PostDeleted, RemovalAsked, StewardNamed, ThreadLocked, ThreadPinned
from server.transaction import Transaction
from storage.audit import AuditCheck, AuditEntry, AuditSeal
from storage.forums import Forum
from storage.members import Member
from storage.posts import Post
from storage.sealing import ORIGIN

ERASED = "record.erased"


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


@dataclass(frozen=True)
class Line:
    """A line of the record and its place, by which it can be named.

    `why` is the rule by which its words were erased, where they were.
    """

    place: int
    entry: AuditEntry
    why: str = ""


@dataclass(frozen=True)
class Page:
    """Lines, newest first; how the record ends; and the last look at the whole of it."""

    lines: list[Line]
    end: AuditSeal | None
    check: AuditCheck | None


async def page(session: AsyncSession, *, before: int | None = None) -> Page:
    """Up to 50 lines, newest first, from below place `before`."""
    question = (
        select(AuditSeal.place, AuditEntry)
        .join(AuditEntry, AuditEntry.id == AuditSeal.entry_id)
        .order_by(AuditSeal.place.desc())
        .limit(50)
    )
    if before is not None:
        question = question.where(AuditSeal.place < before)
    found = (await session.execute(question)).all()
    why = await _rules(session, [entry.erased for _, entry in found if entry.erased is not None])
    lines = [Line(place, entry, why.get(str(place), "")) for place, entry in found]
    end = select(AuditSeal).order_by(AuditSeal.place.desc()).limit(1)
    return Page(lines, (await session.execute(end)).scalar(), await last_check(session))


async def _rules(session: AsyncSession, moments: Sequence[datetime]) -> dict[str, str]:
    """By which rule lines were erased, by their places: a line of the same moment says it."""
    if not moments:
        return {}
    question = select(AuditEntry.subject, AuditEntry.detail)
    question = question.where(AuditEntry.at.in_(moments), AuditEntry.verb == ERASED)
    return {line: rule for line, rule in (await session.execute(question)).all()}


async def last_check(session: AsyncSession) -> AuditCheck | None:
    """The last look at the whole record."""
    question = select(AuditCheck).order_by(AuditCheck.id.desc()).limit(1)
    return (await session.execute(question)).scalar()


async def has_hash(session: AsyncSession, wanted: str) -> bool:
    """Whether some line is sealed with this hash."""
    question = select(AuditSeal.place).where(AuditSeal.hash == wanted).limit(1)
    return (await session.execute(question)).first() is not None


async def erase(tx: Transaction, actor: Member | str, places: Sequence[int], reason: str) -> None:
    """Take the words out of lines: who, what about, the note. A new line says so, and why."""
    reason = reason.strip()
    if not reason:
        raise Invalid({"reason": "Say by which rule it must be erased."})
    for place in places:
        question = select(AuditEntry).join(AuditSeal, AuditSeal.entry_id == AuditEntry.id)
        entry = (await tx.session.execute(question.where(AuditSeal.place == place))).scalar()
        if entry is None:
            raise NotFound(f"The record has no line {place}.")
        if entry.erased is not None:
            raise Invalid(message=f"Line {place} is erased already.")
        if entry.verb == ERASED:
            raise Invalid(message=f"Line {place} says that another was erased, and has to stay.")
        entry.actor = entry.subject = entry.detail = entry.salt = ""
        entry.erased = tx.now
        note(tx, actor, ERASED, str(place), reason)
