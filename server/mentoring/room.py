# SPDX-License-Identifier: Apache-2.0
"""The front of the mentoring room: what there is, and what waits for you."""

from dataclasses import dataclass

from sqlalchemy import case, exists, func, or_, select, type_coerce
from sqlalchemy.ext.asyncio import AsyncSession

from server.mentoring import pairs
from server.permissions import Permission, Standing, may, must
from storage import members
from storage.base import Characters
from storage.members import Member
from storage.mentoring import (
    Entry,
    Match,
    MatchState,
    MentorCard,
    MentoringNotice,
    Need,
    NeedState,
    Pairing,
    Programme,
    matches,
    offers,
)
from storage.mentoring import (
    pairs as pairings,
)
from storage.plain import Put, Question, ask, given

MOST_PAIRS = 50


@dataclass(frozen=True)
class AskLine:
    """What a mentor was asked, and by whom (None while they are anonymous)."""

    match: Match
    mentee: Member | None


@dataclass(frozen=True)
class NeedLine:
    """What a member looks for; how many mentors they asked, and have been proposed."""

    need: Need
    programme: Programme
    asked: int
    proposed: int


@dataclass(frozen=True)
class PairLine:
    """A pair: the other one, and whether the member mentors them."""

    pairing: Pairing
    other: Member
    is_mentor: bool


def _all_waiting() -> Question[tuple[int, int]]:
    me = given("me")
    asked = select(func.count()).where(
        Match.card_id == MentorCard.id, MentorCard.member_id == me, Match.state == MatchState.ASKED
    )
    needs = select(Need.id).where(Need.member_id == me, Need.state == NeedState.OPEN)
    # Without its index, so that they are found by need: else all proposals there are get read.
    is_proposed = type_coerce(Match.state + "", Characters(64)) == MatchState.PROPOSED
    proposed = select(func.count()).where(Match.need_id.in_(needs), is_proposed)
    seen = case((Pairing.mentor_id == me, Pairing.mentor_seen), else_=Pairing.mentee_seen)
    news = exists().where(
        Entry.pairing_id == Pairing.id, Entry.author_id != me, Entry.is_shared, Entry.id > seen
    )
    changed = select(func.count()).where(
        or_(Pairing.mentor_id == me, Pairing.mentee_id == me),
        Pairing.state.in_(sorted(pairs.LIVE)),
        or_(seen == 0, news),
    )
    unread = select(func.count()).where(
        MentoringNotice.member_id == me, MentoringNotice.read.is_(None)
    )
    parts = [part.scalar_subquery() for part in (asked, proposed, changed, unread)]
    return Question(select(parts[0] + parts[1] + parts[2], parts[3]), lambda *both: both)


# Every page of a member asks it.
_WAITING = _all_waiting()


def ahead(member: int) -> Put:
    """What `waiting_counts` asks."""
    return _WAITING, {"me": member}


async def waiting_counts(session: AsyncSession, member: Member) -> tuple[int, int]:
    """How many things in the room wait for a member, and how many notices they have not read.

    Asks, proposals and pairs with news wait.
    """
    return (await ask(session, _WAITING, me=member.id))[0]


@dataclass(frozen=True)
class RoomPage:
    """The front of the room, for one member."""

    programmes: list[Programme]
    card: MentorCard | None
    waiting: list[AskLine]
    needs: list[NeedLine]
    pairs: list[PairLine]
    may_open: bool


async def page(session: AsyncSession, member: Member) -> RoomPage:
    """What a member here finds in the room."""
    must(Standing(member), Permission.TAKE_PART_IN_MENTORING)
    may_open = may(Standing(member), Permission.OPEN_PROGRAMME)
    programmes = list(await offers.open_programmes(session))
    if may_open:
        rows = await session.execute(select(Programme).order_by(Programme.id).limit(200))
        programmes = list(rows.scalars())
    card = await offers.card_of(session, member.id)
    return RoomPage(
        programmes,
        card,
        await _waiting(session, card),
        await _needs(session, member),
        await _pairs(session, member),
        may_open,
    )


async def _waiting(session: AsyncSession, card: MentorCard | None) -> list[AskLine]:
    if card is None:
        return []
    found = await matches.asked_of(session, card.id)
    known = await members.by_ids(session, {one.mentee_id for one in found if one.mentee_id})
    return [
        AskLine(one, None if one.is_anonymous else known.get(one.mentee_id or 0)) for one in found
    ]


async def _needs(session: AsyncSession, member: Member) -> list[NeedLine]:
    found = [one for one in await matches.needs_of(session, member.id) if _is_open(one)]
    ids = [need.id for need in found]
    programmes = await session.execute(
        select(Programme).where(Programme.id.in_({need.programme_id for need in found}))
    )
    by_id = {programme.id: programme for programme in programmes.scalars()}
    counted = (
        select(Match.need_id, Match.state, func.count())
        .where(Match.need_id.in_(ids))
        .group_by(Match.need_id, Match.state)
    )
    counts = {(need, state): count for need, state, count in await session.execute(counted)}
    return [
        NeedLine(
            need,
            by_id[need.programme_id],
            counts.get((need.id, MatchState.ASKED), 0),
            counts.get((need.id, MatchState.PROPOSED), 0),
        )
        for need in found
    ]


def _is_open(need: Need) -> bool:
    return need.state == NeedState.OPEN


async def _pairs(session: AsyncSession, member: Member) -> list[PairLine]:
    found = await pairings.pairings_of(session, member.id, MOST_PAIRS)
    others = {
        pairing.id: pairing.mentee_id if pairing.mentor_id == member.id else pairing.mentor_id
        for pairing in found
    }
    people = await members.by_ids(session, set(others.values()))
    lines = [
        PairLine(pairing, people[others[pairing.id]], pairing.mentor_id == member.id)
        for pairing in found
    ]
    return sorted(lines, key=lambda line: line.pairing.state not in pairs.LIVE)
