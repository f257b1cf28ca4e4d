# SPDX-License-Identifier: Apache-2.0
"""Telling one agency of a match with one of its people, and nobody else."""

from typing import Any

from federation.mentoring import wire
from federation.mentoring.wire import Asked, Parties
from federation.outbox.telling import Telling
from federation.urls import host_of_uri
from server.facts.mentoring import (
    AcceptanceRefused,
    MenteeRevealed,
    MentorAnswered,
    MentorAsked,
    MentorAskWithdrawn,
    OfferRefused,
    PairEnded,
)
from server.mentoring import asks
from storage.members import Member
from storage.mentoring import Match, MatchState, MentorCard, Pairing
from storage.peers import Peer


async def asked(t: Telling, fact: MentorAsked) -> None:
    match, card, parties = await _of(t, fact.match)
    if match.state != MatchState.ASKED:
        return
    offered = Asked(match.uri, card.uri, match.format, asks.unpack(match.told), match.expires)
    await _send(t, match, parties.signer, wire.offer(parties, offered))


async def withdrawn(t: Telling, fact: MentorAskWithdrawn) -> None:
    match, _, parties = await _of(t, fact.match)
    await _send(t, match, parties.signer, wire.undo_offer(parties))


async def answered(t: Telling, fact: MentorAnswered) -> None:
    match, card, parties = await _of(t, fact.match)
    if fact.accepted:
        document = wire.accept(parties, card.uri)
    else:
        document = wire.reject(parties, parties.mentor, match.reason)
    await _send(t, match, parties.mentor, document)


async def revealed(t: Telling, fact: MenteeRevealed) -> None:
    match, _, parties = await _of(t, fact.match)
    mentee = await t.tx.session.get_one(Member, match.mentee_id)
    await _send(t, match, mentee.uri, wire.reveal(parties, mentee.uri))


async def too_late(t: Telling, fact: AcceptanceRefused) -> None:
    match, _, parties = await _of(t, fact.match)
    await _send(t, match, parties.signer, wire.refuse(parties))


async def refused(t: Telling, fact: OfferRefused) -> None:
    instance = t.wire.urls.instance
    parties = Parties(fact.agreement, fact.activity, instance)
    document = wire.reject(parties, instance, fact.reason)
    inbox = await _inbox(t, host_of_uri(fact.signer))
    await t.send_direct(
        document, instance, inbox, order_key=fact.agreement, subject=str(document["id"]),
        passing=True,
    )  # fmt: skip


async def ended(t: Telling, fact: PairEnded) -> None:
    pairing = await t.tx.session.get_one(Pairing, fact.pairing)
    match, _, parties = await _of(t, pairing.match_id)
    if pairing.mentor_id == fact.by:
        await _send(t, match, parties.mentor, wire.undo_accept(parties))
    else:
        await _send(t, match, parties.signer, wire.undo_offer(parties))


async def _of(t: Telling, match_id: int) -> tuple[Match, MentorCard, Parties]:
    match = await t.tx.session.get_one(Match, match_id)
    card = await t.tx.session.get_one(MentorCard, match.card_id)
    return match, card, Parties(match.uri, match.offer, card.person)


async def _send(t: Telling, match: Match, signer: str, document: dict[str, Any]) -> None:
    """To the one other agency, in order with all about this match; nowhere where there is none."""
    if match.peer is None:
        return
    await t.send_direct(
        document, signer, await _inbox(t, match.peer), order_key=match.uri,
        subject=str(document["id"]), passing=True,
    )  # fmt: skip


async def _inbox(t: Telling, host: str) -> str:
    """The inbox that every instance of ours has, whoever there is meant."""
    peer = await t.tx.session.get_one(Peer, host)
    return f"{peer.origin}/inbox"
