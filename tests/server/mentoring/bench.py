# SPDX-License-Identifier: Apache-2.0
"""Programmes, cards and needs for tests, by the real deeds."""

from datetime import timedelta
from typing import Any

from server.instance import Instance
from server.mentoring import agreements, asks, cards, drafts, entries, needs, programmes
from server.mentoring.programmes import ProgrammeDraft
from storage.members import Member
from storage.mentoring import EntryKind, MentorCard, Need, Pairing, Programme, pairs

CARD = {
    "skill.0": "Digital permits", "level.0": "3", "skill.1": "Plain language", "level.1": "1",
    "languages": "en", "zone": "America/Chicago", "hours": "3", "capacity": "1",
    "one-to-one": "yes", "reach": "agencies", "function.0": "04", "about": "Ask me about forms.",
}  # fmt: skip
NEED = {
    "goal": "Cut our permit times without checking less.", "skill.0": "digital permits",
    "skill.1": "Negotiation", "languages": "en, es", "zone": "America/New_York", "hours": "2",
    "function.0": "04",
}  # fmt: skip


async def programme(
    instance: Instance, admin: Member, *, with_agencies: bool = True, way: str = "one-to-one"
) -> Programme:
    """An open programme; the admin looks after it."""
    draft = ProgrammeDraft("Permit mentors", "Be kind.", way, with_agencies=with_agencies)
    async with instance.transaction() as tx:
        return await programmes.create(tx, admin, draft)


async def card(instance: Instance, member: Member, **typed: str) -> MentorCard:
    """A mentor's card, as its form would make it."""
    draft = cards.read(CARD | typed, instance.settings)
    async with instance.transaction() as tx:
        return await cards.keep(tx, member, draft)


async def need(instance: Instance, member: Member, place: Programme, **typed: str) -> Need:
    """What somebody looks for, as the form would make it."""
    draft = needs.read(NEED | typed, instance.settings)
    async with instance.transaction() as tx:
        return await needs.keep(tx, member, place.id, draft)


async def matched(
    instance: Instance, mentee: Member, place: Programme, held: MentorCard, mentor: Member
) -> Pairing:
    """Two who were matched in a programme."""
    wanted = await need(instance, mentee, place)
    async with instance.transaction() as tx:
        asked = await asks.ask(tx, mentee, wanted.id, held.id, "Would you?")
    async with instance.transaction() as tx:
        await asks.accept(tx, mentor, asked.id)
        pairing = await pairs.pairing_by_uri(tx.session, asked.uri)
    assert pairing is not None
    return pairing


async def written(instance: Instance, pairing: Pairing, *authors: Member) -> None:
    """Terms, and an entry of every kind by each of the two."""
    for author in authors:
        async with instance.transaction() as tx:
            terms = {
                "goals": "Ten checks in use.",
                "cadence": "Every two weeks",
                "channel": "Video",
            }
            made = agreements.read({**terms, "confidentiality": "between-us"})
            await agreements.propose(tx, author, pairing.id, made)
            said: dict[str, Any] = {"title": "First look", "minutes": 45, "rating": 4}
            said |= {"text": "The *list*, and who reads it.", "due": "2027-03-31"}
            said["starts"] = tx.now + timedelta(days=3)
            for kind in (*EntryKind,):
                draft = drafts.read({**said, "kind": kind})
                entry = await entries.write(tx, author, pairing.id, draft, shared=True)
                if kind == EntryKind.GOAL:
                    said["parent"] = entry.uri


async def meeting(instance: Instance, mentee: Member, mentor: Member) -> dict[str, str]:
    """A programme, a pair, and a request with a mentor who was asked; the path of each page."""
    place = await programme(instance, mentor)
    held = await card(instance, mentor, capacity="3")
    done = await matched(instance, mentee, place, held, mentor)
    async with instance.transaction() as tx:
        await agreements.change(tx, mentee, done.id, agreements.COMPLETED)
    pairing = await matched(instance, mentee, place, held, mentor)
    await written(instance, pairing, mentor, mentee)
    async with instance.reading() as session:
        sessions = await pairs.entries_of(session, pairing.id, mentee.id, EntryKind.SESSION, 9)
    planned = next(one for one in sessions if one.author_id == mentee.id)
    mine = await card(instance, mentee, capacity="3")
    second = await need(instance, mentor, place)
    async with instance.transaction() as tx:
        asked = await asks.ask(tx, mentor, second.id, mine.id, "And would you?")
    later = await need(instance, mentee, place)
    return {
        "programme": f"/mentoring/programmes/{place.id}",
        "need": f"/mentoring/requests/{later.id}",
        "asked": f"/mentoring/asks/{asked.id}",
        "pair": f"/mentoring/pairs/{pairing.id}",
        "entry": f"/mentoring/pairs/{pairing.id}/entries/{planned.id}",
        "certificate": f"/mentoring/pairs/{done.id}/certificate",
    }
