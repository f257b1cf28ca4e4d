# SPDX-License-Identifier: Apache-2.0
"""Posts of every kind as the strictest reader takes them."""

from federation.vocabulary.terms import LD_JSON_PROFILE
from tests.federation.wire_schema.values import (
    LOCAL,
    RFC3339,
    Json,
    must_be_url,
    must_be_urls,
    must_hold_no_null,
    must_name_its_context,
    must_name_its_terms,
)

_OPENERS = frozenset({"Article", "Event", "Question"})
_RECORDS = frozenset({"gh:practice", "gh:replication", "gh:resource"})
_ON_REPLIES = frozenset({"gh:announces", "gh:reviewed", "gh:use", "gh:withdraws"})


def must_be_a_post(document: Json) -> None:
    """An opener or a reply, by the enums that are read all or nothing."""
    must_hold_no_null(document)
    must_name_its_context(document)
    must_name_its_terms(document)
    is_reply = "inReplyTo" in document
    assert document["type"] in ({"Note"} if is_reply else _OPENERS)
    for name in ("id", "attributedTo", "audience", "url"):
        must_be_url(document[name])
    must_be_url(document.get("context", document["id"]))
    assert is_reply or "context" in document
    for name in ("to", "cc"):
        must_be_urls(document[name])
    assert document["audience"] in (*document["to"], *document["cc"])
    _must_have_words(document)
    for name in ("published", "updated"):
        assert name not in document or RFC3339.fullmatch(document[name])
    assert "published" in document
    for name in ("sensitive", "commentsEnabled"):
        assert isinstance(document[name], bool)
    for tag in document["tag"]:
        _must_be_a_tag(tag)
    if is_reply:
        must_be_url(document["inReplyTo"])
        assert not {"name", "summary", *_RECORDS} & set(document)
        assert document["attachment"] == []
        assert len(_ON_REPLIES & set(document)) <= 1
    else:
        _must_be_an_opener(document)


def _must_have_words(document: Json) -> None:
    assert isinstance(document["content"], str)
    assert document["mediaType"] == "text/html"
    assert set(document["source"]) == {"content", "mediaType"}
    assert document["source"]["mediaType"] == "text/markdown"
    assert set(document["language"]) == {"identifier", "name"}
    assert list(document["contentMap"]) == [document["language"]["identifier"]]


def _must_be_a_tag(tag: Json) -> None:
    if tag["type"] == "Link":
        assert (tag["mediaType"], bool(tag["name"])) == (LD_JSON_PROFILE, True)
        must_be_url(tag["href"])
        return
    assert tag["type"] in {"Hashtag", "Mention"}
    assert tag["name"][0] == ("#" if tag["type"] == "Hashtag" else "@")
    assert tag["type"] == "Hashtag" or tag["href"].startswith("http")


def _must_be_an_opener(document: Json) -> None:
    assert 0 < len(document["name"]) <= 200
    assert isinstance(document["summary"], str)
    assert len(document["summary"]) < 2_500
    assert not _ON_REPLIES & set(document)
    records = _RECORDS & set(document)
    assert len(records) + (document["type"] != "Article") + ("purpose" in document) <= 1
    for item in document["attachment"]:
        # The first one becomes the link of the post; one that cannot be read costs the whole post.
        assert item["type"] in {"Document", "Link"}
        must_be_url(item["href" if item["type"] == "Link" else "url"])
        assert isinstance(item["mediaType"], str)
        assert isinstance(item.get("name", ""), str)
    if "gh:resource" in document:
        _must_be_a_resource(document)
    elif records:
        link = {"type": "Link", "href": document["url"], "mediaType": "text/html"}
        assert document["attachment"] == [link]
    elif document["type"] == "Event":
        _must_be_an_event(document)
    else:
        assert document["attachment"] == []
    if document["type"] == "Question":
        _must_be_a_poll(document)
    if "purpose" in document:
        _must_be_an_offer(document)


def _must_be_a_resource(document: Json) -> None:
    """The link of the post leads to the file or the page, whatever else there is."""
    first, *files = document["attachment"]
    assert (first["type"], bool(first["name"])) == ("Link", True)
    for file in files:
        assert file["type"] == "Document"
        assert isinstance(file["name"], str)
        assert file["gh:size"] >= 0
        assert len(file["gh:sha256"]) == 64
    if len(files) == 1:
        assert (first["href"], first["mediaType"]) == (files[0]["url"], files[0]["mediaType"])
    must_be_url(document.get("license", document["id"]))
    must_be_urls(document.get("gh:basedOn", []))


def _must_be_an_event(document: Json) -> None:
    """What Mobilizon and Gancio read unguarded is there, and of the type they take."""
    [website] = document["attachment"]
    assert (website["type"], website["name"]) == ("Link", "Website")
    for name in ("startTime", "endTime"):
        assert LOCAL.fullmatch(document[name]), document[name]
    assert isinstance(document["timezone"], str)
    assert isinstance(document.get("location", {}), dict)
    assert isinstance(document["tag"], list)
    assert document["status"] in {"CONFIRMED", "TENTATIVE", "CANCELLED"}
    assert document.get("joinMode", "free") in {"free", "external"}


def _must_be_a_poll(document: Json) -> None:
    """What Mastodon and PieFed count by: one list of named options, and when it ends."""
    [listed] = [document[name] for name in ("oneOf", "anyOf") if name in document]
    assert 2 <= len(listed) <= 20
    assert len({one["name"] for one in listed}) == len(listed)
    for one in listed:
        assert set(one) == {"type", "name", "replies"}
        assert (one["type"], bool(one["name"])) == ("Note", True)
        assert set(one["replies"]) == {"type", "totalItems"}
        assert one["replies"]["type"] == "Collection"
        assert one["replies"]["totalItems"] >= 0
    assert RFC3339.fullmatch(document["endTime"])
    assert document.get("closed", document["endTime"]) == document["endTime"]
    assert document["votersCount"] >= 0


def _must_be_an_offer(document: Json) -> None:
    """A service offered (FEP-0837), and nobody's particulars."""
    assert document["purpose"] == "offer"
    published = document["publishes"]
    assert set(published) == {"id", "type", "action", "resourceQuantity"}
    must_be_url(published["id"])
    assert (published["type"], published["action"]) == ("Intent", "deliverService")
    assert published["resourceQuantity"] == {"hasUnit": "one"}
