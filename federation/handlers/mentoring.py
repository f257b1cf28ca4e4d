# SPDX-License-Identifier: Apache-2.0
"""Offers to mentors, their answers, and taking either back."""

from federation import authority
from federation.askers import asker
from federation.incoming import Ignored, Incoming
from federation.mentoring import wire
from federation.urls import host_of_uri
from federation.vocabulary.activities import Activity
from federation.vocabulary.errors import Malformed
from federation.vocabulary.values import url_id_of
from server.mentoring import elsewhere
from server.mentoring.elsewhere import OfferDraft
from storage.members import Member
from storage.mentoring import Match, MentorCard, matches

_MARK = "#mentoring-"


def is_named_in(uri: str) -> bool:
    """Whether the id of an activity says that it is about a match: both sides make them so."""
    return _MARK in uri


def concerns(activity: Activity) -> bool:
    """Whether an Accept or a Reject is about a match."""
    return is_named_in(getattr(activity.object, "id", "")) or is_named_in(activity.id)


async def offer(incoming: Incoming, activity: Activity) -> None:
    """Somebody elsewhere asks a mentor of ours."""
    try:
        asked = wire.asked(activity.raw)
    except Malformed as error:
        raise Ignored(str(error)) from error
    authority.must_offer_own(activity.actor, asked.agreement)
    host = host_of_uri(activity.actor)
    await incoming.actors.meet(host)
    if not (await asker(incoming.wire, host, activity.actor)).agency:
        raise Ignored("Only agencies that a rule names ask mentors here.")
    person = None
    if not authority.is_instance(activity.actor):
        person = await incoming.actors.person(activity.actor)
    draft = OfferDraft(
        activity.id, asked.agreement, activity.actor, host, asked.card, asked.format, asked.told,
        asked.expires, person,
    )  # fmt: skip
    async with incoming.deed() as tx:
        await elsewhere.offered(tx, draft)


async def accept(incoming: Incoming, activity: Activity) -> None:
    """A mentor elsewhere takes a member of ours; or a mentee whom we took says who they are."""
    match, card = await _of(incoming, activity)
    if match.need_id is not None:
        authority.must_be_asked(activity.actor, card.person)
        mentor = await incoming.actors.person(activity.actor)
        async with incoming.deed() as tx:
            await elsewhere.accepted(tx, mentor, match)
        return
    _must_be_of_peer(activity.actor, match)
    mentee: Member = await incoming.actors.person(activity.actor)
    async with incoming.deed() as tx:
        await elsewhere.revealed(tx, mentee, match)


async def reject(incoming: Incoming, activity: Activity) -> None:
    """A mentor elsewhere says no; or who asked us has found somebody else."""
    match, card = await _of(incoming, activity)
    if match.need_id is not None:
        if not authority.is_instance(activity.actor):
            authority.must_be_asked(activity.actor, card.person)
        authority.must_be_of_origin(activity.actor, card.person)
        reason = activity.content or activity.summary or ""
        async with incoming.deed() as tx:
            await elsewhere.declined(tx, match, reason)
        return
    authority.must_be_asked(activity.actor, match.offer.partition("#")[0])
    async with incoming.deed() as tx:
        await elsewhere.withdrawn(tx, match)


async def undo_offer(incoming: Incoming, activity: Activity, inner: Activity) -> None:
    """Who asked takes it back, or parts."""
    authority.must_undo_own(activity.actor, inner)
    async with incoming.wire.instance.reading() as session:
        match = await matches.match_by_offer(session, inner.id)
    if match is None or match.need_id is not None:
        raise Ignored("This takes back nothing that was asked here.")
    authority.must_be_asked(activity.actor, match.offer.partition("#")[0])
    async with incoming.deed() as tx:
        await elsewhere.withdrawn(tx, match)


async def undo_accept(incoming: Incoming, activity: Activity, inner: Activity) -> None:
    """A mentor elsewhere parts from a member of ours."""
    authority.must_undo_own(activity.actor, inner)
    match, card = await _of(incoming, inner)
    if match.need_id is None:
        raise Ignored("This takes back nothing that was asked from here.")
    authority.must_be_asked(activity.actor, card.person)
    async with incoming.deed() as tx:
        await elsewhere.left(tx, match)


async def _of(incoming: Incoming, activity: Activity) -> tuple[Match, MentorCard]:
    """The match that an activity is about: by its offer, or by the agreement it names."""
    uri = getattr(activity.object, "id", "")
    agreement = url_id_of(activity.raw.get("context")) or ""
    async with incoming.wire.instance.reading() as session:
        match = await matches.match_by_offer(session, uri)
        if match is None:
            match = await matches.match_by_uri(session, agreement)
        if match is None or match.peer is None:
            raise Ignored("This is about no match that is held here.")
        return match, await session.get_one(MentorCard, match.card_id)


def _must_be_of_peer(actor: str, match: Match) -> None:
    authority.must_be_of_origin(actor, match.offer.partition("#")[0])
