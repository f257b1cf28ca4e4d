# SPDX-License-Identifier: Apache-2.0
"""What a pair agrees on, and pausing, going on and coming to an end."""

import asyncio
import json
from dataclasses import asdict, dataclass
from typing import Any

from server import text
from server.errors import Invalid, NotAllowed
from server.facts.mentoring import PairTold
from server.mentoring import drafts, notices, pairs, profiles
from server.mentoring.notices import Notice
from server.mentoring.terms import CONFIDENTIALITY
from server.transaction import Transaction
from storage.base import held
from storage.members import Member
from storage.mentoring import Entry, EntryKind, Pairing, PairState

CROSSED = (
    "This was changed while you wrote. What stands now is shown above, and what you wrote below:"
    " look at both, then propose it again."
)
LONGEST_GOALS = 2_000
LONGEST_LINE = 120
MOST_EDITIONS = 1_000
PAUSED, RESUMED, COMPLETED = "paused", "resumed", "completed"
TERMS, AGREED = "terms", "agreed"
KINDS = frozenset({TERMS, AGREED, PAUSED, RESUMED, COMPLETED})
_NOTICES = {
    TERMS: Notice.TERMS, AGREED: Notice.AGREED, PAUSED: Notice.PAUSED, RESUMED: Notice.RESUMED,
    COMPLETED: Notice.COMPLETED,
}  # fmt: skip


@dataclass(frozen=True)
class Terms:
    """What the two agree on; days as `yyyy-mm-dd`, empty where not said."""

    goals: str = ""
    starts: str = ""
    ends: str = ""
    cadence: str = ""
    channel: str = ""
    confidentiality: str = "between-us"


def read(made: dict[str, Any]) -> Terms:
    """Terms from a form or a document; Invalid names every field that is wrong."""
    faults: dict[str, str] = {}
    values = {
        name: value if isinstance(value := made.get(name, ""), str) else "\0"
        for name in Terms.__dataclass_fields__
    }
    goals = profiles.text_of(values["goals"])
    if not goals:
        faults["goals"] = "Say what the two of you are working towards."
    elif len(goals) > LONGEST_GOALS:
        faults["goals"] = f"Keep it under {LONGEST_GOALS:,} characters."
    for name in ("starts", "ends"):
        if values[name] and not drafts.is_day(values[name]):
            faults[name] = "Enter a day such as 2027-03-31, or leave it empty."
    if values["starts"] and values["ends"] and values["ends"] < values["starts"]:
        faults.setdefault("ends", "The end comes before the beginning.")
    lines = {}
    for name in ("cadence", "channel"):
        lines[name] = text.clean_line(values[name], LONGEST_LINE + 1)
        if len(lines[name]) > LONGEST_LINE:
            faults[name] = f"Keep it under {LONGEST_LINE} characters."
    if values["confidentiality"] not in CONFIDENTIALITY:
        faults["confidentiality"] = "Choose what may be told to others."
    if faults:
        raise Invalid(faults)
    return Terms(
        goals, values["starts"], values["ends"], lines["cadence"], lines["channel"],
        values["confidentiality"],
    )  # fmt: skip


def document_of(terms: Terms) -> dict[str, str]:
    """The JSON document."""
    return {name: value for name, value in asdict(terms).items() if value}


def of(pairing: Pairing) -> Terms | None:
    """What a pair has agreed, or what one of it has proposed; None before that."""
    return read(json.loads(pairing.terms)) if pairing.terms_number else None


def is_agreed(pairing: Pairing) -> bool:
    """Whether both have accepted the edition that stands."""
    return pairing.terms_number > 0 and (
        pairing.mentor_agreed == pairing.mentee_agreed == pairing.terms_number
    )


async def propose(
    tx: Transaction, member: Member, pairing_id: int, terms: Terms, *, after: int | None = None
) -> Pairing:
    """A new edition, which the other one has to accept.

    `after` is the edition that its author had before them: if there is a newer one, they are
    told so first, and nothing is lost.
    """
    pairing = await _live(tx, member, pairing_id)
    if after is not None and after != pairing.terms_number:
        raise Invalid(message=CROSSED)
    if pairing.terms_number >= MOST_EDITIONS:
        raise NotAllowed("You have changed this too often.")
    _take(pairing, terms, pairing.terms_number + 1, by_mentor=pairing.mentor_id == member.id)
    pairing.bumped = tx.now
    await _told(tx, pairing, member, TERMS)
    return pairing


def _take(pairing: Pairing, terms: Terms, number: int, *, by_mentor: bool) -> None:
    pairing.terms, pairing.terms_number = json.dumps(document_of(terms)), number
    if by_mentor:
        pairing.mentor_agreed = number
    else:
        pairing.mentee_agreed = number


async def agree(tx: Transaction, member: Member, pairing_id: int, number: int) -> Pairing:
    """Accept the edition that one has read."""
    pairing = await _live(tx, member, pairing_id)
    if not number or number != pairing.terms_number:
        raise NotAllowed("It was changed meanwhile: read it once more.")
    apply_agreed(pairing, number, by_mentor=pairing.mentor_id == member.id)
    pairing.bumped = tx.now
    await _told(tx, pairing, member, AGREED)
    return pairing


def apply_agreed(pairing: Pairing, number: int, *, by_mentor: bool) -> None:
    """One of the two accepts an edition; of another than the one that stands nothing comes."""
    if number == pairing.terms_number:
        if by_mentor:
            pairing.mentor_agreed = number
        else:
            pairing.mentee_agreed = number


def apply_terms(pairing: Pairing, terms: Terms, number: int, *, by_mentor: bool) -> None:
    """An edition of the other's; of two made at once both sides keep the mentor's."""
    is_newer = number > pairing.terms_number
    if is_newer or (number == pairing.terms_number and by_mentor):
        _take(pairing, terms, number, by_mentor=by_mentor)


@dataclass(frozen=True)
class Heard:
    """What the other one says of the pair; `terms` of an edition, or one word of KINDS."""

    what: str
    edition: int = 0
    terms: Terms | None = None


async def hear(tx: Transaction, pairing: Pairing, other: Member, said: Heard) -> None:
    """The same deeds as the other one, who is elsewhere, did them."""
    pairing = await held(tx.session, Pairing, pairing.id)
    if pairing.state not in pairs.LIVE:
        raise NotAllowed("This pair has ended already.")
    by_mentor = pairing.mentor_id == other.id
    pairing.bumped = tx.now
    if said.terms is not None:
        if by_mentor and said.edition == pairing.terms_number:
            await _keep_mine(tx, pairing)
            await notices.tell_other(tx, pairing, other, Notice.CROSSED)
        apply_terms(pairing, said.terms, said.edition, by_mentor=by_mentor)
    elif said.what == AGREED:
        apply_agreed(pairing, said.edition, by_mentor=by_mentor)
    else:
        await apply_change(tx, pairing, said.what)
    await notices.tell_other(tx, pairing, other, _NOTICES[said.what])


async def _keep_mine(tx: Transaction, pairing: Pairing) -> None:
    """What a mentee here proposed at the same moment as their mentor is a note of their own."""
    mine = of(pairing)
    if mine is None or pairing.mentee_agreed != pairing.terms_number:
        return
    said = [
        f"{name.capitalize()}: {value}"
        for name, value in document_of(mine).items()
        if name != "confidentiality"
    ]
    words = "\n\n".join(["What I proposed when my mentor did, too:", *said])
    number = tx.ids.next()
    tx.session.add(
        Entry(
            id=number, uri=f"{tx.settings.origin}/instance#entry-{number}", pairing_id=pairing.id,
            author_id=pairing.mentee_id, kind=EntryKind.NOTE, title="", source=words,
            html=await asyncio.to_thread(text.render, words), state="", is_shared=False,
            revision=0, created=tx.now, updated=tx.now, is_gone=False,
        )
    )  # fmt: skip


async def change(tx: Transaction, member: Member, pairing_id: int, what: str) -> Pairing:
    """Pause, go on, or say that it is complete; no reason is asked for."""
    pairing = await _live(tx, member, pairing_id)
    await apply_change(tx, pairing, what)
    await _told(tx, pairing, member, what)
    return pairing


async def apply_change(tx: Transaction, pairing: Pairing, what: str) -> None:
    """The same, as one of the two said it."""
    if pairing.state not in pairs.LIVE:
        return
    if what == COMPLETED:
        await pairs.apply_end(tx, pairing, PairState.COMPLETED)
    elif what in {PAUSED, RESUMED}:
        pairing.state = PairState.PAUSED if what == PAUSED else PairState.ACTIVE
        pairing.bumped = tx.now


async def _live(tx: Transaction, member: Member, pairing_id: int) -> Pairing:
    pairing = await pairs.own(tx.session, member, pairing_id)
    pairing = await held(tx.session, Pairing, pairing.id)
    if pairing.state not in pairs.LIVE:
        raise NotAllowed("This pair has ended already.")
    return pairing


async def _told(tx: Transaction, pairing: Pairing, by: Member, what: str) -> None:
    await notices.tell_other(tx, pairing, by, _NOTICES[what])
    if pairing.peer is not None:
        tx.record(PairTold(pairing.id, by.id, what, tx.ids.next()))
