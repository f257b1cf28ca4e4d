# SPDX-License-Identifier: Apache-2.0
"""Media types, the public collection and our contexts."""

import json

import pytest

from federation.vocabulary.terms import (
    ACCEPT,
    ACTIVITY_CONTEXT,
    ACTIVITY_JSON,
    ACTOR_CONTEXT,
    AS_CONTEXT,
    GH,
    LD_JSON_PROFILE,
    OBJECT_CONTEXT,
    PUBLIC,
    QUOTE_CONTEXT,
    is_activity_json,
    is_public,
)


@pytest.mark.parametrize(
    "content_type",
    [
        ACTIVITY_JSON,
        LD_JSON_PROFILE,
        "application/activity+json; charset=utf-8",
        "Application/Activity+JSON;charset=UTF-8",
        'application/ld+json;profile="https://www.w3.org/ns/activitystreams"; charset=utf-8',
        'application/ld+json; charset=utf-8; Profile="https://a.example/x '
        'https://www.w3.org/ns/activitystreams"',
    ],
)
def test_activitypub_media_types_are_known(content_type: str) -> None:
    assert is_activity_json(content_type)


@pytest.mark.parametrize(
    "content_type",
    [
        "",
        "application/json",
        "application/ld+json",
        'application/ld+json; profile="https://a.example/activitystreams"',
        'application/ld+json; x="profile=https://www.w3.org/ns/activitystreams"',
        "application/activity+jsonp",
        "application/activity+json, text/html",
        "text/html; application/activity+json",
        "text/html; profile=application/activity+json",
        'image/png; profile="https://www.w3.org/ns/activitystreams"',
        "application/activity+json; " + "a=b; " * 200,
    ],
)
def test_other_media_types_are_not_activitypub(content_type: str) -> None:
    assert not is_activity_json(content_type)


def test_the_accept_header_asks_for_both_names_of_the_type() -> None:
    assert [is_activity_json(part) for part in ACCEPT.split(", ")] == [True, True]


@pytest.mark.parametrize("name", [PUBLIC, "as:Public", "Public"])
def test_the_public_collection_has_three_names(name: str) -> None:
    assert is_public(name)
    assert is_public(["https://a.example/u/ana", name])


@pytest.mark.parametrize("name", ["public", "https://a.example/#Public", None, 3, [[PUBLIC]], {}])
def test_nothing_else_is_public(name: object) -> None:
    assert not is_public(name)


@pytest.mark.parametrize(
    "context", [ACTOR_CONTEXT, OBJECT_CONTEXT, ACTIVITY_CONTEXT, QUOTE_CONTEXT]
)
def test_our_contexts_start_with_activitystreams_and_define_every_prefix(
    context: list[object],
) -> None:
    assert context[0] == AS_CONTEXT
    terms = context[-1]
    assert isinstance(terms, dict)
    assert terms.get("gh", GH) == GH
    for name, meaning in terms.items():
        iri = meaning["@id"] if isinstance(meaning, dict) else meaning
        prefix, colon, rest = iri.partition(":")
        assert colon, name
        assert rest.startswith("//") or iri.startswith(GH) or prefix in {*terms, "as"}, name
    assert json.loads(json.dumps(context)) == context
