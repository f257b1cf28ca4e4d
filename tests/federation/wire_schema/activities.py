# SPDX-License-Identifier: Apache-2.0
"""Activities as the strictest reader takes them."""

from federation.vocabulary.terms import PUBLIC
from tests.federation.wire_schema.actors import must_be_a_group, must_be_a_person
from tests.federation.wire_schema.between import must_be_between_two, reader_of
from tests.federation.wire_schema.posts import must_be_a_post
from tests.federation.wire_schema.values import (
    Json,
    must_be_url,
    must_be_urls,
    must_hold_no_null,
    must_name_its_context,
    must_name_its_terms,
)


def must_be_an_activity(document: Json) -> None:
    """Any activity that a forum announces, or that is sent to one or between two."""
    if reader_of(document) is not None:
        must_be_between_two(document)
        return
    must_hold_no_null(document)
    must_name_its_context(document)
    must_be_url(document["id"])
    must_be_url(document["actor"])
    assert document["id"].startswith(document["actor"])
    must_be_urls(document["to"])
    must_be_urls(document.get("cc", []))
    must_name_its_terms(document)
    assert "as:Public" not in (*document["to"], *document.get("cc", []))
    _BY_KIND[document["type"]](document)


def _posting(document: Json) -> None:
    thing = document["object"]
    if thing["type"] in {"Article", "Event", "Note", "Question"}:
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


def _of_a_forum(document: Json) -> None:
    assert isinstance(document["cc"], list)
    must_be_url(document["audience"])


def _liking(document: Json) -> None:
    must_be_url(document["object"])
    must_be_url(document["audience"])


def _following(document: Json) -> None:
    # One recipient where there is any, and that is who is followed.
    assert document["to"] == [document["object"]]


def _must_be_a_follow(inner: Json) -> None:
    assert set(inner) == {"id", "type", "actor", "object", "to"}
    assert inner["type"] == "Follow"
    for name in ("id", "actor", "object"):
        must_be_url(inner[name])
    _following(inner)


def _answering(document: Json) -> None:
    inner = document["object"]
    _must_be_a_follow(inner)
    assert document["actor"] == inner["object"]
    assert document["to"] == [inner["actor"]]


def _rejecting(document: Json) -> None:
    if isinstance(document["object"], dict):
        _answering(document)
        return
    # Of what somebody sent: not read by the strictest, and never sent to them.
    must_be_url(document["object"])
    assert len(document["to"]) == 1
    assert document["summary"]


def _undoing(document: Json) -> None:
    inner = document["object"]
    assert inner["actor"] == document["actor"]
    must_be_url(inner["id"])
    must_be_url(inner["object"])
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
    must_be_url(document["object"]["id"])
    if document["object"]["formerType"] == "QuoteAuthorization":
        assert len(document["to"]) == 1
        return
    _of_a_forum(document)
    # Where there is a summary it is a removal by somebody who moderates.
    assert document.get("summary") != ""


def _steering(document: Json) -> None:
    must_be_url(document["object"])
    _of_a_forum(document)
    if document["type"] in {"Add", "Remove"}:
        forum = document["audience"]
        assert document["target"] in {f"{forum}/featured", f"{forum}/moderators"}


def _shutting_out(document: Json) -> None:
    must_be_url(document["object"])
    _of_a_forum(document)
    assert document["target"] == document["audience"]
    assert document.get("removeData") in {True, False}


def _reporting(document: Json) -> None:
    # One recipient, and the reason under both names that are read.
    assert len(document["to"]) == 1
    assert document["summary"] == document["content"] != ""
    things = document["object"] if isinstance(document["object"], list) else [document["object"]]
    must_be_urls(things)


def must_be_an_announce(document: Json, *, nested: bool = False) -> None:
    """Announce by a forum: of an activity whole, or of an opener by its id."""
    assert document["type"] == "Announce"
    must_hold_no_null(document)
    if not nested:
        must_name_its_context(document)
    must_be_url(document["id"])
    public = PUBLIC in document["to"]
    assert document["to"] == ([PUBLIC] if public else [f"{document['actor']}/followers"])
    assert document["cc"] == ([f"{document['actor']}/followers"] if public else [])
    if isinstance(document["object"], str):
        must_be_url(document["object"])
    else:
        must_be_an_activity(document["object"])


def must_be_sent_so(form: str, document: Json, origin: str = "") -> None:
    """Whatever leaves us in a form (INTEROP: the strictest reader's column).

    With an origin, what a forum passes on of others is left alone: it goes as it came, be it an
    activity or, where only that could be had, a post.
    """
    if form == "wrapped" or document["type"] == "Announce":
        inner = document["object"]
        assert isinstance(inner, str) == (form in {"boost", "pointer"})
        if isinstance(inner, dict) and not inner["id"].startswith(origin):
            document = document | {"object": inner["id"]}
        must_be_an_announce(document)
        return
    if (kinds := _IN_FORM.get(form)) is not None:
        assert document["type"] in kinds
    must_be_an_activity(document)


_IN_FORM = {
    "boost": {"Undo"},
    "author": {"Update", "Delete"},
    "deed": {"Create", "Like", "Undo"},
}
_BY_KIND = {
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
