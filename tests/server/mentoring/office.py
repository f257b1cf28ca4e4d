# SPDX-License-Identifier: Apache-2.0
"""Members of one agency who look for a mentor, and one who is."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from server.instance import Instance
from server.mentoring import (
    asks,
    drafts,
    entries,
    programmes,
)
from storage.members import Member
from storage.mentoring import (
    Entry,
    Match,
    MentorCard,
    MentoringNotice,
    Need,
    Pairing,
)
from storage.mentoring import pairs as pairings
from tests.server.mentoring import bench


@dataclass
class Office:
    """Ana and Dee look for a mentor, Tom is one, and Sam runs the programme."""

    instance: Instance
    sam: Member
    ana: Member
    dee: Member
    tom: Member
    card: MentorCard
    programme: int

    async def needs(self, who: Member, **typed: str) -> Need:
        async with self.instance.reading() as session:
            place = (await programmes.page(session, who, self.programme)).programme
        return await bench.need(self.instance, who, place, **typed)

    async def asks(self, who: Member, need: Need) -> Match:
        async with self.instance.transaction() as tx:
            return await asks.ask(tx, who, need.id, self.card.id, "Would you?")

    async def paired(self) -> Pairing:
        """Ana and Tom, who took her."""
        match = await self.asks(self.ana, await self.needs(self.ana))
        async with self.instance.transaction() as tx:
            await asks.accept(tx, self.tom, match.id)
            pairing = await pairings.pairing_by_uri(tx.session, match.uri)
        assert pairing is not None
        return pairing

    async def write(self, who: Member, pairing: Pairing, shared: bool = True, **said: Any) -> Entry:
        async with self.instance.transaction() as tx:
            draft = drafts.read(said)
            return await entries.write(tx, who, pairing.id, draft, shared=shared)


async def told(office: Office, member: Member) -> list[str]:
    """The kinds of what a member was told, in order; and every letter names no more than that."""
    async with office.instance.reading() as session:
        question = select(MentoringNotice.kind).where(MentoringNotice.member_id == member.id)
        return list((await session.execute(question.order_by(MentoringNotice.id))).scalars())
