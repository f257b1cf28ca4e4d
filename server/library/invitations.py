# SPDX-License-Identifier: Apache-2.0
"""Invitations to write a practice, until the invited have seen them."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from server.transaction import Transaction
from storage.members import Member
from storage.practices import PracticeDraft, PracticeDraftPerson

MOST = 50


@dataclass(frozen=True)
class Invitation:
    """A draft that somebody was invited to write, by whom and when."""

    draft: int
    title: str
    owner: Member
    at: datetime


async def waiting(session: AsyncSession, member: Member) -> list[Invitation]:
    """The invitations that a member has not seen yet, the latest first."""
    question = (
        select(PracticeDraft.id, PracticeDraft.title, Member, PracticeDraftPerson.at)
        .join(PracticeDraftPerson, PracticeDraftPerson.draft_id == PracticeDraft.id)
        .join(Member, Member.id == PracticeDraft.owner_id)
        .where(PracticeDraftPerson.member_id == member.id, PracticeDraftPerson.seen.is_(None))
        .order_by(PracticeDraftPerson.at.desc(), PracticeDraft.id.desc())
        .limit(MOST)
    )
    return [Invitation(*row) for row in (await session.execute(question)).all()]


async def is_new(session: AsyncSession, member: Member, draft: int) -> bool:
    """Whether a member opens a draft for the first time since they were invited."""
    row = await session.get(PracticeDraftPerson, (draft, member.id))
    return row is not None and row.seen is None


async def seen(tx: Transaction, member: Member, draft: int | None = None) -> None:
    """The member has seen one invitation, or all."""
    question = update(PracticeDraftPerson).where(
        PracticeDraftPerson.member_id == member.id, PracticeDraftPerson.seen.is_(None)
    )
    if draft is not None:
        question = question.where(PracticeDraftPerson.draft_id == draft)
    await tx.session.execute(question.values(seen=tx.now))
