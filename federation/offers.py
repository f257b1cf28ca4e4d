# SPDX-License-Identifier: Apache-2.0
"""Changes offered to the author of a practice, and the answers, both ways."""

from dataclasses import dataclass
from typing import Any

from federation.editions import refused_at
from federation.forums import digest
from federation.vocabulary.activities import Activity
from federation.vocabulary.terms import AS_CONTEXT, GH, INTEGRITY_CONTEXT
from server.errors import Invalid
from server.library.offering import LONGEST_NOTE, OfferDraft
from server.practices.changes import OFFERABLE
from server.practices.record import Record, dump, parse

_TERMS = {"gh": GH, "gh:changeSet": {"@id": "gh:changeSet", "@type": "@json"}}
OFFER_CONTEXT: list[str | dict[str, Any]] = [AS_CONTEXT, INTEGRITY_CONTEXT, _TERMS]


@dataclass(frozen=True)
class SharedOffer:
    """Who offers what of which adaptation to whom, for which practice; ids all five."""

    uri: str
    actor: str
    adaptation: str
    practice: str
    author: str


def to_wire(
    shared: SharedOffer, sections: list[str], record: Record, version: int, note: str
) -> dict[str, Any]:
    """Offer of an adaptation to its original, with the sections that are meant."""
    return {
        "@context": OFFER_CONTEXT,
        **_offer(shared),
        "to": [shared.author],
        "summary": note or "A change to your practice.",
        "gh:changeSet": {
            "v": 1,
            "ofVersion": version,
            "sections": sections,
            "note": note,
            "practice": dump(record),
        },
    }


def _offer(shared: SharedOffer) -> dict[str, Any]:
    return {
        "id": shared.uri,
        "type": "Offer",
        "actor": shared.actor,
        "object": shared.adaptation,
        "target": shared.practice,
    }


def answer(shared: SharedOffer, reason: str, *, taken: bool) -> dict[str, Any]:
    """Accept or Reject of an Offer, by the author of the practice; a Reject says why."""
    kind = "Accept" if taken else "Reject"
    document = {
        "@context": OFFER_CONTEXT,
        "id": f"{shared.author}#{kind.lower()}-{digest(shared.uri)}",
        "type": kind,
        "actor": shared.author,
        "object": _offer(shared),
        "to": [shared.actor],
    }
    return document if taken else document | {"summary": reason}


def undo(shared: SharedOffer) -> dict[str, Any]:
    """Undo of an Offer: it is taken back."""
    return {
        "@context": OFFER_CONTEXT,
        "id": f"{shared.actor}#undo-{digest(shared.uri)}",
        "type": "Undo",
        "actor": shared.actor,
        "object": _offer(shared),
        "to": [shared.author],
    }


def from_wire(activity: Activity) -> OfferDraft | None:
    """What an Offer offers; None for one that is about no practice.

    Invalid says which member of `gh:changeSet` is wrong and why.
    """
    said = activity.raw.get("gh:changeSet")
    if said is None:
        return None
    members = said if isinstance(said, dict) else {}
    version, note = members.get("ofVersion"), members.get("note", "")
    is_whole = isinstance(version, int) and not isinstance(version, bool)
    if members.get("v") != 1 or not is_whole or not 1 <= int(version or 0) <= 1_000_000:
        raise Invalid(message="gh:changeSet has to give its v, 1, and ofVersion.")
    if not isinstance(note, str) or len(note) > LONGEST_NOTE:
        raise Invalid(message=f"gh:changeSet has to keep its note under {LONGEST_NOTE} characters.")
    sections = members.get("sections")
    if not isinstance(sections, list) or not 0 < len(sections) <= len(OFFERABLE):
        raise Invalid(message="gh:changeSet has to name the sections that it offers.")
    if not all(isinstance(name, str) and name in OFFERABLE for name in sections):
        raise Invalid(message=f"gh:changeSet may offer these sections: {', '.join(OFFERABLE)}.")
    try:
        record = parse(members.get("practice"))
    except Invalid as error:
        raise refused_at("gh:changeSet", error) from error
    made = getattr(activity.object, "id", "")
    chosen = tuple(dict.fromkeys(sections))
    return OfferDraft(chosen, note, activity.id, made, int(version or 1), record)
