# SPDX-License-Identifier: Apache-2.0
"""What the stewards of a programme see: needs to be met, totals, reports.

Nothing of what a pair writes is here but a report that one of it has sent them.
"""

import asyncio
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from server.errors import NotFound
from server.instance import Instance
from server.mentoring import asks, cards, matching, needs, programmes
from server.mentoring.matching import Candidate, Seeker, Suited
from server.mentoring.profiles import Wanted
from server.transaction import Transaction
from storage.base import Base
from storage.members import Member
from storage.mentoring import (
    Entry,
    EntryKind,
    Match,
    Need,
    NeedState,
    Pairing,
    PairState,
    Programme,
    matches,
)

# Fewer than so many are not told: a number this small may say who it is about.
LEAST = 5
MOST_NEEDS = 100
MOST_REPORTS = 50
MOST_SUGGESTED = 5


@dataclass(frozen=True)
class Total:
    """A number of the programme; None where it is under LEAST."""

    words: str
    count: int | None


@dataclass(frozen=True)
class NeedLine:
    """What somebody looks for; `mentee` is None where they prefer no name yet."""

    need: Need
    wanted: Wanted
    mentee: Member | None
    suggested: list[needs.Suggestion]


@dataclass(frozen=True)
class Report:
    """What one of a pair has told the stewards, about the other one."""

    entry: Entry
    by: Member
    about: Member


@dataclass(frozen=True)
class DeskPage:
    """The desk of a programme."""

    programme: Programme
    totals: list[Total]
    rating: float | None
    needs: list[NeedLine]
    reports: list[Report]


async def page(
    session: AsyncSession, instance: Instance, member: Member, programme_id: int
) -> DeskPage:
    """The desk of a programme, for its stewards."""
    programme = await programmes.must_steward(session, member, programme_id)
    totals, rating = await _totals(session, programme_id)
    return DeskPage(
        programme, totals, rating, await _needs(session, instance, programme),
        await _reports(session, programme_id, member),
    )  # fmt: skip


def told(count: int) -> int | None:
    """A count that may be told, or None."""
    return count if count >= LEAST else None


async def _count(session: AsyncSession, table: type[Base], *where: object) -> int:
    question = select(func.count()).select_from(table).where(*where)  # type: ignore[arg-type]
    return (await session.execute(question)).scalar_one()


async def _totals(session: AsyncSession, programme_id: int) -> tuple[list[Total], float | None]:
    need, pair = Need.programme_id == programme_id, Pairing.programme_id == programme_id
    of_pairs = select(Pairing.id).where(pair)
    sessions = (Entry.pairing_id.in_(of_pairs), Entry.kind == EntryKind.SESSION)
    counted = [
        ("People look for a mentor", Need, (need, Need.state == NeedState.OPEN)),
        ("Mentors were asked", Match, (Match.programme_id == programme_id,)),
        ("Pairs meet", Pairing, (pair, Pairing.state == PairState.ACTIVE)),
        ("Pairs have completed it", Pairing, (pair, Pairing.state == PairState.COMPLETED)),
        ("Sessions were held", Entry, (*sessions, Entry.state == "held")),
    ]
    totals = [
        Total(words, told(await _count(session, table, *where))) for words, table, where in counted
    ]
    given = (Entry.pairing_id.in_(of_pairs), Entry.kind == EntryKind.FEEDBACK)
    ratings = select(func.count(), func.sum(Entry.rating)).where(*given)
    number, points = (await session.execute(ratings)).one()
    totals.append(Total("Ratings were given", told(number)))
    return totals, round(float(points or 0) / number, 1) if number >= LEAST else None


async def _needs(session: AsyncSession, instance: Instance, programme: Programme) -> list[NeedLine]:
    found = await matches.open_needs(session, programme.id, MOST_NEEDS)
    people = await session.execute(
        select(Member).where(Member.id.in_({need.member_id for need in found}))
    )
    by_id = {person.id: person for person in people.scalars()}
    settings, now = instance.settings, instance.clock.now()
    held = await cards.findable(session, settings, now, with_agencies=programme.with_agencies)
    by_uri = {card.uri: card for card in held}
    candidates = [one for card in held if (one := cards.candidate(card, settings)) is not None]
    looking = [
        (needs.seeker(need, by_id[need.member_id], programme, settings), need.seed)
        for need in found
    ]
    # Each with each: nobody else's page waits for it.
    suited = await asyncio.to_thread(_suited, looking, candidates, now)
    return [
        NeedLine(
            need,
            looks.wanted,
            None if need.is_anonymous else by_id[need.member_id],
            [
                needs.Suggestion(by_uri[one.candidate.key], one.candidate.offered, one.score, None)
                for one in best
            ],
        )
        for need, (looks, _), best in zip(found, looking, suited, strict=True)
    ]


def _suited(
    looking: list[tuple[Seeker, int]], candidates: list[Candidate], now: datetime
) -> list[list[Suited]]:
    return [
        matching.ranked(looks, candidates, seed, now)[:MOST_SUGGESTED] for looks, seed in looking
    ]


async def _reports(session: AsyncSession, programme_id: int, reader: Member) -> list[Report]:
    """The reports, but for those about the steward who reads."""
    question = (
        select(Entry, Pairing)
        .join(Pairing, Pairing.id == Entry.pairing_id)
        .where(Pairing.programme_id == programme_id, Entry.kind == EntryKind.REPORT)
        .order_by(Entry.id.desc())
        .limit(MOST_REPORTS)
    )
    rows = [(row[0], row[1]) for row in (await session.execute(question)).all()]
    ids = {number for _, pair in rows for number in (pair.mentor_id, pair.mentee_id)}
    people = await session.execute(select(Member).where(Member.id.in_(ids)))
    by_id = {person.id: person for person in people.scalars()}
    found = [
        Report(
            entry,
            by_id[entry.author_id],
            by_id[pair.mentee_id if entry.author_id == pair.mentor_id else pair.mentor_id],
        )
        for entry, pair in rows
    ]
    return [report for report in found if report.about.id != reader.id]


async def propose(
    tx: Transaction, steward: Member, programme_id: int, need_id: int, card_id: int
) -> Match:
    """Propose a mentor to somebody who looks for one in this programme."""
    await programmes.must_steward(tx.session, steward, programme_id)
    need = await tx.session.get(Need, need_id)
    if need is None or need.programme_id != programme_id:
        raise NotFound
    return await asks.propose(tx, steward, need_id, card_id)
