# SPDX-License-Identifier: Apache-2.0
"""What goes between two people or servers only, and is never announced."""

from collections.abc import Callable

from federation.reviews import TYPES, VERDICTS, Step
from federation.vocabulary.terms import PUBLIC
from tests.federation.wire_schema.values import (
    RFC3339,
    Json,
    must_be_url,
    must_be_urls,
    must_hold_no_null,
    must_name_its_context,
    must_name_its_terms,
)

_ACTIVITY = frozenset({"id", "type", "actor", "object"})


def reader_of(document: Json) -> Callable[[Json], None] | None:
    """What holds for an activity that is between two; None for one that is about a forum."""
    inner = document["object"]
    kind, of = document["type"], inner["type"] if isinstance(inner, dict) else None
    if "gh:review" in document:
        return _reviewing
    if "context" in document:
        return _mentoring
    if kind == "Offer" or of == "Offer":
        return _offering
    if of in {"Join", "QuoteRequest"}:
        return _answering_a_place if of == "Join" else _answering_a_quote
    if kind in {"Join", "Leave"}:
        return _joining
    if kind == "Create" and of == "Note" and "content" not in inner:
        return _voting
    return None


def must_be_between_two(document: Json) -> None:
    """One who says it and one who is told, and no public."""
    must_hold_no_null(document)
    must_name_its_context(document)
    must_name_its_terms(document)
    for name in ("id", "actor"):
        must_be_url(document[name])
    assert document["id"].startswith(document["actor"])
    assert len(document["to"]) == 1
    must_be_urls(document["to"])
    assert PUBLIC not in document["to"]
    assert not document.get("cc")
    assert "audience" not in document
    read = reader_of(document)
    assert read is not None
    read(document)


def _must_be_whole(inner: Json, kind: str, *more: str) -> None:
    """An activity inside another: named whole, ids only, without another's words."""
    assert set(inner) == {*_ACTIVITY, *more}
    assert inner["type"] == kind
    for name in set(inner) - {"type"}:
        must_be_url(inner[name])


def _voting(document: Json) -> None:
    note = document["object"]
    assert set(note) - {"proof"} == {
        "@context", "id", "type", "attributedTo", "to", "cc", "name", "inReplyTo", "published",
    }  # fmt: skip
    assert note["attributedTo"] == document["actor"]
    assert (note["to"], note["cc"]) == (document["to"], document["cc"])
    assert note["name"]
    must_be_url(note["inReplyTo"])
    assert RFC3339.fullmatch(note["published"])


def _joining(document: Json) -> None:
    must_be_url(document["object"])
    assert document["cc"] == []


def _answering_a_place(document: Json) -> None:
    inner = document["object"]
    _must_be_whole(inner, "Join")
    assert (document["to"], document["cc"]) == ([inner["actor"]], [])
    assert document["type"] in {"Accept", "Reject", "TentativeAccept"}
    assert document["type"] != "Reject" or document["summary"]


def _answering_a_quote(document: Json) -> None:
    inner = document["object"]
    _must_be_whole(inner, "QuoteRequest", "instrument")
    assert document["to"] == [inner["actor"]]
    if document["type"] == "Accept":
        must_be_url(document["result"])
    else:
        assert document["type"] == "Reject"
        assert document["summary"]


def _offering(document: Json) -> None:
    """A change offered to the author of a practice, taken, refused or taken back."""
    if document["type"] == "Offer":
        offered = document["gh:changeSet"]
        assert set(offered) == {"v", "ofVersion", "sections", "note", "practice"}
        assert (offered["v"], bool(offered["sections"])) == (1, True)
        assert document["summary"]
        for name in ("object", "target"):
            must_be_url(document[name])
        return
    inner = document["object"]
    _must_be_whole(inner, "Offer", "target")
    assert document["type"] in {"Accept", "Reject", "Undo"}
    who = inner["actor"]
    assert who == document["actor"] if document["type"] == "Undo" else document["to"] == [who]
    assert document["type"] != "Reject" or document["summary"]


def _mentoring(document: Json) -> None:
    """Asking a mentor, the answers, and what a pair shares (FEP-0837)."""
    must_be_url(document["context"])
    inner, kind = document["object"], document["type"]
    if kind == "Offer":
        assert inner["type"] in {"Agreement", "Note"}
        must_be_url(inner["id"])
        if inner["type"] == "Note":
            assert inner["gh:entry"]["v"] == 1
            must_be_url(inner["attributedTo"])
            assert inner["context"] == document["context"]
        elif "gh:pair" not in inner:
            assert RFC3339.fullmatch(document["endTime"])
            _must_be_agreed(inner, document)
            assert isinstance(inner["gh:told"], dict)
        return
    if kind == "Undo":
        _must_be_whole(inner, inner["type"])
        assert inner["type"] in {"Accept", "Offer"}
        assert inner["actor"] == document["actor"]
        return
    assert kind in {"Accept", "Reject"}
    must_be_url(inner)
    if "result" in document:
        assert kind == "Accept"
        _must_be_agreed(document["result"], document)
    assert document.get("content") != ""


def _must_be_agreed(agreement: Json, document: Json) -> None:
    assert (agreement["id"], agreement["type"]) == (document["context"], "Agreement")
    stipulated = agreement["stipulates"]
    assert set(stipulated) == {"id", "type", "satisfies", "resourceQuantity"}
    assert stipulated["type"] == "Commitment"
    must_be_url(stipulated["satisfies"])
    assert stipulated["resourceQuantity"] == {"hasUnit": "one", "hasNumericalValue": "1"}


def _reviewing(document: Json) -> None:
    """A pair of types, the second of COAR Notify, about an address of one of the two."""
    said = document["gh:review"]
    kind, meaning = document["type"]
    expected, of = TYPES[Step(said["step"])]
    assert meaning == of
    assert kind in ({expected, *VERDICTS.values(), "Reject"} if expected == "Accept" else {kind})
    assert said["step"] == Step.VERDICT or kind == expected
    must_be_url(document["object"])
    assert said["v"] == 1
    assert document["actor"].endswith("/instance")
    assert document["to"][0].endswith("/instance")
