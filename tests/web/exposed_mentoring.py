# SPDX-License-Identifier: Apache-2.0
"""Two members who meet, of which nobody else may learn anything."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from server.instance import Instance
from server.mentoring import agreements, asks, cards, drafts, entries
from server.mentoring.asks import Told
from server.mentoring.elsewhere import OfferDraft, offered
from server.mentoring.profiles import wanted
from storage.members import Member
from storage.mentoring import Entry, EntryKind, Pairing, pairs
from tests.server.mentoring import bench


@dataclass(frozen=True)
class Meeting:
    """The numbers of what the two have, as addresses hold them."""

    programme: str
    need: str
    match: str
    pair: str
    entry: str

    @property
    def hidden(self) -> list[str]:
        """Those that are there for the two alone."""
        return [self.need, self.match, self.pair, self.entry]


async def meeting(
    instance: Instance, mentee: Member, mentor: Member, other: Member, taint: str
) -> Meeting:
    """A pair, a request that is open, and one from another agency; all of it says the taint."""
    place = await bench.programme(instance, mentee)
    card = await bench.card(instance, mentor, capacity="3", about="Kerbs.")
    said = {"goal": f"Kerb {taint}", "skill.0": f"Kerb {taint}", "not_with": taint}
    need = await bench.need(instance, mentee, place, **said)
    async with instance.transaction() as tx:
        match = await asks.ask(tx, mentee, need.id, card.id, f"Kerb {taint}")
    async with instance.transaction() as tx:
        await asks.accept(tx, mentor, match.id)
    async with instance.transaction() as tx:
        pairing = await pairs.pairing_by_uri(tx.session, match.uri)
        assert isinstance(pairing, Pairing)
    await _asked_from_elsewhere(instance, other, mentor, taint)
    session = await _written(instance, mentee, mentor, pairing, taint)
    later = await bench.need(instance, mentee, place, **said)
    return Meeting(str(place.id), str(later.id), str(match.id), str(pairing.id), str(session.id))


async def _written(
    instance: Instance, mentee: Member, mentor: Member, pairing: Pairing, taint: str
) -> Entry:
    """Terms, and an entry of every kind; answers the session."""
    made: dict[str, Entry] = {}
    async with instance.transaction() as tx:
        terms = agreements.read({"goals": taint, "confidentiality": "between-us"})
        await agreements.propose(tx, mentor, pairing.id, terms)
        for kind in EntryKind:
            said: dict[str, Any] = {
                "kind": kind,
                "title": f"Kerb {taint}",
                "text": f"Kerb {taint}",
                "rating": 4,
            }
            said |= {"starts": tx.now, "minutes": 30}
            if kind == EntryKind.CHECK_IN:
                said["parent"] = made[EntryKind.GOAL].uri
            draft = drafts.read(said)
            made[kind] = await entries.write(tx, mentee, pairing.id, draft, shared=False)
    return made[EntryKind.SESSION]


async def _asked_from_elsewhere(
    instance: Instance, other: Member, mentor: Member, taint: str
) -> None:
    """Somebody of another agency asks the same mentor."""
    look = wanted({"v": 1, "skills": [taint], "languages": ["en"], "zone": "UTC", "hours": 1})
    async with instance.transaction() as tx:
        card = (await cards.page(tx.session, mentor)).card
        assert card is not None
        origin = f"http://{other.peer}"
        draft = OfferDraft(
            f"{other.uri}#mentoring-offer-1", f"{origin}/instance#agreement-1", other.uri,
            other.peer or "", card.uri, "one-to-one", Told(look, f"Kerb {taint}"),
            tx.now + timedelta(days=7), other,
        )  # fmt: skip
        await offered(tx, draft)
