# SPDX-License-Identifier: Apache-2.0
"""Who suits whom, and what a description may say."""

import json
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.errors import Invalid
from server.mentoring import languages, matching, profiles
from server.mentoring.matching import Candidate, Seeker, ranked, weigh, why_not
from server.mentoring.profiles import Offered, Skill, Wanted, document_of, offered, wanted
from server.mentoring.terms import FORMATS, FUNCTIONS, LEVELS

WINTER = datetime(2026, 1, 15, 12, tzinfo=UTC)
SUMMER = datetime(2026, 7, 15, 12, tzinfo=UTC)
OFFERED = Offered(
    (Skill("Digital permits", 3), Skill("Plain language", 1)),
    ("en",), "America/Chicago", 3, ("one-to-one",), ("04",),
)  # fmt: skip
WANTED = Wanted(("digital permits", "Negotiation"), ("en-us", "es"), "America/Chicago", 3, ("04",))
ANA = Seeker("ana@riverton", WANTED, "one-to-one")
MAREK = Candidate("card-1", "marek@lakeside", OFFERED)

NAMES = st.text("abcdefgh ", min_size=1, max_size=20).filter(str.strip)
LANGUAGES = st.lists(st.sampled_from(["en", "es", "de", "fr-ca"]), min_size=1, unique=True)
ZONES = st.sampled_from(sorted(profiles.zones()))
HOURS = st.integers(1, 40)
CODES = st.lists(st.sampled_from(sorted(FUNCTIONS)), max_size=3, unique=True)
CARDS = st.builds(
    Offered,
    st.lists(st.builds(Skill, NAMES, st.sampled_from(sorted(LEVELS))), min_size=1, max_size=5).map(
        tuple
    ),
    LANGUAGES.map(tuple), ZONES, HOURS,
    st.lists(st.sampled_from(sorted(FORMATS)), min_size=1, unique=True).map(tuple),
    CODES.map(tuple),
)  # fmt: skip
NEEDS = st.builds(
    Wanted, st.lists(NAMES, min_size=1, max_size=5).map(tuple), LANGUAGES.map(tuple), ZONES, HOURS,
    CODES.map(tuple),
)  # fmt: skip


@pytest.mark.parametrize(
    ("seeker", "candidate", "word"),
    [
        (replace(ANA, name=MAREK.name), MAREK, "themselves"),
        (replace(ANA, not_with=frozenset({MAREK.name})), MAREK, "ruled the other out"),
        (ANA, replace(MAREK, not_with=frozenset({ANA.name})), "ruled the other out"),
        (ANA, replace(MAREK, has_place=False), "no place free"),
        (replace(ANA, format="group"), MAREK, "Group"),
        (replace(ANA, wanted=replace(WANTED, languages=("de",))), MAREK, "language"),
    ],
)
def test_each_hard_rule_keeps_two_apart(seeker: Seeker, candidate: Candidate, word: str) -> None:
    assert why_not(ANA, MAREK) == ""
    assert word in why_not(seeker, candidate)
    assert ranked(seeker, [candidate], 1, WINTER) == []


def test_a_score_is_the_sum_of_reasons_that_are_said() -> None:
    score = weigh(WANTED, OFFERED, WINTER)
    assert [(one.about, one.points, one.most) for one in score.reasons] == [
        ("Skills", 40, 60), ("Field of work", 10, 10), ("Time zone", 15, 15), ("Time", 15, 15),
    ]  # fmt: skip
    assert score.points == 80
    assert score.reasons[0].words == "Digital permits (expert), named first"
    far = weigh(replace(WANTED, zone="Europe/Berlin", hours=6), OFFERED, WINTER)
    assert far.reasons[2].words == "7 hours apart"
    assert far.reasons[3].words == "3 a month offered, 6 wanted"
    # Arizona keeps its clocks while Chicago turns them.
    phoenix = replace(WANTED, zone="America/Phoenix")
    assert weigh(phoenix, OFFERED, WINTER).reasons[2].words == "1 hour apart"
    assert weigh(phoenix, OFFERED, SUMMER).reasons[2].words == "2 hours apart"


@given(NEEDS, CARDS)
def test_points_stay_within_their_most(need: Wanted, card: Offered) -> None:
    score = weigh(need, card, WINTER)
    assert score.points == sum(one.points for one in score.reasons) <= matching.MOST
    assert all(0 <= one.points <= one.most for one in score.reasons)


@given(st.lists(CARDS, min_size=2, max_size=6), NEEDS, st.integers(0, 1 << 62))
def test_the_order_is_the_same_whatever_order_cards_come_in(
    cards: list[Offered], need: Wanted, seed: int
) -> None:
    candidates = [Candidate(f"c{n}", f"m{n}@x", card) for n, card in enumerate(cards)]
    seeker = replace(ANA, wanted=need)
    there = ranked(seeker, candidates, seed, WINTER)
    assert there == ranked(seeker, candidates[::-1], seed, WINTER)
    points = [one.score.points for one in there]
    assert points == sorted(points, reverse=True)


def test_languages_are_typed_and_told_by_name() -> None:
    assert [languages.code_of(one) for one in ("English", " ES ", "mi", "es-MX")] == [
        "en", "es", "mi", "es-mx",
    ]  # fmt: skip
    assert languages.said(("en", "es", "es-mx")) == "English, Spanish, es-mx"
    for code, name in languages.NAMES.items():
        assert languages.code_of(name) == code


def test_ties_are_drawn_by_the_seed() -> None:
    alike = [Candidate(f"c{n}", f"m{n}@x", OFFERED) for n in range(5)]
    orders = {
        tuple(one.candidate.key for one in ranked(ANA, alike, seed, WINTER)) for seed in range(20)
    }
    assert len(orders) > 5


@given(st.one_of(CARDS, NEEDS))
def test_a_description_survives_being_written_down(what: Offered | Wanted) -> None:
    made = json.loads(json.dumps(document_of(what)))
    read: Any = (offered if isinstance(what, Offered) else wanted)(made)
    again: Any = (offered if isinstance(what, Offered) else wanted)(document_of(read))
    assert again == read
    assert read.languages == what.languages
    assert read.hours == what.hours


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=6) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=12,
)
MEMBERS = ("skills", "languages", "zone", "hours", "formats", "functions", "grade", "about", "goal")


@given(st.dictionaries(st.sampled_from([*MEMBERS, "v"]), JSON), st.sampled_from(MEMBERS), JSON)
def test_what_strangers_send_is_read_whole_or_not_at_all(
    anything: dict[str, Any], member: str, value: object
) -> None:
    skill = {**document_of(OFFERED), "skills": [{"name": "Permits", "level": value}]}
    whole = document_of(OFFERED)
    tried: list[object] = [anything, {**whole, member: value}, skill, {**skill, "skills": [value]}]
    for made in [*tried, [], None]:
        for read in (offered, wanted):
            with suppress(Invalid):
                found = read(made)
                assert len(found.skills) <= 5
                assert all(ord(sign) > 31 or sign == "\n" for sign in str(document_of(found)))
