# SPDX-License-Identifier: Apache-2.0
"""What members look for: opening a need, and the mentors that suit it."""

import json
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from server.errors import Invalid, NotAllowed, NotFound
from server.facts.mentoring import (
    NeedOpened,
)
from server.instance import Instance
from server.mentoring import cards, languages, matching, profiles
from server.mentoring.matching import Score, Seeker
from server.mentoring.profiles import Wanted
from server.mentoring.terms import MOST_SKILLS
from server.permissions import Permission, Standing, must
from server.settings import Settings
from server.transaction import Transaction
from storage.members import Member
from storage.mentoring import (
    Match,
    MatchState,
    MentorCard,
    Need,
    NeedState,
    Programme,
    Pull,
    matches,
)

MOST_SHOWN = 20
MOST_PULLS = 200


@dataclass(frozen=True)
class NeedDraft:
    """A need, checked."""

    wanted: Wanted
    is_anonymous: bool
    not_with: tuple[str, ...]


def read(typed: cards.Typed, settings: Settings) -> NeedDraft:
    """The need that a form holds; Invalid names every field that needs another look."""
    made, faults = cards.shared_fields(typed)
    made["skills"] = [
        name for n in range(MOST_SKILLS) if (name := typed.get(f"skill.{n}", "").strip())
    ]
    made["goal"] = typed.get("goal", "")
    if not profiles.text_of(typed.get("goal", "")):
        faults["goal"] = "Say in a sentence or two what you want to learn."
    wanted = None
    try:
        wanted = profiles.wanted(made)
    except Invalid as error:
        faults = {**error.fields, **faults}
    if "skills" in faults:
        faults["skill.0"] = faults.pop("skills")
    if "functions" in faults:
        faults["function.0"] = faults.pop("functions")
    if faults or wanted is None:
        raise Invalid(faults)
    not_with = cards.names(typed.get("not_with", ""), settings)
    return NeedDraft(wanted, bool(typed.get("anonymous")), not_with)


def typed_of(need: Need, settings: Settings) -> dict[str, str]:
    """A need as its form shows it."""
    held = profiles.unpack_wanted(need.record)
    found = {
        "goal": held.goal,
        "languages": languages.said(held.languages),
        "zone": held.zone,
        "hours": str(held.hours),
        "anonymous": "yes" if need.is_anonymous else "",
        "not_with": ", ".join(
            name.removesuffix(f"@{settings.host}") for name in json.loads(need.not_with)
        ),
    }
    found |= {f"skill.{n}": one for n, one in enumerate(held.skills)}
    return found | {f"function.{n}": one for n, one in enumerate(held.functions)}


async def keep(tx: Transaction, member: Member, programme_id: int, draft: NeedDraft) -> Need:
    """Open a need within a programme, or change the one that is open."""
    must(Standing(member), Permission.TAKE_PART_IN_MENTORING)
    programme = await tx.session.get(Programme, programme_id)
    if programme is None:
        raise NotFound
    if not programme.is_open:
        raise NotAllowed("This programme takes nobody at the moment.")
    need = await matches.open_need(tx.session, member.id, programme_id)
    if need is None:
        need = Need(
            id=tx.ids.next(), member_id=member.id, programme_id=programme_id,
            state=NeedState.OPEN, seed=tx.randomness.bits(62), created=tx.now,
        )  # fmt: skip
        tx.session.add(need)
    need.record, need.not_with = profiles.pack(draft.wanted), json.dumps(draft.not_with)
    need.is_anonymous, need.updated = draft.is_anonymous, tx.now
    await tx.session.flush()
    tx.record(NeedOpened(need.id))
    return need


async def own(session: AsyncSession, member: Member, need_id: int) -> tuple[Need, Programme]:
    """A need of the member's own; nobody else's is there for them."""
    need = await session.get(Need, need_id)
    if need is None or need.member_id != member.id:
        raise NotFound
    return need, await session.get_one(Programme, need.programme_id)


def seeker(need: Need, member: Member, programme: Programme, settings: Settings) -> Seeker:
    """Who looks for what, as matching sees it."""
    return Seeker(
        cards.name_of(member.handle, member.peer, settings),
        profiles.unpack_wanted(need.record),
        programme.format,
        frozenset(json.loads(need.not_with)),
    )


@dataclass(frozen=True)
class Suggestion:
    """A card that suits a need, with its score; `match` is what has come of it so far."""

    card: MentorCard
    offered: profiles.Offered
    score: Score
    match: Match | None


@dataclass(frozen=True)
class Asked:
    """Somebody who was proposed or asked."""

    match: Match
    card: MentorCard


@dataclass(frozen=True)
class NeedPage:
    """A member's own need, whom it suits, and whom they asked.

    `pulls` says of each listed agency when its cards were fetched.
    """

    need: Need
    wanted: Wanted
    programme: Programme
    suggestions: list[Suggestion]
    asked: list[Asked]
    pulls: list[Pull]


async def page(session: AsyncSession, instance: Instance, member: Member, need_id: int) -> NeedPage:
    """The page of a need, for who has it."""
    need, programme = await own(session, member, need_id)
    settings, now = instance.settings, instance.clock.now()
    asked = await matches.of_need(session, need.id)
    found: list[MentorCard] = []
    if need.state == NeedState.OPEN and programme.is_open:
        found = await cards.findable(session, settings, now, with_agencies=programme.with_agencies)
    by_uri = {card.uri: card for card in found}
    candidates = [one for card in found if (one := cards.candidate(card, settings)) is not None]
    looks = seeker(need, member, programme, settings)
    latest = {match.card_id: match for match in reversed(asked)}
    suggestions = [
        Suggestion(by_uri[one.candidate.key], one.candidate.offered, one.score, match)
        for one in matching.ranked(looks, candidates, need.seed, now)[:MOST_SHOWN]
        if not is_settled(match := latest.get(by_uri[one.candidate.key].id))
    ]
    held = await session.execute(
        select(MentorCard).where(MentorCard.id.in_({match.card_id for match in asked}))
    )
    by_id = {card.id: card for card in held.scalars()}
    pulls = []
    if programme.with_agencies:
        pulls = list(
            (await session.execute(select(Pull).order_by(Pull.host).limit(MOST_PULLS))).scalars()
        )
    return NeedPage(
        need, looks.wanted, programme, suggestions,
        [Asked(match, by_id[match.card_id]) for match in asked], pulls,
    )  # fmt: skip


def is_settled(match: Match | None) -> bool:
    """Whether a mentor was asked already, and need not be suggested again."""
    return match is not None and match.state != MatchState.WITHDRAWN
