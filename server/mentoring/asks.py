# SPDX-License-Identifier: Apache-2.0
"""Asking a mentor, answering, and what follows where both are told.

The mentee's instance decides whether a need is still open, the mentor's whether a place is.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from server.errors import Gone, Invalid, NotAllowed, NotFound, TooFast
from server.facts.mentoring import (
    MentorAnswered,
    MentorAsked,
    MentorAskWithdrawn,
)
from server.mentoring import cards, matching, needs, notices, pairs, profiles
from server.mentoring.matching import Score
from server.mentoring.notices import Notice
from server.mentoring.profiles import LONGEST_MESSAGE, Wanted
from server.permissions import Permission, Standing, must
from server.transaction import Transaction
from storage.base import held
from storage.members import Member
from storage.mentoring import Match, MatchState, MentorCard, Need, NeedState, Programme, matches

ANSWER_WITHIN = timedelta(days=7)
MOST_OPEN = 3
WAITING = frozenset({MatchState.PROPOSED, MatchState.ASKED})


@dataclass(frozen=True)
class Told:
    """What a mentor is told of a mentee's need; `message` is written to this mentor."""

    wanted: Wanted
    message: str


def pack(told: Told) -> str:
    """As it is stored."""
    return json.dumps(document_of(told), sort_keys=True, ensure_ascii=False)


def document_of(told: Told) -> dict[str, Any]:
    """The JSON document, the same that travels."""
    return {"need": profiles.document_of(told.wanted), "message": told.message}


def read(document: object) -> Told:
    """What a document tells; Invalid where it cannot be read."""
    made = document if isinstance(document, dict) else {}
    message = made.get("message")
    if not isinstance(message, str) or len(message) > LONGEST_MESSAGE:
        raise Invalid({"message": f"Keep it under {LONGEST_MESSAGE:,} characters."})
    return Told(profiles.wanted(made.get("need")), profiles.text_of(message))


def unpack(stored: str) -> Told:
    """What a stored match tells."""
    return read(json.loads(stored))


async def ask(tx: Transaction, mentee: Member, need_id: int, card_id: int, message: str) -> Match:
    """Ask a mentor; nobody else learns of it."""
    need, card = await _one_of_each(tx, need_id, card_id)
    if need.member_id != mentee.id:
        raise NotFound
    words = profiles.text_of(message)
    if not words:
        raise Invalid({"message": "Write a few words to the mentor: they decide by them."})
    if len(words) > LONGEST_MESSAGE:
        raise Invalid({"message": f"Keep it under {LONGEST_MESSAGE:,} characters."})
    programme = await _must_suit(tx, need, card, mentee)
    earlier = await matches.of_need(tx.session, need.id)
    _must_be_few(earlier, card)
    match = next(
        (one for one in earlier if one.card_id == card.id and one.state == MatchState.PROPOSED),
        None,
    ) or _new(tx, need, programme, card)
    # What they want to learn is theirs: the mentor reads what was written for them.
    wanted = replace(profiles.unpack_wanted(need.record), goal="")
    match.told = pack(Told(wanted, words))
    match.is_anonymous = need.is_anonymous
    signer = f"{tx.settings.origin}/instance" if need.is_anonymous else mentee.uri
    match.offer = f"{signer}#mentoring-offer-{match.id}"
    match.state, match.expires = MatchState.ASKED, tx.now + ANSWER_WITHIN
    tx.session.add(match)
    await tx.session.flush()
    tx.record(MentorAsked(match.id))
    await notices.tell_mentor(tx, match, "" if need.is_anonymous else mentee.name)
    return match


async def _one_of_each(tx: Transaction, need_id: int, card_id: int) -> tuple[Need, MentorCard]:
    if await tx.session.get(Need, need_id) is None:
        raise NotFound
    need = await held(tx.session, Need, need_id)
    card = await tx.session.get(MentorCard, card_id)
    if card is None:
        raise NotFound
    return need, card


async def _must_suit(tx: Transaction, need: Need, card: MentorCard, mentee: Member) -> Programme:
    """Refuse what no longer is, or what a hard rule keeps apart."""
    programme = await tx.session.get_one(Programme, need.programme_id)
    if need.state != NeedState.OPEN or not programme.is_open:
        raise NotAllowed("This request is closed.")
    findable = await cards.findable(
        tx.session, tx.settings, tx.now, with_agencies=programme.with_agencies
    )
    candidate = cards.candidate(card, tx.settings)
    if candidate is None or card.id not in {one.id for one in findable}:
        raise Gone("This mentor has no place free at the moment.")
    reason = matching.why_not(needs.seeker(need, mentee, programme, tx.settings), candidate)
    if reason:
        raise NotAllowed(reason)
    return programme


def _must_be_few(earlier: Iterable[Match], card: MentorCard) -> None:
    open_now = 0
    for match in earlier:
        if match.card_id == card.id and match.state not in {
            MatchState.WITHDRAWN, MatchState.PROPOSED, MatchState.EXPIRED,
        }:  # fmt: skip
            raise NotAllowed("You have asked this mentor already.")
        open_now += match.state == MatchState.ASKED
    if open_now >= MOST_OPEN:
        raise TooFast(f"You have asked {MOST_OPEN} mentors: wait for an answer, or take one back.")


def _new(tx: Transaction, need: Need, programme: Programme, card: MentorCard) -> Match:
    number = tx.ids.next()
    instance = f"{tx.settings.origin}/instance"
    return Match(
        id=number, uri=f"{instance}#agreement-{number}",
        offer=f"{instance}#mentoring-offer-{number}", need_id=need.id,
        programme_id=programme.id, card_id=card.id, mentor_id=card.member_id,
        mentee_id=need.member_id, peer=card.peer, reason="", created=tx.now, is_anonymous=True,
        told="{}", state=MatchState.PROPOSED, expires=tx.now + ANSWER_WITHIN,
        format=programme.format,
    )  # fmt: skip


async def propose(tx: Transaction, steward: Member, need_id: int, card_id: int) -> Match:
    """A steward proposes a mentor to somebody, who may then ask them."""
    need, card = await _one_of_each(tx, need_id, card_id)
    mentee = await tx.session.get_one(Member, need.member_id)
    programme = await _must_suit(tx, need, card, mentee)
    if any(one.card_id == card.id for one in await matches.of_need(tx.session, need.id)):
        raise NotAllowed("This mentor was proposed or asked already.")
    match = _new(tx, need, programme, card)
    match.proposed_by = steward.id
    tx.session.add(match)
    await tx.session.flush()
    await notices.tell_mentee(tx, match, Notice.PROPOSED)
    return match


async def answerable(tx: Transaction, mentor: Member, match_id: int) -> tuple[Match, MentorCard]:
    """A match that this mentor may answer now, with their card, kept from others."""
    match = await tx.session.get(Match, match_id)
    if match is None:
        raise NotFound
    card = await held(tx.session, MentorCard, match.card_id)
    if card.member_id != mentor.id:
        raise NotFound
    match = await held(tx.session, Match, match_id)
    if match.state != MatchState.ASKED:
        raise NotAllowed("This was answered, or taken back, already.")
    if match.expires <= tx.now:
        raise NotAllowed("The time to answer this has run out.")
    return match, card


async def accept(tx: Transaction, mentor: Member, match_id: int) -> Match:
    """The mentor takes somebody; the last place goes to one."""
    must(Standing(mentor), Permission.TAKE_PART_IN_MENTORING)
    match, card = await answerable(tx, mentor, match_id)
    if card.taken >= card.capacity:
        raise NotAllowed("You have no place free: raise the number on your card first.")
    match.state, match.answered = MatchState.ACCEPTED, tx.now
    match.mentor_id = mentor.id
    card.taken += 1
    cards.count_places(card)
    if match.need_id is not None:
        await settle(tx, match)
    if match.mentee_id is not None:
        pairing = await pairs.begin(tx, match)
        await notices.tell_other(tx, pairing, mentor, Notice.ACCEPTED)
    if match.need_id is None:
        tx.record(MentorAnswered(match.id, accepted=True))
    return match


async def settle(tx: Transaction, match: Match) -> None:
    """A need of ours is met: whoever else was asked need not answer."""
    need = await held(tx.session, Need, match.need_id or 0)
    need.state, need.updated = NeedState.MATCHED, tx.now
    for other in await matches.of_need(tx.session, need.id):
        if other.id != match.id and other.state in WAITING:
            await _take_back(tx, other)


async def _take_back(tx: Transaction, match: Match) -> None:
    was_asked = match.state == MatchState.ASKED
    match.state, match.answered = MatchState.WITHDRAWN, tx.now
    await notices.forget(tx, match.mentor_id, notices.page_of_ask(match))
    if was_asked and match.peer is not None:
        tx.record(MentorAskWithdrawn(match.id))


async def decline(tx: Transaction, mentor: Member, match_id: int, reason: str = "") -> Match:
    """The mentor says no, in words or without."""
    match, _ = await answerable(tx, mentor, match_id)
    match.state, match.answered = MatchState.DECLINED, tx.now
    match.reason = profiles.shown_text(reason, 500)
    if match.need_id is None:
        tx.record(MentorAnswered(match.id, accepted=False))
    await notices.tell_mentee(tx, match, Notice.DECLINED)
    return match


async def withdraw(tx: Transaction, mentee: Member, match_id: int) -> Match:
    """The mentee takes back what they asked, or sets a proposal aside."""
    match = await tx.session.get(Match, match_id)
    if match is None or match.need_id is None or match.mentee_id != mentee.id:
        raise NotFound
    match = await held(tx.session, Match, match_id)
    if match.state not in WAITING:
        raise NotAllowed("This was answered already.")
    await _take_back(tx, match)
    return match


async def close_need(tx: Transaction, mentee: Member, need_id: int) -> None:
    """The mentee looks for nobody any longer."""
    need, _ = await needs.own(tx.session, mentee, need_id)
    need = await held(tx.session, Need, need.id)
    if need.state != NeedState.OPEN:
        raise NotAllowed("This request is closed already.")
    need.state, need.updated = NeedState.WITHDRAWN, tx.now
    for match in await matches.of_need(tx.session, need.id):
        if match.state in WAITING:
            await _take_back(tx, match)


async def expire(tx: Transaction, most: int = 200) -> int:
    """Close what nobody answered in time; both sides do, at the same moment."""
    found = await matches.run_out(tx.session, tx.now, most)
    for match in found:
        was_asked = match.state == MatchState.ASKED
        match.state, match.answered = MatchState.EXPIRED, tx.now
        await notices.forget(tx, match.mentor_id, notices.page_of_ask(match))
        if was_asked:
            await notices.tell_mentee(tx, match, Notice.EXPIRED)
    return len(found)


async def put_to(session: AsyncSession, member: Member, match_id: int) -> tuple[Match, MentorCard]:
    """A match that was put to this mentor, with their card; for anybody else it is not there."""
    match = await session.get(Match, match_id)
    card = await session.get(MentorCard, match.card_id) if match is not None else None
    if match is None or card is None or card.member_id != member.id:
        raise NotFound
    if match.state == MatchState.PROPOSED:
        raise NotFound
    return match, card


@dataclass(frozen=True)
class AskPage:
    """What a mentor was asked: by whom (None while they are anonymous), what, and how it suits."""

    match: Match
    card: MentorCard
    mentee: Member | None
    told: Told
    score: Score
    pairing: int | None


async def page(session: AsyncSession, member: Member, match_id: int) -> AskPage:
    """A match, for the mentor it was put to and for nobody else."""
    match, card = await put_to(session, member, match_id)
    told = unpack(match.told)
    is_hidden = match.is_anonymous and match.state != MatchState.ACCEPTED
    mentee = None
    if match.mentee_id is not None and not is_hidden:
        mentee = await session.get(Member, match.mentee_id)
    pairing = await pairs.of_match(session, match)
    offered = profiles.unpack_offered(card.record)
    score = matching.weigh(told.wanted, offered, match.created)
    return AskPage(match, card, mentee, told, score, pairing.id if pairing else None)
