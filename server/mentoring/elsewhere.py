# SPDX-License-Identifier: Apache-2.0
"""What another agency's instance says of matches: the same deeds, applied.

Whoever asks learns nothing but an answer: a mentor who may not be asked, is not there or has no
place free is "not available", all alike.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from server import peers
from server.facts.mentoring import (
    AcceptanceRefused,
    MenteeRevealed,
    OfferRefused,
)
from server.mentoring import asks, cards, notices, pairs, profiles
from server.mentoring.asks import ANSWER_WITHIN, WAITING, Told
from server.mentoring.notices import Notice
from server.transaction import Transaction
from storage.base import held
from storage.members import Member
from storage.mentoring import (
    Match,
    MatchState,
    MentorCard,
    Need,
    NeedState,
    Pairing,
    Reach,
    matches,
    offers,
)

MOST_WAITING = 20
MOST_OF_A_PEER = 200
NOT_AVAILABLE = "This mentor is not available at the moment."


@dataclass(frozen=True)
class OfferDraft:
    """Somebody elsewhere asks a mentor of ours; `person` None while they are anonymous.

    `signer` is who signed it, at `host`; `activity` and `agreement` are ids.
    """

    activity: str
    agreement: str
    signer: str
    host: str
    card: str
    format: str
    told: Told
    expires: datetime
    person: Member | None = None


async def offered(tx: Transaction, draft: OfferDraft) -> Match | None:
    """Take an offer, or have it refused; only agencies that a rule names are heard at all."""
    earlier = await matches.match_by_uri(tx.session, draft.agreement)
    if earlier is not None or await matches.match_by_offer(tx.session, draft.activity) is not None:
        return earlier
    card = await offers.card_by_uri(tx.session, draft.card)
    if card is None or not await _is_open_to(tx, card, draft):
        tx.record(OfferRefused(draft.activity, draft.signer, draft.agreement, NOT_AVAILABLE))
        return None
    programme = next(
        (
            one
            for one in await offers.open_programmes(tx.session, with_agencies=True)
            if one.format == draft.format
        ),
        None,
    )
    match = Match(
        id=tx.ids.next(), uri=draft.agreement, offer=draft.activity, need_id=None,
        programme_id=programme.id if programme else None, card_id=card.id,
        mentor_id=card.member_id, mentee_id=draft.person.id if draft.person else None,
        peer=draft.host, format=draft.format, is_anonymous=draft.person is None,
        told=asks.pack(draft.told), state=MatchState.ASKED, reason="", proposed_by=None,
        created=tx.now, expires=min(draft.expires, tx.now + ANSWER_WITHIN), answered=None,
    )  # fmt: skip
    tx.session.add(match)
    await tx.session.flush()
    await notices.tell_mentor(tx, match, draft.person.name if draft.person else "")
    return match


async def _is_open_to(tx: Transaction, card: MentorCard, draft: OfferDraft) -> bool:
    """Whether this card takes an offer of theirs now."""
    mode = tx.settings.federates
    if not await peers.is_agency(tx.session, mode, draft.host, tx.now):
        return False
    if card.peer is not None or card.reach != Reach.AGENCIES or not card.is_open:
        return False
    if not await offers.open_programmes(tx.session, with_agencies=True):
        return False
    candidate = cards.candidate(card, tx.settings)
    if candidate is None or draft.format not in candidate.offered.formats:
        return False
    if draft.person is not None:
        name = cards.name_of(draft.person.handle, draft.person.peer, tx.settings)
        if name in candidate.not_with:
            return False
    waiting = select(func.count()).where(Match.state == MatchState.ASKED)
    of_card = (await tx.session.execute(waiting.where(Match.card_id == card.id))).scalar_one()
    of_peer = (await tx.session.execute(waiting.where(Match.peer == draft.host))).scalar_one()
    return of_card < MOST_WAITING and of_peer < MOST_OF_A_PEER


async def accepted(tx: Transaction, mentor: Member, match: Match) -> None:
    """A mentor elsewhere took a member of ours; refused where that comes too late."""
    match = await held(tx.session, Match, match.id)
    if match.state == MatchState.ACCEPTED:
        return
    need = await held(tx.session, Need, match.need_id or 0)
    # Nobody may have noticed yet that the time has run out.
    in_time = match.state in {MatchState.ASKED, MatchState.EXPIRED}
    if not in_time or need.state != NeedState.OPEN:
        tx.record(AcceptanceRefused(match.id))
        return
    match.state, match.answered, match.mentor_id = MatchState.ACCEPTED, tx.now, mentor.id
    card = await tx.session.get_one(MentorCard, match.card_id)
    card.member_id = mentor.id
    await asks.settle(tx, match)
    pairing = await pairs.begin(tx, match)
    await notices.tell_other(tx, pairing, mentor, Notice.ACCEPTED)
    if match.is_anonymous:
        tx.record(MenteeRevealed(match.id))


async def declined(tx: Transaction, match: Match, reason: str) -> None:
    """A mentor elsewhere, or their instance for them, said no."""
    match = await held(tx.session, Match, match.id)
    if match.state == MatchState.ASKED:
        match.state, match.answered = MatchState.DECLINED, tx.now
        match.reason = profiles.shown_text(reason, 500)
        await notices.tell_mentee(tx, match, Notice.DECLINED)


async def revealed(tx: Transaction, mentee: Member, match: Match) -> None:
    """Who was anonymous says who they are, now that they are matched."""
    match = await held(tx.session, Match, match.id)
    if match.state == MatchState.ACCEPTED and match.mentee_id is None:
        match.mentee_id = mentee.id
        pairing = await pairs.begin(tx, match)
        await notices.tell_other(tx, pairing, mentee, Notice.MET)


async def withdrawn(tx: Transaction, match: Match) -> None:
    """Whoever asked takes it back, cannot keep it any longer, or parts: no reason is asked for."""
    match = await held(tx.session, Match, match.id)
    if match.state in WAITING:
        match.state, match.answered = MatchState.WITHDRAWN, tx.now
        await notices.forget(tx, match.mentor_id, notices.page_of_ask(match))
    elif match.state == MatchState.ACCEPTED:
        pairing = await pairs.of_match(tx.session, match)
        if pairing is None:
            match.state = MatchState.WITHDRAWN
            await pairs.free_place(tx, match.card_id)
        else:
            await _parted(tx, pairing)


async def left(tx: Transaction, match: Match) -> None:
    """A mentor elsewhere parted from a member of ours."""
    pairing = await pairs.of_match(tx.session, match)
    if pairing is not None:
        await _parted(tx, pairing)


async def _parted(tx: Transaction, pairing: Pairing) -> None:
    """The one who is elsewhere ended it."""
    other = await pairs.elsewhere(tx.session, pairing)
    if other is not None and pairing.state in pairs.LIVE:
        await pairs.apply_end(tx, pairing)
        await notices.tell_other(tx, pairing, other, Notice.PARTED)
