# SPDX-License-Identifier: Apache-2.0
"""Mentor cards, offers and answers as documents, both ways (FEP-0837).

A card is an Article with `purpose` and `publishes`, a match an Agreement within an Offer. None of
them is a post: cards stand in one collection, and the rest goes from one inbox to another.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from federation.members import moment
from federation.vocabulary.errors import Malformed
from federation.vocabulary.marketplace import MARKETPLACE_TERMS, OFFERED
from federation.vocabulary.terms import AS_CONTEXT, GH, INTEGRITY_CONTEXT
from federation.vocabulary.values import moment_of, same_origin, text_of, type_of, url_id_of
from server.errors import Invalid
from server.mentoring import asks, profiles
from server.mentoring.asks import Told
from server.mentoring.cards import Arrived
from server.mentoring.terms import FORMATS
from server.text import clean_line
from storage.mentoring import MentorCard

_JSON = {"@type": "@json"}
_TERMS: dict[str, Any] = {
    "gh": GH,
    **MARKETPLACE_TERMS,
    "gh:mentorCard": {"@id": "gh:mentorCard", **_JSON},
    "gh:told": {"@id": "gh:told", **_JSON},
}
MENTORING_CONTEXT: list[str | dict[str, Any]] = [AS_CONTEXT, INTEGRITY_CONTEXT, _TERMS]
_PRIMARY = "-primary"
_ONE = {"hasUnit": "one", "hasNumericalValue": "1"}


def card(held: MentorCard) -> dict[str, Any]:
    """A card of ours as agencies find it: whether it is open, never how many places there are."""
    offered = profiles.unpack_offered(held.record)
    return {
        "id": held.uri,
        "type": "Article",
        "purpose": "offer",
        "attributedTo": held.person,
        "name": f"Mentoring: {', '.join(skill.name for skill in offered.skills)}",
        "publishes": {"id": held.uri + _PRIMARY, **OFFERED},
        "gh:mentorCard": profiles.document_of(offered)
        | {
            "handle": held.handle,
            "name": held.name,
            "roleTitle": held.role_title,
            "open": held.is_open,
        },
    }


def arrived(item: object, origin: str) -> Arrived:
    """A card as an agency's collection holds it; Malformed says why it is no card of theirs."""
    document = item if isinstance(item, dict) else {}
    uri, person = url_id_of(document), url_id_of(document.get("attributedTo"))
    if uri is None or person is None or document.get("purpose") != "offer":
        raise Malformed("This is not a mentor's card.")
    if not same_origin(uri, origin) or not same_origin(person, origin):
        raise Malformed("This card is not of the agency that shows it.")
    made = document.get("gh:mentorCard")
    made = made if isinstance(made, dict) else {}
    handle, name = text_of(made.get("handle"), 64), text_of(made.get("name"), 500)
    if not handle or clean_line(handle, 64) != handle or "@" in handle or not name:
        raise Malformed("This card does not say whose it is.")
    try:
        offered = profiles.offered(made)
    except Invalid as error:
        raise Malformed(error.sentence) from error
    return Arrived(
        uri, person, handle.lower(), name, text_of(made.get("roleTitle"), 500) or "", offered,
        made.get("open") is True,
    )  # fmt: skip


@dataclass(frozen=True)
class Parties:
    """What every activity about a match names; ids all.

    `offer` is the activity that asks, `signer` who signs for the mentee, `mentor` who is asked.
    """

    agreement: str
    offer: str
    mentor: str

    @property
    def signer(self) -> str:
        return self.offer.partition("#")[0]

    @property
    def acceptance(self) -> str:
        """The id of the mentor's Accept."""
        return f"{self.mentor}#mentoring-accept-{self.agreement.rpartition('-')[2]}"


@dataclass(frozen=True)
class Asked:
    """What an Offer says; `card` is the id of the card it is about."""

    agreement: str
    card: str
    format: str
    told: Told
    expires: datetime


def offer(parties: Parties, asked: Asked) -> dict[str, Any]:
    """Offer{Agreement}: somebody asks a mentor."""
    return _head("Offer", parties.offer, parties.signer, parties.mentor, parties) | {
        "endTime": moment(asked.expires),
        "object": _agreement(asked.agreement, asked.card)
        | {"gh:format": asked.format, "gh:told": asks.document_of(asked.told)},
    }


def asked(raw: dict[str, Any]) -> Asked:
    """The Agreement of a received Offer; Malformed says what is wrong with it."""
    made = raw.get("object")
    made = made if isinstance(made, dict) else {}
    agreement = url_id_of(made)
    stipulated = made.get("stipulates")
    stipulated = stipulated if isinstance(stipulated, dict) else {}
    intent = url_id_of(stipulated.get("satisfies"))
    if type_of(made) != "Agreement" or agreement is None or intent is None:
        raise Malformed("This offers no agreement.")
    expires, format_ = moment_of(raw.get("endTime")), text_of(made.get("gh:format"), 64)
    if expires is None or format_ not in FORMATS:
        raise Malformed("This does not say until when, or how the two would meet.")
    try:
        told = asks.read(made.get("gh:told"))
    except Invalid as error:
        raise Malformed(error.sentence) from error
    return Asked(agreement, intent.removesuffix(_PRIMARY), format_, told, expires)


def accept(parties: Parties, card_uri: str) -> dict[str, Any]:
    """Accept{Offer} by the mentor; `result` is the agreement."""
    return _head("Accept", parties.acceptance, parties.mentor, parties.signer, parties) | {
        "object": parties.offer,
        "result": _agreement(parties.agreement, card_uri),
    }


def reject(parties: Parties, actor: str, reason: str) -> dict[str, Any]:
    """Reject{Offer} by the mentor, or by their instance, with the reason in words if any."""
    number = parties.agreement.rpartition("-")[2]
    document = _head(
        "Reject", f"{actor}#mentoring-reject-{number}", actor, parties.signer, parties
    ) | {"object": parties.offer}
    return document | ({"content": reason} if reason else {})


def reveal(parties: Parties, mentee: str) -> dict[str, Any]:
    """Accept{Accept} by a mentee who asked without a name: it was they."""
    number = parties.agreement.rpartition("-")[2]
    return _head(
        "Accept", f"{mentee}#mentoring-reveal-{number}", mentee, parties.mentor, parties
    ) | {"object": parties.acceptance}


def refuse(parties: Parties) -> dict[str, Any]:
    """Reject{Accept} for a mentee who has found another mentor meanwhile."""
    number = parties.agreement.rpartition("-")[2]
    return _head(
        "Reject", f"{parties.signer}#mentoring-late-{number}", parties.signer, parties.mentor,
        parties,
    ) | {"object": parties.acceptance}  # fmt: skip


def undo_offer(parties: Parties) -> dict[str, Any]:
    """Undo{Offer}: the mentee takes it back, or parts."""
    number = parties.agreement.rpartition("-")[2]
    return _head(
        "Undo", f"{parties.signer}#mentoring-undo-offer-{number}", parties.signer,
        parties.mentor, parties,
    ) | {
        "object": {
            "id": parties.offer, "type": "Offer", "actor": parties.signer,
            "object": parties.agreement,
        }
    }  # fmt: skip


def undo_accept(parties: Parties) -> dict[str, Any]:
    """Undo{Accept}: the mentor parts."""
    number = parties.agreement.rpartition("-")[2]
    return _head(
        "Undo", f"{parties.mentor}#mentoring-undo-accept-{number}", parties.mentor,
        parties.signer, parties,
    ) | {
        "object": {
            "id": parties.acceptance, "type": "Accept", "actor": parties.mentor,
            "object": parties.offer,
        }
    }  # fmt: skip


def _head(kind: str, uri: str, actor: str, to: str, parties: Parties) -> dict[str, Any]:
    """What every activity begins with; `context` is the agreement it belongs to."""
    return {
        "@context": MENTORING_CONTEXT,
        "id": uri,
        "type": kind,
        "actor": actor,
        "to": [to],
        "context": parties.agreement,
    }


def _agreement(uri: str, card_uri: str) -> dict[str, Any]:
    return {
        "id": uri,
        "type": "Agreement",
        "stipulates": {
            "id": f"{uri}{_PRIMARY}",
            "type": "Commitment",
            "satisfies": card_uri + _PRIMARY,
            "resourceQuantity": _ONE,
        },
    }
