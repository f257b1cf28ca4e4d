# SPDX-License-Identifier: Apache-2.0
"""What the strictest of the forum servers accepts from us."""

import re
from typing import Any

from federation.vocabulary.terms import AS_CONTEXT, PUBLIC

Json = dict[str, Any]
_LOCAL = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?[+-]\d\d:\d\d")
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
    """Keys without a value are left out, at every depth but in what we only pass on."""
    assert value is not None
    if isinstance(value, dict):
        for name, one in value.items():
            if name not in {"gh:practice", "gh:replication"}:
                must_hold_no_null(one)
    if isinstance(value, list):
        for one in value:
            must_hold_no_null(one)


def must_be_a_post(document: Json) -> None:
    """An opener or a reply, by the enums that are read all or nothing."""
    must_hold_no_null(document)
    is_reply = "inReplyTo" in document
    kinds = {"Note"} if is_reply else {"Article", "Event"}
    assert document["type"] in kinds
    for name in ("id", "attributedTo", "audience", "url"):
        _must_be_url(document[name])
    _must_be_url(document.get("context", document["id"]))
    assert is_reply or "context" in document
    for name in ("to", "cc"):
        _must_be_urls(document[name])
    assert document["audience"] in (*document["to"], *document["cc"])
    assert isinstance(document["content"], str)
    assert document["mediaType"] == "text/html"
    assert set(document["source"]) == {"content", "mediaType"}
    assert document["source"]["mediaType"] == "text/markdown"
    assert set(document["language"]) == {"identifier", "name"}
    assert list(document["contentMap"]) == [document["language"]["identifier"]]
    if {"gh:practice", "gh:replication"} & set(document):
        link = {"type": "Link", "href": document["url"], "mediaType": "text/html"}
        assert document["attachment"] == [link]
        assert "inReplyTo" not in document
        assert len(document["summary"]) < 2_000
    elif document["type"] == "Event":
        must_be_an_event(document)
    else:
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


def must_be_an_event(document: Json) -> None:
    """What Mobilizon and Gancio read unguarded is there, and of the type they take."""
    [website] = document["attachment"]
    assert (website["type"], website["name"]) == ("Link", "Website")
    _must_be_url(website["href"])
    for name in ("startTime", "endTime"):
        assert _LOCAL.fullmatch(document[name]), document[name]
    assert isinstance(document["timezone"], str)
    assert isinstance(document.get("location", {}), dict)
    assert isinstance(document["tag"], list)
    assert document["status"] in {"CONFIRMED", "TENTATIVE", "CANCELLED"}
    assert document.get("joinMode", "free") in {"free", "external"}


def _posting(document: Json) -> None:
    thing = document["object"]
    if thing["type"] in {"Article", "Event", "Note"}:
        _of_a_forum(document)
        must_be_a_post(thing)
        assert thing["attributedTo"] == document["actor"]
    elif thing["type"] == "Group":
        _of_a_forum(document)
        must_be_a_group(thing)
        assert document["type"] == "Update"
        assert thing["id"] == document["audience"]
    else:
        must_be_a_person(thing)
        assert isinstance(document["cc"], list)
        assert document["type"] == "Update"
        assert thing["id"] == document["actor"]


def _must_be_an_actor(document: Json) -> None:
    must_hold_no_null(document)
    _must_name_its_context(document)
    for name in ("id", "inbox", "outbox", "followers", "url"):
        _must_be_url(document[name])
    _must_be_url(document["endpoints"]["sharedInbox"])
    key = document["publicKey"]
    assert key["owner"] == document["id"]
    assert key["id"].startswith(f"{document['id']}#")
    assert key["publicKeyPem"].startswith("-----BEGIN PUBLIC KEY-----")
    for name in ("preferredUsername", "name", "summary"):
        assert isinstance(document[name], str)
    assert document["preferredUsername"]
    assert document["name"]
    for name in ("published", "updated"):
        assert _RFC3339.fullmatch(document[name])
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
        _must_be_url(document[name])
        assert document[name].startswith(f"{document['id']}/")
    for name in ("sensitive", "postingRestrictedToMods", "discoverable"):
        assert isinstance(document[name], bool)
    assert set(document["source"]) == {"content", "mediaType"}
    assert document["source"]["mediaType"] == "text/markdown"
    assert [set(one) for one in document["language"]] == [{"identifier", "name"}]


def _of_a_forum(document: Json) -> None:
    assert isinstance(document["cc"], list)
    _must_be_url(document["audience"])


def _liking(document: Json) -> None:
    _must_be_url(document["object"])
    _must_be_url(document["audience"])


def _following(document: Json) -> None:
    # One recipient where there is any, and that is who is followed.
    assert document["to"] == [document["object"]]


def _must_be_a_follow(inner: Json) -> None:
    assert set(inner) == {"id", "type", "actor", "object", "to"}
    assert inner["type"] == "Follow"
    for name in ("id", "actor", "object"):
        _must_be_url(inner[name])
    _following(inner)


def _answering(document: Json) -> None:
    inner = document["object"]
    if inner["type"] == "QuoteRequest":
        _must_be_about_a_quote(document)
        return
    if inner["type"] == "Join":
        _must_be_about_a_place(document)
        return
    _must_be_a_follow(inner)
    assert document["actor"] == inner["object"]
    assert document["to"] == [inner["actor"]]


def _must_be_about_a_place(document: Json) -> None:
    inner = document["object"]
    assert set(inner) == {"id", "type", "actor", "object"}
    for name in ("id", "actor", "object"):
        _must_be_url(inner[name])
    assert (document["to"], document["cc"]) == ([inner["actor"]], [])
    assert document["type"] != "Reject" or document["summary"]


def _joining(document: Json) -> None:
    # Between the two who are concerned.
    _must_be_url(document["object"])
    assert len(document["to"]) == 1
    assert document["cc"] == []


def _must_be_about_a_quote(document: Json) -> None:
    inner = document["object"]
    assert set(inner) == {"id", "type", "actor", "object", "instrument"}
    for name in ("id", "actor", "object", "instrument"):
        _must_be_url(inner[name])
    assert document["to"] == [inner["actor"]]
    if document["type"] == "Accept":
        _must_be_url(document["result"])
    else:
        assert document["summary"]


def _rejecting(document: Json) -> None:
    if isinstance(document["object"], dict):
        _answering(document)
        return
    # Of what somebody sent: not read by the strictest, and never sent to them.
    _must_be_url(document["object"])
    assert len(document["to"]) == 1
    assert document["summary"]


def _undoing(document: Json) -> None:
    inner = document["object"]
    assert inner["actor"] == document["actor"]
    _must_be_url(inner["id"])
    _must_be_url(inner["object"])
    if inner["type"] == "Follow":
        _must_be_a_follow(inner)
        assert document["to"] == inner["to"]
    elif inner["type"] == "Announce":
        must_be_an_announce(inner, nested=True)
        assert (document["to"], document["cc"]) == (inner["to"], inner["cc"])
    else:
        assert inner["type"] in {"Block", "Like", "Lock"}
        _of_a_forum(document)
        _of_a_forum(inner)
        assert document["audience"] == inner["audience"]
        assert (document["to"], document["cc"]) == (inner["to"], inner["cc"])


def _deleting(document: Json) -> None:
    assert document["object"]["type"] == "Tombstone"
    _must_be_url(document["object"]["id"])
    if document["object"]["formerType"] == "QuoteAuthorization":
        assert len(document["to"]) == 1
        return
    _of_a_forum(document)
    # Where there is a summary it is a removal by somebody who moderates.
    assert document.get("summary") != ""


def _steering(document: Json) -> None:
    _must_be_url(document["object"])
    _of_a_forum(document)
    if document["type"] in {"Add", "Remove"}:
        forum = document["audience"]
        assert document["target"] in {f"{forum}/featured", f"{forum}/moderators"}


def _shutting_out(document: Json) -> None:
    _must_be_url(document["object"])
    _of_a_forum(document)
    assert document["target"] == document["audience"]
    assert document.get("removeData") in {True, False}


def _reporting(document: Json) -> None:
    # One recipient, and the reason under both names that are read.
    assert len(document["to"]) == 1
    assert document["summary"] == document["content"] != ""
    things = document["object"] if isinstance(document["object"], list) else [document["object"]]
    _must_be_urls(things)


def must_be_an_announce(document: Json, *, nested: bool = False) -> None:
    """Announce by a forum: of an activity whole, or of an opener by its id."""
    assert document["type"] == "Announce"
    must_hold_no_null(document)
    if not nested:
        _must_name_its_context(document)
    _must_be_url(document["id"])
    public = PUBLIC in document["to"]
    assert document["to"] == ([PUBLIC] if public else [f"{document['actor']}/followers"])
    assert document["cc"] == ([f"{document['actor']}/followers"] if public else [])
    if isinstance(document["object"], str):
        _must_be_url(document["object"])
    else:
        must_be_an_activity(document["object"])


def must_be_sent_so(form: str, document: Json) -> None:
    """Whatever leaves us in a form (INTEROP: the strictest reader's column)."""
    if form == "wrapped" or document["type"] == "Announce":
        must_be_an_announce(document)
        assert isinstance(document["object"], str) == (form == "boost")
        return
    assert document["type"] in _IN_FORM.get(form, set(_BY_KIND))
    must_be_an_activity(document)


_IN_FORM = {
    "boost": {"Undo"},
    "author": {"Update", "Delete"},
    "deed": {"Create", "Like", "Undo"},
}
_BY_KIND = {
    "Join": _joining,
    "Leave": _joining,
    "TentativeAccept": _answering,
    "Create": _posting,
    "Update": _posting,
    "Like": _liking,
    "Undo": _undoing,
    "Delete": _deleting,
    "Lock": _steering,
    "Add": _steering,
    "Remove": _steering,
    "Block": _shutting_out,
    "Flag": _reporting,
    "Follow": _following,
    "Accept": _answering,
    "Reject": _rejecting,
}
