# SPDX-License-Identifier: Apache-2.0
"""Mentor cards: what members offer, and what is held of other agencies'."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from server import peers, text
from server.errors import Invalid
from server.mentoring import languages, profiles
from server.mentoring.matching import Candidate
from server.mentoring.profiles import Offered
from server.mentoring.terms import MOST_HOURS, MOST_PLACES, MOST_SKILLS, REACHES
from server.permissions import Permission, Standing, must
from server.settings import Settings
from server.transaction import Transaction
from storage.members import Member
from storage.mentoring import MentorCard, Reach, offers

MOST_CARDS = 500
MOST_NOT_WITH = 50
Typed = Mapping[str, str]


@dataclass(frozen=True)
class CardDraft:
    """A card, checked."""

    offered: Offered
    reach: str
    capacity: int
    not_with: tuple[str, ...]


def name_of(handle: str, peer: str | None, settings: Settings) -> str:
    """`handle@host`, for people here as well: how people are told apart in matching."""
    return f"{handle}@{peer or settings.host}".lower()


def names(typed: str, settings: Settings) -> tuple[str, ...]:
    """Names as typed, apart by commas or lines; without a host they are of this agency."""
    found = [one.strip().lstrip("@").lower() for one in typed.replace(",", "\n").splitlines()]
    kept = [one if "@" in one else f"{one}@{settings.host}" for one in found if one]
    return tuple(dict.fromkeys(text.clean_line(one, 320) for one in kept))[:MOST_NOT_WITH]


def listed(typed: str) -> list[str]:
    """Words as typed, apart by commas."""
    return [one for part in typed.replace("\n", ",").split(",") if (one := part.strip())]


def number(typed: str, most: int) -> int | None:
    """A whole number from 1 to `most` as typed; None for anything else."""
    value = typed.strip()
    if not value.isascii() or not value.isdecimal() or len(value) > 6:
        return None
    return int(value) if 1 <= int(value) <= most else None


def shared_fields(typed: Typed) -> tuple[dict[str, object], dict[str, str]]:
    """The part of a document that cards and needs share, with what is wrong in it."""
    faults: dict[str, str] = {}
    hours = number(typed.get("hours", ""), MOST_HOURS)
    if hours is None:
        faults["hours"] = f"Give the hours a month, from 1 to {MOST_HOURS}."
    made: dict[str, object] = {
        "v": 1,
        "languages": [languages.code_of(one) for one in listed(typed.get("languages", ""))],
        "zone": typed.get("zone", ""),
        "hours": hours or 1,
        "functions": [one for n in range(3) if (one := typed.get(f"function.{n}", ""))],
    }
    return made, faults


def read(typed: Typed, settings: Settings) -> CardDraft:
    """The card that a form holds; Invalid names every field that needs another look."""
    made, faults = shared_fields(typed)
    made["skills"] = [
        {"name": name, "level": number(typed.get(f"level.{n}", "2"), 3) or 2}
        for n in range(MOST_SKILLS)
        if (name := typed.get(f"skill.{n}", "").strip())
    ]
    made["formats"] = [one for one in ("one-to-one", "group", "flash") if typed.get(one)]
    made["grade"], made["about"] = typed.get("grade", ""), typed.get("about", "")
    offered = None
    try:
        offered = profiles.offered(made)
    except Invalid as error:
        faults = {**error.fields, **faults}
    if "skills" in faults:
        faults["skill.0"] = faults.pop("skills")
    if "functions" in faults:
        faults["function.0"] = faults.pop("functions")
    capacity = number(typed.get("capacity", ""), MOST_PLACES)
    if capacity is None:
        faults["capacity"] = f"Say how many mentees you would take at once, 1 to {MOST_PLACES}."
    reach = typed.get("reach", "")
    if reach not in REACHES:
        faults["reach"] = "Choose who may find your card."
    if faults or offered is None or capacity is None:
        raise Invalid(faults)
    return CardDraft(offered, reach, capacity, names(typed.get("not_with", ""), settings))


def typed_of(card: MentorCard, settings: Settings) -> dict[str, str]:
    """A card as its form shows it."""
    held = profiles.unpack_offered(card.record)
    found = {
        "languages": languages.said(held.languages),
        "zone": held.zone,
        "hours": str(held.hours),
        "grade": held.grade,
        "about": held.about,
        "capacity": str(card.capacity),
        "reach": card.reach,
        "not_with": ", ".join(
            name.removesuffix(f"@{settings.host}") for name in json.loads(card.not_with)
        ),
    }
    for n, skill in enumerate(held.skills):
        found |= {f"skill.{n}": skill.name, f"level.{n}": str(skill.level)}
    found |= {f"function.{n}": one for n, one in enumerate(held.functions)}
    return found | dict.fromkeys(held.formats, "yes")


async def keep(tx: Transaction, member: Member, draft: CardDraft) -> MentorCard:
    """Make one's card, or change it."""
    must(Standing(member), Permission.TAKE_PART_IN_MENTORING)
    card = await offers.card_of(tx.session, member.id)
    if card is None:
        card = MentorCard(
            id=tx.ids.next(), uri=f"{member.uri}#mentor-card", person=member.uri,
            member_id=member.id, handle=member.handle, taken=0, is_paused=False,
        )  # fmt: skip
        tx.session.add(card)
    card.name, card.role_title = member.name, member.role_title
    card.agency = tx.settings.agency_name
    card.record = profiles.pack(draft.offered)
    card.reach, card.capacity = draft.reach, draft.capacity
    card.not_with = json.dumps(draft.not_with)
    card.updated = tx.now
    count_places(card)
    await tx.session.flush()
    return card


async def pause(tx: Transaction, member: Member, *, paused: bool) -> MentorCard:
    """Be found by nobody for a while, or again; whoever one mentors stays."""
    card = await offers.card_of(tx.session, member.id)
    if card is None:
        raise Invalid(message="Make a mentor card first.")
    card.is_paused, card.updated = paused, tx.now
    count_places(card)
    return card


def count_places(card: MentorCard) -> None:
    """Say anew whether a card of ours has a place free."""
    card.is_open = not card.is_paused and card.taken < card.capacity


def candidate(card: MentorCard, settings: Settings) -> Candidate | None:
    """A card as matching sees it; None for one that cannot be read."""
    try:
        offered = profiles.unpack_offered(card.record)
    except (Invalid, ValueError):
        return None
    return Candidate(
        card.uri,
        name_of(card.handle, card.peer, settings),
        offered,
        card.is_open,
        frozenset(json.loads(card.not_with)),
    )


async def findable(
    session: AsyncSession, settings: Settings, now: datetime, *, with_agencies: bool
) -> list[MentorCard]:
    """Cards with a place: those here, and those of agencies that a rule still names."""
    found = await offers.open_cards(session, MOST_CARDS, elsewhere=with_agencies)
    hosts = {card.peer for card in found if card.peer is not None}
    listed_hosts = await _listed(session, settings, hosts, now) if hosts else frozenset()
    return [card for card in found if card.peer is None or card.peer in listed_hosts]


async def _listed(
    session: AsyncSession, settings: Settings, hosts: Iterable[str], now: datetime
) -> frozenset[str]:
    rules, mode = await peers.rules(session), settings.federates
    return frozenset(host for host in hosts if peers.decide(mode, rules, host, now).explicit)


@dataclass(frozen=True)
class Arrived:
    """A card as another agency's collection has it."""

    uri: str
    person: str
    handle: str
    name: str
    role_title: str
    offered: Offered
    is_open: bool


async def hold(tx: Transaction, peer: str, agency: str, arrived: Iterable[Arrived]) -> int:
    """Hold the cards of an agency as it shows them now; answers how many.

    Those it shows no longer are gone, or closed where a match names them.
    """
    held = {card.uri: card for card in await offers.cards_of_peer(tx.session, peer)}
    seen = set()
    for one in arrived:
        card = held.get(one.uri)
        if card is None:
            card = MentorCard(
                id=tx.ids.next(), uri=one.uri, person=one.person, peer=peer, reach=Reach.AGENCIES,
                capacity=1, taken=0, is_paused=False, not_with="[]",
            )  # fmt: skip
            tx.session.add(card)
            held[one.uri] = card
        seen.add(one.uri)
        card.handle, card.name = one.handle, text.clean_line(one.name, 100)
        card.role_title = text.clean_line(one.role_title, 100)
        card.agency = agency
        card.record = profiles.pack(one.offered)
        card.is_open = one.is_open
        card.updated = card.pulled = tx.now
    closed = []
    for uri, card in held.items():
        if uri not in seen:
            card.is_open = False
            closed.append(card.id)
    await tx.session.flush()
    await offers.drop_unmatched(tx.session, closed)
    return len(seen)


@dataclass(frozen=True)
class CardPage:
    """One's own card, if there is one, and what is asked of it."""

    card: MentorCard | None
    offered: Offered | None


async def page(session: AsyncSession, member: Member) -> CardPage:
    """One's own card."""
    must(Standing(member), Permission.TAKE_PART_IN_MENTORING)
    card = await offers.card_of(session, member.id)
    return CardPage(card, profiles.unpack_offered(card.record) if card is not None else None)
