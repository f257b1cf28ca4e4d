# SPDX-License-Identifier: Apache-2.0
"""Any document is read as what it is, or refused by name."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from federation.vocabulary.documents import (
    Malformed,
    parse_activity,
    parse_actor,
    parse_any,
    parse_collection,
    parse_post,
)
from federation.vocabulary.terms import KNOWN_TYPES, PUBLIC

ANA = "https://a.example/u/ana"
FORUM = "https://a.example/f/permits"
POST = "https://a.example/p/1"
NOTE: dict[str, Any] = {"id": POST, "type": "Note", "attributedTo": ANA, "content": "<p>x</p>"}
PERSON: dict[str, Any] = {
    "id": ANA,
    "type": "Person",
    "preferredUsername": "ana",
    "inbox": ANA + "/inbox",
}
LIKE: dict[str, Any] = {"id": ANA + "#like-1", "type": "Like", "actor": ANA, "object": POST}


def activity(kind: str, carried: Any, **more: Any) -> dict[str, Any]:
    """An activity of the forum around something."""
    return {"id": f"{FORUM}#{kind}", "type": kind, "actor": FORUM, "object": carried, **more}


def without(document: dict[str, Any], name: str) -> dict[str, Any]:
    """The document less one member."""
    return {key: value for key, value in document.items() if key != name}


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        ({}, "no type"),
        ({"id": POST}, "no type"),
        (without(NOTE, "id"), "The Note has no id"),
        ({**NOTE, "id": "urn:uuid:1"}, "The Note has no id"),
        (without(NOTE, "attributedTo"), "The Note has no attributedTo"),
        (without(PERSON, "id"), "The Person has no id"),
        (without(PERSON, "inbox"), "The Person has no inbox"),
        ({**PERSON, "inbox": "file:///etc/passwd"}, "The Person has no inbox"),
        (without(PERSON, "preferredUsername"), "The Person has no preferredUsername"),
        (without(LIKE, "id"), "The Like has no id"),
        (without(LIKE, "actor"), "The Like has no actor"),
        (without(LIKE, "object"), "The Like has no object"),
        ({**LIKE, "object": []}, "The Like has no object"),
        ({**LIKE, "object": {"type": "Note"}}, "The Note has no id"),
        ({**LIKE, "object": 3}, "inside an activity has no id"),
        (activity("Announce", [POST] * 51), "more than 50 objects"),
    ],
)
def test_what_is_missing_is_named(document: dict[str, Any], reason: str) -> None:
    with pytest.raises(Malformed, match=reason):
        parse_any(document)


def test_each_reader_refuses_the_other_kinds() -> None:
    refusals: list[tuple[Callable[[dict[str, Any]], object], dict[str, Any]]] = [
        (parse_post, PERSON),
        (parse_post, LIKE),
        (parse_actor, NOTE),
        (parse_activity, NOTE),
        (parse_collection, NOTE),
    ]
    for parse, document in refusals:
        with pytest.raises(Malformed, match="is not"):
            parse(document)


KINDS = st.sampled_from(sorted(KNOWN_TYPES))
WORDS = st.sampled_from([ANA, POST, PUBLIC, "2026-01-01T00:00:00Z", "Note", "Person", "Like"])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | WORDS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["id", "type", "href", "name"]) | st.text(), inner)
    ),
    max_leaves=6,
)
MEMBERS = st.sampled_from(
    [
        "actor",
        "alsoKnownAs",
        "assertionMethod",
        "attachment",
        "attributedTo",
        "audience",
        "cc",
        "content",
        "contentMap",
        "context",
        "deleted",
        "endpoints",
        "featured",
        "generator",
        "icon",
        "id",
        "implements",
        "inReplyTo",
        "inbox",
        "items",
        "language",
        "likes",
        "name",
        "object",
        "orderedItems",
        "preferredUsername",
        "publicKey",
        "published",
        "quote",
        "replies",
        "result",
        "sensitive",
        "source",
        "summary",
        "tag",
        "target",
        "to",
        "type",
        "url",
    ]
)
PLAUSIBLE = st.builds(
    lambda kind, more: {**NOTE, **PERSON, "type": kind, "id": POST, **more},
    KINDS,
    st.dictionaries(MEMBERS, JSON, max_size=6),
)
DOCUMENTS = st.recursive(
    PLAUSIBLE,
    lambda inner: st.builds(
        lambda kind, carried, more: {**activity(kind, carried), **more},
        KINDS,
        inner | st.lists(inner, max_size=2),
        st.dictionaries(MEMBERS, JSON, max_size=2),
    ),
    max_leaves=3,
)


@given(DOCUMENTS | st.dictionaries(st.text(), JSON))
@pytest.mark.parametrize(
    "parse", [parse_any, parse_actor, parse_post, parse_activity, parse_collection]
)
def test_any_document_is_read_or_malformed(
    parse: Callable[[dict[str, Any]], object], document: dict[str, Any]
) -> None:
    try:
        found = parse(document)
    except Malformed:
        return
    assert getattr(found, "raw", None) is document
