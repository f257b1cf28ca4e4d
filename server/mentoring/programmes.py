# SPDX-License-Identifier: Apache-2.0
"""Mentoring programmes: opening, changing and closing them."""

import asyncio
from dataclasses import dataclass, replace

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from server import text
from server.errors import Invalid, NotAllowed, NotFound
from server.facts.mentoring import (
    ProgrammeChanged,
)
from server.mentoring.terms import FORMATS
from server.permissions import Permission, Standing, may, must
from server.transaction import Transaction
from storage import members
from storage.members import Member
from storage.mentoring import Programme, ProgrammeSteward, matches, offers

LONGEST_TITLE = 120
LONGEST_SOURCE = 10_000
MOST_MONTHS = 24
MOST_MEETINGS = 8


@dataclass(frozen=True)
class ProgrammeDraft:
    """A programme as typed."""

    title: str = ""
    source: str = ""
    format: str = "one-to-one"
    months: str = "3"
    meetings: str = "2"
    with_agencies: bool = False
    is_open: bool = True


def draft_of(programme: Programme) -> ProgrammeDraft:
    """A programme as its form shows it."""
    return ProgrammeDraft(
        programme.title,
        programme.source,
        programme.format,
        str(programme.months),
        str(programme.meetings),
        programme.with_agencies,
        programme.is_open,
    )


def check(draft: ProgrammeDraft) -> ProgrammeDraft:
    """The draft, cleaned; Invalid names every field that needs another look."""
    faults: dict[str, str] = {}
    title = text.clean_line(draft.title, LONGEST_TITLE + 1)
    if not title:
        faults["title"] = "Give the programme a name, such as Permit mentors 2027."
    elif len(title) > LONGEST_TITLE:
        faults["title"] = f"Keep the name under {LONGEST_TITLE} characters."
    if len(draft.source) > LONGEST_SOURCE:
        faults["source"] = f"Keep it under {LONGEST_SOURCE:,} characters."
    if draft.format not in FORMATS:
        faults["format"] = "Choose how people meet."
    for name, value, most in (
        ("months", draft.months, MOST_MONTHS),
        ("meetings", draft.meetings, MOST_MEETINGS),
    ):
        if not value.isascii() or not value.isdecimal() or not 1 <= int(value[:9]) <= most:
            faults[name] = f"Enter a number from 1 to {most}."
    if faults:
        raise Invalid(faults)
    return replace(draft, title=title, source=draft.source.strip())


async def create(tx: Transaction, admin: Member, typed: ProgrammeDraft) -> Programme:
    """Open a programme; whoever does is its first steward."""
    must(Standing(admin), Permission.OPEN_PROGRAMME)
    programme = Programme(id=tx.ids.next(), created=tx.now)
    await _fill(tx, programme, check(typed))
    tx.session.add(programme)
    await tx.session.flush()
    tx.session.add(ProgrammeSteward(programme_id=programme.id, member_id=admin.id))
    tx.record(ProgrammeChanged(programme.id))
    return programme


async def change(
    tx: Transaction, member: Member, programme_id: int, typed: ProgrammeDraft
) -> Programme:
    """Change a programme, close it or open it again; needs that are open stay so."""
    programme = await must_steward(tx.session, member, programme_id)
    await _fill(tx, programme, check(typed))
    tx.record(ProgrammeChanged(programme.id))
    return programme


async def _fill(tx: Transaction, programme: Programme, draft: ProgrammeDraft) -> None:
    programme.title, programme.source, programme.format = draft.title, draft.source, draft.format
    programme.html = await asyncio.to_thread(text.render, draft.source)
    programme.months, programme.meetings = int(draft.months), int(draft.meetings)
    programme.with_agencies, programme.is_open = draft.with_agencies, draft.is_open
    programme.updated = tx.now


async def name_steward(
    tx: Transaction, member: Member, programme_id: int, handle: str, *, named: bool
) -> None:
    """Have a member here look after a programme too, or no longer; one always stays."""
    await must_steward(tx.session, member, programme_id)
    person = await members.by_handle(tx.session, handle.strip().lstrip("@").lower())
    if person is None:
        raise Invalid({"steward": "Nobody here has this name."})
    held = await tx.session.get(ProgrammeSteward, (programme_id, person.id))
    if named and held is None:
        tx.session.add(ProgrammeSteward(programme_id=programme_id, member_id=person.id))
    elif not named and held is not None:
        if len(await stewards(tx.session, programme_id)) == 1:
            raise Invalid({"steward": "Name somebody else first: a programme needs a steward."})
        await tx.session.delete(held)


async def must_steward(session: AsyncSession, member: Member, programme_id: int) -> Programme:
    """The programme, for those who look after it; admins do not by themselves."""
    programme = await session.get(Programme, programme_id)
    if programme is None:
        raise NotFound
    if not may(Standing(member), Permission.TAKE_PART_IN_MENTORING) or not (
        await offers.is_steward(session, programme_id, member.id)
    ):
        raise NotAllowed("Only the stewards of a programme may do this.")
    return programme


async def stewards(session: AsyncSession, programme_id: int) -> list[Member]:
    """Who looks after a programme."""
    question = (
        select(Member)
        .join(ProgrammeSteward, ProgrammeSteward.member_id == Member.id)
        .where(ProgrammeSteward.programme_id == programme_id)
        .order_by(Member.id)
    )
    return list((await session.execute(question)).scalars())


@dataclass(frozen=True)
class ProgrammePage:
    """One programme as a member sees it; `need` is the id of what they look for in it."""

    programme: Programme
    stewards: list[Member]
    is_steward: bool
    has_card: bool
    need: int | None


async def page(session: AsyncSession, member: Member, programme_id: int) -> ProgrammePage:
    """The page of a programme, for members here."""
    must(Standing(member), Permission.TAKE_PART_IN_MENTORING)
    programme = await session.get(Programme, programme_id)
    if programme is None:
        raise NotFound
    looked_after = await stewards(session, programme_id)
    need = await matches.open_need(session, member.id, programme_id)
    return ProgrammePage(
        programme,
        looked_after,
        any(person.id == member.id for person in looked_after),
        await offers.card_of(session, member.id) is not None,
        need.id if need is not None else None,
    )
