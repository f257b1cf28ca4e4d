# SPDX-License-Identifier: Apache-2.0
"""What a pair of two agencies shares, as documents, both ways.

Each goes as an Offer from one of the two to the other, so that nothing that takes posts ever sees
it: a Note with `gh:entry`, or the Agreement itself with `gh:pair`.
"""

from dataclasses import dataclass
from typing import Any

from federation.forums import digest
from federation.members import moment
from federation.mentoring.wire import MENTORING_CONTEXT
from federation.vocabulary.errors import Malformed
from federation.vocabulary.values import moment_of, url_id_of
from server.errors import Invalid
from server.mentoring import agreements, drafts
from server.mentoring.agreements import Heard
from server.mentoring.drafts import EntryDraft

MOST_REVISIONS = 1_000_000
_ENTRY = "mentoring-entry-"
_JSON = {"@type": "@json"}
ENTRY_CONTEXT: list[str | dict[str, Any]] = [
    *MENTORING_CONTEXT,
    {"gh:entry": {"@id": "gh:entry", **_JSON}, "gh:pair": {"@id": "gh:pair", **_JSON}},
]


@dataclass(frozen=True)
class Between:
    """Who tells whom, and the agreement it belongs to; ids all three."""

    agreement: str
    actor: str
    to: str


@dataclass(frozen=True)
class SharedEntry:
    """An entry with its id, its author's, its revision, and the HTML of its text."""

    uri: str
    author: str
    revision: int
    draft: EntryDraft
    html: str = ""


def entry(between: Between, shared: SharedEntry) -> dict[str, Any]:
    """Offer{Note}: one of the two shares an entry, or what became of it."""
    draft = shared.draft
    said: dict[str, Any] = {
        "v": 1, "kind": draft.kind.value, "revision": shared.revision, "title": draft.title,
        "text": draft.text, "state": draft.state, "minutes": draft.minutes, "due": draft.due,
        "rating": draft.rating, "parent": draft.parent,
        "starts": moment(draft.starts) if draft.starts is not None else None,
    }  # fmt: skip
    note = {
        "id": shared.uri,
        "type": "Note",
        "attributedTo": shared.author,
        "context": between.agreement,
        "name": draft.title,
        "content": shared.html,
        "gh:entry": {name: value for name, value in said.items() if value not in (None, "")},
    }
    name = _name(shared.uri, shared.revision)
    return _offer(between, name, {key: value for key, value in note.items() if value != ""})


def _name(uri: str, revision: int) -> str:
    return f"{_ENTRY}{digest(uri)}-{revision}"


def is_entry(uri: str) -> bool:
    """Whether the id of an Offer says that it shares an entry: both sides make them so."""
    return f"#{_ENTRY}" in uri


def taken_back(between: Between, uri: str) -> dict[str, Any]:
    """Undo{Offer}: the author of an entry shares it no longer, and neither side keeps it."""
    return {
        "@context": ENTRY_CONTEXT,
        "id": f"{between.actor}#mentoring-undo-entry-{digest(uri)}",
        "type": "Undo",
        "actor": between.actor,
        "to": [between.to],
        "context": between.agreement,
        "object": {
            "id": f"{between.actor}#{_name(uri, 0)}",
            "type": "Offer",
            "actor": between.actor,
            "object": uri,
        },
    }


def shared_entry(raw: dict[str, Any]) -> SharedEntry:
    """The entry of a received Offer; Malformed says what is wrong with it."""
    note = raw.get("object")
    note = note if isinstance(note, dict) else {}
    uri, author = url_id_of(note), url_id_of(note.get("attributedTo"))
    said = note.get("gh:entry")
    if uri is None or author is None or not isinstance(said, dict):
        raise Malformed("This shares no entry of a pair.")
    revision = said.get("revision")
    is_whole = isinstance(revision, int) and not isinstance(revision, bool)
    if not isinstance(revision, int) or not is_whole or not 0 <= revision <= MOST_REVISIONS:
        raise Malformed("This entry does not say which revision it is.")
    made = {**said, "starts": moment_of(said.get("starts"))}
    try:
        return SharedEntry(uri, author, revision, drafts.read(made))
    except Invalid as error:
        raise Malformed(error.sentence) from error


def told(between: Between, said: Heard, number: int) -> dict[str, Any]:
    """Offer{Agreement}: terms, agreeing to them, pausing, going on or completing."""
    made: dict[str, Any] = {"v": 1, "what": said.what}
    if said.edition:
        made["edition"] = said.edition
    if said.terms is not None:
        made["terms"] = agreements.document_of(said.terms)
    agreement = {"id": between.agreement, "type": "Agreement", "gh:pair": made}
    return _offer(between, f"mentoring-pair-{number}", agreement)


def read_told(raw: dict[str, Any]) -> Heard:
    """The same from a received Offer; Malformed says what is wrong with it."""
    agreement = raw.get("object")
    made = agreement.get("gh:pair") if isinstance(agreement, dict) else None
    made = made if isinstance(made, dict) else {}
    what, edition = made.get("what"), made.get("edition", 0)
    if not isinstance(what, str) or what not in agreements.KINDS:
        raise Malformed("This says nothing of a pair that is known here.")
    is_whole = isinstance(edition, int) and not isinstance(edition, bool)
    if not is_whole or not 0 <= edition <= agreements.MOST_EDITIONS:
        raise Malformed("This does not say which edition it is.")
    if what != agreements.TERMS:
        return Heard(what, edition)
    terms = made.get("terms")
    try:
        return Heard(what, edition, agreements.read(terms if isinstance(terms, dict) else {}))
    except Invalid as error:
        raise Malformed(error.sentence) from error


def _offer(between: Between, name: str, thing: dict[str, Any]) -> dict[str, Any]:
    return {
        "@context": ENTRY_CONTEXT,
        "id": f"{between.actor}#{name}",
        "type": "Offer",
        "actor": between.actor,
        "to": [between.to],
        "context": between.agreement,
        "object": thing,
    }
