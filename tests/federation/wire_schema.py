# SPDX-License-Identifier: Apache-2.0
"""What the strictest of the forum servers accepts from us."""

import re
from typing import Any

from federation.vocabulary.terms import AS_CONTEXT, PUBLIC

Json = dict[str, Any]
_RFC3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")


def _must_be_url(value: object) -> None:
    assert isinstance(value, str)
    assert re.fullmatch(r"https?://[^\s/]+(/\S*)?", value), value


def _must_be_urls(value: object) -> None:
    assert isinstance(value, list)
    for one in value:
        _must_be_url(one)
    assert len(set(value)) == len(value)


def must_hold_no_null(value: object) -> None:
    """Keys without a value are left out, at every depth."""
    assert value is not None
    if isinstance(value, dict):
        for one in value.values():
            must_hold_no_null(one)
    if isinstance(value, list):
        for one in value:
            must_hold_no_null(one)


def must_be_a_post(document: Json) -> None:
    """An opener or a reply, by the enums that are read all or nothing."""
    must_hold_no_null(document)
    is_reply = "inReplyTo" in document
    assert document["type"] == ("Note" if is_reply else "Article")
    for name in ("id", "attributedTo", "audience", "context", "url"):
        _must_be_url(document[name])
    for name in ("to", "cc"):
        _must_be_urls(document[name])
    assert document["audience"] in (*document["to"], *document["cc"])
    assert isinstance(document["content"], str)
    assert document["mediaType"] == "text/html"
    assert set(document["source"]) == {"content", "mediaType"}
    assert document["source"]["mediaType"] == "text/markdown"
    assert set(document["language"]) == {"identifier", "name"}
    assert list(document["contentMap"]) == [document["language"]["identifier"]]
    assert document["attachment"] == []
    for name in ("published", "updated"):
        assert name not in document or _RFC3339.fullmatch(document[name])
    assert "published" in document
    for name in ("sensitive", "commentsEnabled"):
        assert isinstance(document[name], bool)
    for tag in document["tag"]:
        assert tag["type"] in {"Hashtag", "Mention"}
        assert tag["name"][0] == ("#" if tag["type"] == "Hashtag" else "@")
        assert tag["type"] == "Hashtag" or tag["href"].startswith("http")
    if is_reply:
        _must_be_url(document["inReplyTo"])
        assert not {"name", "summary"} & set(document)
    else:
        assert 0 < len(document["name"]) <= 200
        assert isinstance(document["summary"], str)
    _must_name_its_context(document)


def _must_name_its_context(document: Json) -> None:
    context = document["@context"]
    assert AS_CONTEXT in (context if isinstance(context, list) else [context])


def must_be_an_activity(document: Json) -> None:
    """Any activity that a forum announces, or that is sent to one."""
    must_hold_no_null(document)
    _must_name_its_context(document)
    _must_be_url(document["id"])
    _must_be_url(document["actor"])
    assert document["id"].startswith(document["actor"])
    _must_be_urls(document["to"])
    _must_be_urls(document.get("cc", []))
    assert "as:Public" not in (*document["to"], *document.get("cc", []))
    _BY_KIND[document["type"]](document)


def _posting(document: Json) -> None:
    must_be_a_post(document["object"])
    assert document["object"]["attributedTo"] == document["actor"]
    _must_be_both_addressed(document)


def _must_be_both_addressed(document: Json) -> None:
    assert isinstance(document["cc"], list)
    _must_be_url(document["audience"])


def _liking(document: Json) -> None:
    _must_be_url(document["object"])
    _must_be_url(document["audience"])


def _undoing(document: Json) -> None:
    inner = document["object"]
    assert inner["type"] in {"Like", "Lock", "Follow"}
    assert inner["actor"] == document["actor"]
    _must_be_url(inner["id"])
    _must_be_url(inner["object"])


def _deleting(document: Json) -> None:
    assert document["object"]["type"] == "Tombstone"
    _must_be_url(document["object"]["id"])
    _must_be_both_addressed(document)


def _steering(document: Json) -> None:
    _must_be_url(document["object"])
    _must_be_both_addressed(document)
    if document["type"] in {"Add", "Remove"}:
        assert document["target"].startswith(document["audience"])


def must_be_an_announce(document: Json) -> None:
    """Announce by a forum: of an activity whole, or of an opener by its id."""
    assert document["type"] == "Announce"
    must_hold_no_null(document)
    _must_be_url(document["id"])
    public = PUBLIC in document["to"]
    assert document["to"] == ([PUBLIC] if public else [f"{document['actor']}/followers"])
    assert document["cc"] == ([f"{document['actor']}/followers"] if public else [])
    if isinstance(document["object"], str):
        _must_be_url(document["object"])
    else:
        must_be_an_activity(document["object"])


_BY_KIND = {
    "Create": _posting,
    "Update": _posting,
    "Like": _liking,
    "Undo": _undoing,
    "Delete": _deleting,
    "Lock": _steering,
    "Add": _steering,
    "Remove": _steering,
}
