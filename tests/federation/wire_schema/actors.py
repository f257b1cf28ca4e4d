# SPDX-License-Identifier: Apache-2.0
"""People and forums as the strictest reader takes them."""

from tests.federation.wire_schema.values import (
    RFC3339,
    Json,
    must_be_url,
    must_hold_no_null,
    must_name_its_context,
)


def _must_be_an_actor(document: Json) -> None:
    must_hold_no_null(document)
    must_name_its_context(document)
    for name in ("id", "inbox", "outbox", "followers", "url"):
        must_be_url(document[name])
    must_be_url(document["endpoints"]["sharedInbox"])
    key = document["publicKey"]
    assert key["owner"] == document["id"]
    assert key["id"].startswith(f"{document['id']}#")
    assert key["publicKeyPem"].startswith("-----BEGIN PUBLIC KEY-----")
    for name in ("preferredUsername", "name", "summary"):
        assert isinstance(document[name], str)
    assert document["preferredUsername"]
    assert document["name"]
    for name in ("published", "updated"):
        assert RFC3339.fullmatch(document[name])
    for name in ("icon", "image"):
        assert name not in document or document[name]["type"] == "Image"
    assert isinstance(document["manuallyApprovesFollowers"], bool)


def must_be_a_person(document: Json) -> None:
    """An author, by the enums that are read all or nothing."""
    assert document["type"] == "Person"
    _must_be_an_actor(document)


def must_be_a_group(document: Json) -> None:
    """A forum, by the enums that are read all or nothing."""
    assert document["type"] == "Group"
    _must_be_an_actor(document)
    for name in ("attributedTo", "featured"):
        must_be_url(document[name])
        assert document[name].startswith(f"{document['id']}/")
    for name in ("sensitive", "postingRestrictedToMods", "discoverable"):
        assert isinstance(document[name], bool)
    assert set(document["source"]) == {"content", "mediaType"}
    assert document["source"]["mediaType"] == "text/markdown"
    assert [set(one) for one in document["language"]] == [{"identifier", "name"}]
