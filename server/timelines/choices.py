# SPDX-License-Identifier: Apache-2.0
"""What members chose to leave out and to follow, page by page."""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from server.timelines.spans import Span
from storage.members import Member
from storage.mutes import Mute, MuteKind
from storage.tag_follows import TagFollow


async def kept_away(
    session: AsyncSession, member: Member, span: Span, kind: MuteKind | None = None
) -> list[tuple[Mute, Member]]:
    """Whom the member mutes or blocks, the latest first."""
    question = (
        select(Mute, Member)
        .join(Member, Member.id == Mute.person_id)
        .where(Mute.member_id == member.id, *span.exactly(Mute.id))
    )
    if kind is not None:
        question = question.where(Mute.kind == kind.value)
    rows = (await session.execute(span.ordered(question, Mute.id))).all()
    return [(row[0], row[1]) for row in span.newest_first(rows)]


async def tags(session: AsyncSession, member: Member, span: Span) -> list[TagFollow]:
    """The tags that the member follows, the latest first."""
    question = select(TagFollow).where(
        TagFollow.member_id == member.id, *span.exactly(TagFollow.id)
    )
    rows = (await session.execute(span.ordered(question, TagFollow.id))).scalars().all()
    return span.newest_first(rows)
