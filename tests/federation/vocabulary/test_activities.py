# SPDX-License-Identifier: Apache-2.0
"""Activities are read with what they carry."""

import re
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from federation.vocabulary.activities import parse_envelope
from federation.vocabulary.documents import (
    Activity,
    Actor,
    Malformed,
    Post,
    Reference,
    parse_activity,
    parse_actor,
    parse_any,
    parse_post,
)
from federation.vocabulary.terms import PUBLIC

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


def test_recipients_are_cut_at_500() -> None:
    everyone = [f"{ANA}{n}" for n in range(900)]
    assert len(parse_post({**NOTE, "to": everyone}).to) == 500
    assert len(parse_activity({**LIKE, "cc": everyone}).cc) == 500


def test_activities_nest_three_deep_and_no_deeper() -> None:
    create = {**activity("Create", NOTE), "actor": ANA}
    twice = parse_activity(activity("Announce", activity("Announce", create)))
    assert isinstance(twice.object, Activity)
    assert isinstance(twice.object.object, Activity)
    assert isinstance(twice.object.object.object, Post)
    thrice = parse_activity(activity("Announce", activity("Announce", activity("Undo", create))))
    assert isinstance(thrice.object, Activity)
    assert isinstance(thrice.object.object, Activity)
    assert thrice.object.object.object == Reference(create["id"])


def test_an_object_is_whatever_it_says_it_is() -> None:
    assert parse_activity(activity("Announce", POST)).object == Reference(POST)
    assert parse_activity(activity("Announce", [POST])).object == Reference(POST)
    assert parse_activity(activity("Announce", {"id": POST})).object == Reference(POST)
    link = {"type": "Link", "href": POST}
    assert parse_activity(activity("Announce", link)).object == Reference(POST)
    assert isinstance(parse_activity(activity("Update", PERSON)).object, Actor)
    assert isinstance(parse_activity(activity("Undo", without(LIKE, "id"))).object, Activity)


def test_an_unreadable_object_with_an_id_is_a_reference_to_it() -> None:
    anonymous = without(NOTE, "attributedTo")
    assert parse_activity(activity("Create", anonymous)).object == Reference(POST)


def test_batches_are_tuples() -> None:
    likes = [LIKE, {**LIKE, "id": ANA + "#like-2"}]
    for batch in (likes, {"type": "OrderedCollection", "orderedItems": likes}):
        found = parse_activity(activity("Announce", batch)).object
        assert isinstance(found, tuple)
        assert [item.id for item in found] == [ANA + "#like-1", ANA + "#like-2"]
        assert all(isinstance(item, Activity) for item in found)


def test_an_unknown_activity_is_known_by_its_members() -> None:
    found = parse_any({**LIKE, "type": "zot:Applaud"})
    assert isinstance(found, Activity)
    assert found.type == "zot:Applaud"
    agreement = {"type": "Agreement", "stipulates": {"type": "Commitment"}}
    offer = parse_activity(activity("Offer", agreement))
    assert isinstance(offer.object, Post)
    assert (offer.object.id, offer.object.type) == ("", "Agreement")
    with pytest.raises(Malformed, match="The Agreement has no id"):
        parse_any(agreement)


def test_an_activitys_own_members_are_read() -> None:
    block = parse_activity(
        activity(
            "Block",
            ANA,
            target=FORUM,
            summary="",
            expires="2026-12-01T00:00:00Z",
            removeData=True,
            audience=[FORUM],
            to=PUBLIC,
        )
    )
    assert (block.target, block.summary, block.remove_data) == (FORUM, "", True)
    assert block.end_time == datetime(2026, 12, 1, tzinfo=UTC)
    assert (block.audience, block.to, block.cc) == ((FORUM,), (PUBLIC,), ())
    assert parse_activity(activity("Delete", POST)).summary is None


def test_discourse_addresses_an_inbox_and_embeds_its_actor() -> None:
    create = parse_activity(
        {**activity("Create", NOTE), "to": [FORUM + "/inbox"], "actor": {**PERSON, "outbox": None}}
    )
    assert (create.to, create.actor) == ((FORUM + "/inbox",), ANA)
    shared = {**PERSON, "sharedInbox": "https://a.example/inbox", "endpoints": {}}
    assert parse_actor(shared).shared_inbox == "https://a.example/inbox"


KINDS = st.sampled_from(["Like", "Delete", "Undo", "Create", "Dance", "Note", "as:Like", ""])
NAMES = st.sampled_from(
    ["https://a.example/1", "https://a.example/u/x", "javascript:1", "", "https://[x"]
)
ODD = st.none() | NAMES | st.integers() | st.lists(NAMES, max_size=3)
INSIDE = ODD | st.fixed_dictionaries({}, optional={"id": ODD, "type": KINDS, "actor": ODD})


@given(
    st.fixed_dictionaries(
        {}, optional={"id": ODD, "type": KINDS, "actor": ODD | INSIDE, "object": INSIDE}
    )
)
def test_the_envelope_is_the_outside_of_the_activity(document: dict[str, Any]) -> None:
    try:
        whole = parse_activity(document)
    except Malformed as error:
        with pytest.raises(Malformed, match=re.escape(str(error))):
            parse_envelope(document)
        return
    envelope = parse_envelope(document)
    assert (envelope.id, envelope.type, envelope.actor) == (whole.id, whole.type, whole.actor)
    subject = getattr(whole.object, "id", "")
    assert envelope.is_farewell == (whole.type == "Delete" and subject == whole.actor)
