# SPDX-License-Identifier: Apache-2.0
"""Cards and offers survive the wire, and nothing else gets through."""

import json
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from federation.mentoring import entries, wire
from federation.mentoring.entries import Between, SharedEntry
from federation.mentoring.wire import Asked, Parties
from federation.vocabulary.activities import parse_activity, parse_envelope
from federation.vocabulary.errors import Malformed
from server.mentoring import agreements, drafts, profiles
from server.mentoring.agreements import Heard as PairSaid
from server.mentoring.asks import Told
from server.mentoring.profiles import Offered, Wanted
from storage.mentoring import EntryKind, MentorCard
from tests.federation.wire_schema import must_be_an_activity
from tests.server.mentoring.test_matching import CARDS, JSON, NEEDS, OFFERED

HOME, OTHER = "https://lakeside.example.gov", "https://riverton.example.gov"
MAREK = f"{HOME}/u/marek"
PARTIES = Parties(f"{OTHER}/instance#agreement-7", f"{OTHER}/u/ana#mentoring-offer-7", MAREK)
LATER = datetime(2026, 12, 4, 9, tzinfo=UTC)


def card(offered: Offered) -> dict[str, Any]:
    held = MentorCard(
        uri=f"{MAREK}#mentor-card", person=MAREK, handle="marek", name="Marek Nowak",
        role_title="permit manager", is_open=True, record=profiles.pack(offered), capacity=7,
        taken=3, not_with='["lou@lakeside.example.gov"]',
    )  # fmt: skip
    document: dict[str, Any] = json.loads(json.dumps(wire.card(held)))
    return document


@given(CARDS)
def test_a_card_arrives_as_it_was_kept_without_counts_or_names_ruled_out(offered: Offered) -> None:
    document = card(offered)
    there = wire.arrived(document, HOME)
    assert profiles.pack(there.offered) == profiles.pack(
        profiles.offered(profiles.document_of(offered))
    )
    assert (there.person, there.handle, there.is_open) == (MAREK, "marek", True)
    told = json.dumps(document)
    assert "lou@" not in told
    for count in ("capacity", "taken", "7"):
        assert count not in json.loads(told)["gh:mentorCard"]


@given(NEEDS, st.text(st.characters(exclude_categories=["C"]), min_size=1, max_size=99))
def test_an_offer_arrives_as_it_was_sent(need: Wanted, message: str) -> None:
    sent = Asked(
        PARTIES.agreement, f"{MAREK}#mentor-card", "flash", Told(need, message.strip()), LATER
    )
    document = json.loads(json.dumps(wire.offer(PARTIES, sent)))
    must_be_an_activity(document)
    activity = parse_activity(document)
    assert (activity.id, activity.actor) == (PARTIES.offer, PARTIES.signer)
    there = wire.asked(activity.raw)
    assert (there.agreement, there.card, there.format, there.expires) == (
        sent.agreement, sent.card, sent.format, sent.expires,
    )  # fmt: skip
    assert there.told.message == message.strip()


def test_every_answer_can_be_told_from_the_others_by_its_reader() -> None:
    made = [
        wire.accept(PARTIES, f"{MAREK}#mentor-card"), wire.reject(PARTIES, MAREK, "No."),
        wire.reveal(PARTIES, f"{OTHER}/u/ana"), wire.refuse(PARTIES), wire.undo_offer(PARTIES),
        wire.undo_accept(PARTIES),
    ]  # fmt: skip
    assert len({document["id"] for document in made}) == len(made)
    for document in made:
        must_be_an_activity(document)
        assert parse_envelope(document).actor == document["actor"]
        assert parse_activity(document).raw["context"] == PARTIES.agreement
        assert document["to"] == [MAREK] or document["actor"] == MAREK


@pytest.mark.parametrize(
    "change",
    [
        {"id": f"{OTHER}/u/marek#mentor-card"},
        {"attributedTo": f"{OTHER}/u/marek"},
        {"attributedTo": None},
        {"purpose": "request"},
        {"gh:mentorCard": {}},
        {"gh:mentorCard": {**card(OFFERED)["gh:mentorCard"], "handle": "mar@ek"}},
        {"gh:mentorCard": {**card(OFFERED)["gh:mentorCard"], "handle": "mar\u202eek"}},
        {"gh:mentorCard": {**card(OFFERED)["gh:mentorCard"], "zone": "../../etc/passwd"}},
    ],
)
def test_a_card_that_is_not_of_its_agency_or_not_whole_is_not_taken(
    change: dict[str, Any],
) -> None:
    with pytest.raises(Malformed):
        wire.arrived({**card(OFFERED), **change}, HOME)


@given(
    st.sampled_from(["object", "endTime", "gh:told", "gh:format", "stipulates", "id", "satisfies"]),
    JSON,
)
def test_anything_else_in_an_offer_is_refused_in_words(member: str, value: object) -> None:
    sent = Asked(
        PARTIES.agreement, f"{MAREK}#mentor-card", "flash",
        Told(Wanted(("x",), ("en",), "UTC", 1), "Hello."), LATER,
    )  # fmt: skip
    document = wire.offer(PARTIES, sent)
    inner = document["object"]
    inner["stipulates"][member] = value
    for made in (
        document,
        {**document, member: value},
        {**document, "object": {**inner, member: value}},
    ):
        with suppress(Malformed):
            assert wire.asked(made).format == "flash"
    items: list[object] = [{**card(OFFERED), member: value}, value]
    for item in items:
        with suppress(Malformed):
            assert wire.arrived(item, HOME).handle == "marek"


KINDS = [kind.value for kind in EntryKind]
LINES = st.text("abc déf", min_size=1, max_size=30).map(" ".join).map(str.strip).filter(bool)
BETWEEN = Between(PARTIES.agreement, f"{OTHER}/u/ana", MAREK)


@given(st.sampled_from(KINDS), LINES, st.integers(1, 5), st.integers(0, 999))
def test_what_a_pair_shares_arrives_as_it_was_written(
    kind: str, words: str, rating: int, revision: int
) -> None:
    made = {"kind": kind, "title": words[:100], "text": words, "rating": rating, "minutes": 30}
    draft = drafts.read({**made, "starts": LATER, "due": "2027-02-28", "parent": f"{OTHER}/x"})
    shared = SharedEntry(f"{OTHER}/instance#entry-9", BETWEEN.actor, revision, draft, "<p>x</p>")
    for document in (entries.entry(BETWEEN, shared), entries.taken_back(BETWEEN, shared.uri)):
        must_be_an_activity(document)
    document = json.loads(json.dumps(entries.entry(BETWEEN, shared)))
    there = entries.shared_entry(parse_activity(document).raw)
    assert there == replace(shared, html="")
    assert document["to"] == [MAREK]


def test_what_a_pair_says_of_itself_arrives() -> None:
    made = {"goals": "Ten checks.", "ends": "2027-05-01", "confidentiality": "open"}
    terms = agreements.read(made)
    for said in (
        PairSaid("terms", 3, terms),
        PairSaid("agreed", 3),
        PairSaid("paused"),
        PairSaid("completed"),
    ):
        document = json.loads(json.dumps(entries.told(BETWEEN, said, 7)))
        must_be_an_activity(document)
        assert entries.read_told(parse_activity(document).raw) == said


@given(st.sampled_from(["gh:entry", "gh:pair", "id", "attributedTo"]), JSON, JSON)
def test_anything_else_of_a_pair_is_refused_in_words(
    member: str, value: object, other: object
) -> None:
    whole = {"id": f"{OTHER}/instance#entry-9", "attributedTo": BETWEEN.actor}
    said = {"what": "terms", "edition": value, "terms": other, "kind": "goal", "revision": value}
    for thing in ({**whole, member: value}, {**whole, "gh:entry": said, "gh:pair": said}):
        for read in (entries.shared_entry, entries.read_told):
            with suppress(Malformed):
                assert read({"object": thing})
