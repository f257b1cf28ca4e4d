# SPDX-License-Identifier: Apache-2.0
"""Programmes, cards and needs for tests, by the real deeds."""

from server.instance import Instance
from server.mentoring import cards, needs, programmes
from server.mentoring.programmes import ProgrammeDraft
from storage.members import Member
from storage.mentoring import MentorCard, Need, Programme

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
