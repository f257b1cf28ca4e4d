# SPDX-License-Identifier: Apache-2.0
"""Pairs: how they begin, and how they end without a reason."""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from server.errors import NotAllowed, NotFound
from server.facts.mentoring import (
    PairEnded,
)
from server.mentoring import cards, notices
from server.transaction import Transaction
from storage.base import held
from storage.members import Member
from storage.mentoring import Match, MentorCard, Pairing, PairState

LIVE = frozenset({PairState.ACTIVE, PairState.PAUSED})


async def begin(tx: Transaction, match: Match) -> Pairing:
    """The two of a match are a pair."""
    if match.mentor_id is None or match.mentee_id is None:
        raise ValueError("a pair needs two people")
    pairing = Pairing(
        id=tx.ids.next(), uri=match.uri, match_id=match.id, programme_id=match.programme_id,
        card_id=match.card_id, mentor_id=match.mentor_id, mentee_id=match.mentee_id,
        peer=match.peer, format=match.format, state=PairState.ACTIVE, terms="{}",
        terms_number=0, mentor_agreed=0, mentee_agreed=0, mentor_seen=0, mentee_seen=0,
        began=tx.now, bumped=tx.now,
    )  # fmt: skip
    tx.session.add(pairing)
    await tx.session.flush()
    return pairing


async def of_match(session: AsyncSession, match: Match) -> Pairing | None:
    """The pair that a match made."""
    question = select(Pairing).where(Pairing.uri == match.uri)
    return (await session.execute(question)).scalar_one_or_none()


async def elsewhere(session: AsyncSession, pairing: Pairing) -> Member | None:
    """The one of a pair who is of another agency; None where both are members here."""
    if pairing.peer is None:
        return None
    mentor = await session.get_one(Member, pairing.mentor_id)
    return await session.get_one(Member, pairing.mentee_id) if mentor.is_local else mentor


async def own(session: AsyncSession, member: Member, pairing_id: int) -> Pairing:
    """A pair that the member is one of; for anybody else it is not there."""
    pairing = await session.get(Pairing, pairing_id)
    if pairing is None or member.id not in {pairing.mentor_id, pairing.mentee_id}:
        raise NotFound
    return pairing


async def end(tx: Transaction, member: Member, pairing_id: int) -> Pairing:
    """Part, without giving a reason."""
    pairing = await own(tx.session, member, pairing_id)
    pairing = await held(tx.session, Pairing, pairing.id)
    if pairing.state not in LIVE:
        raise NotAllowed("This pair has ended already.")
    await apply_end(tx, pairing)
    await notices.tell_other(tx, pairing, member, notices.Notice.PARTED)
    if pairing.peer is not None:
        tx.record(PairEnded(pairing.id, member.id))
    return pairing


async def apply_end(tx: Transaction, pairing: Pairing, state: PairState = PairState.ENDED) -> None:
    """It has ended, and the mentor's place is free again."""
    pairing.state, pairing.ended, pairing.bumped = state, tx.now, tx.now
    await free_place(tx, pairing.card_id)


async def free_place(tx: Transaction, card_id: int) -> None:
    """Somebody no longer takes a place of a card of ours."""
    card = await held(tx.session, MentorCard, card_id)
    if card.peer is None:
        card.taken = max(0, card.taken - 1)
        cards.count_places(card)
