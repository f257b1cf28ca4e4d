# SPDX-License-Identifier: Apache-2.0
"""Two members who meet, of which nobody else may learn anything."""

from dataclasses import dataclass
from datetime import timedelta

from server.instance import Instance
from server.mentoring import asks, cards
from server.mentoring.asks import Told
from server.mentoring.elsewhere import OfferDraft, offered
from server.mentoring.profiles import wanted
from storage.members import Member
from storage.mentoring import Pairing, pairs
from tests.server.mentoring import bench


@dataclass(frozen=True)
class Meeting:
    """The numbers of what the two have, as addresses hold them."""

    programme: str
    need: str
    match: str
    pair: str

    @property
    def hidden(self) -> list[str]:
        """Those that are there for the two alone."""
        return [self.need, self.match, self.pair]


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
    later = await bench.need(instance, mentee, place, **said)
    return Meeting(str(place.id), str(later.id), str(match.id), str(pairing.id))


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
