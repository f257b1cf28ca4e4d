# SPDX-License-Identifier: Apache-2.0
"""The cards of our mentors, for agencies that have a programme open."""

from typing import Any

from federation.documents import Documents, collection
from federation.mentoring import wire
from server.errors import NotFound
from storage.mentoring import offers

MOST_CARDS = 500


def address(instance: str) -> str:
    """Where an instance lists its mentors' cards; whoever asks says that their own are open.

    The word is the signed request's: it is worth as much as the same word in any document of
    theirs. To whoever does not say so, the list is not there.
    """
    return f"{instance}/mentors?programme=open"


class MentorDocuments(Documents):
    """Answers agencies that a rule names and that run Guildhall, and nobody else."""

    async def cards(self, programme: str) -> dict[str, Any]:
        """The cards that may be found from elsewhere, whole."""
        if not self.asker.agency or programme != "open":
            raise NotFound
        if not await offers.open_programmes(self.session, with_agencies=True):
            raise NotFound
        held = await offers.shared_cards(self.session, MOST_CARDS)
        items = [wire.card(one) for one in held]
        document = collection(address(self.wire.urls.instance), "Collection", len(items), items)
        return document | {"@context": wire.MENTORING_CONTEXT}
