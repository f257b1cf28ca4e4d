# SPDX-License-Identifier: Apache-2.0
"""One document of a practice, read strictly and kept whole."""

import copy
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.errors import Invalid
from server.practices import record
from server.practices.record import Record
from server.practices.typed import record_of, typed_of
from tests.server.practices import strategies

PERMITS: dict[str, Any] = {
    "v": 1,
    "kind": "practice",
    "name": "Digital permits with a completeness check",
    "summary": "An online form that refuses incomplete applications cut permit time by 40 %.",
    "agency": "City of Lakeside",
    "partners": [{"name": "Lakeside University", "role": "evaluation"}],
    "problem": "Two thirds of applications came back.",
    "solution": "The form says what is missing **before** it is sent.",
    "setting": {"country": "US", "level": "city", "populationBand": "50k-499k"},
    "steps": [
        {"title": "Sort returned applications", "role": "Permit manager", "duration": "10 days"},
        {"title": "Write the checks", "resourceId": ["https://lakeside.example.gov/checks"]},
        {"title": "Switch on", "pitfall": "Nobody is sent away."},
    ],
    "costs": {"startup": 140_000, "currency": "USD", "year": 2025},
    "staff": {"fte": 1.5},
    "stage": "live",
    "started": "2025-02",
    "outcomes": [
        {
            "indicator": "Days from filing to permit",
            "unit": "days",
            "direction": "down",
            "statistic": "median",
            "baseline": {"value": 21, "date": "2025-01", "n": 1204},
            "target": {"value": 14},
            "actual": {"value": 12.6, "date": "2025-09", "n": 1187},
        }
    ],
    "notWorked": ["Refusing scanned drawings outright."],
    "conditions": [{"text": "Electronic payment", "must": True}, {"text": "A patient counter"}],
    "topics": ["permits-and-licensing"],
    "functions": ["04.1"],
    "tags": ["permits"],
    "license": "CC-BY-4.0",
}


def faults(document: Any) -> dict[str, str]:
    """What is wrong with a document, by field."""
    with pytest.raises(Invalid) as refused:
        record.parse(document)
    return refused.value.fields


def refusal(document: Any) -> dict[str, str]:
    """The same; empty for a document that is right."""
    try:
        record.parse(document)
    except Invalid as refused:
        return refused.fields or {"": "."}
    return {}


def changed(path: str, value: Any) -> dict[str, Any]:
    """The permits with one member changed."""
    document = copy.deepcopy(PERMITS)
    at: Any = document
    *above, last = path.split(".")
    for step in above:
        at = at[int(step)] if isinstance(at, list) else at.setdefault(step, {})
    at[int(last) if isinstance(at, list) else last] = value
    return document


def test_a_whole_practice_is_read_and_written_again() -> None:
    read = record.parse(PERMITS)
    assert record.dump(read) == PERMITS
    assert read.outcomes[0].actual.value == 12.6
    assert read.setting.population_band == "50k-499k"
    assert record.unpack(record.pack(read)) == read


@pytest.mark.parametrize(
    ("path", "value", "field", "words"),
    [
        ("name", "", "name", "title"),
        ("name", "x" * 101, "name", "under 100 characters: this has 101"),
        ("summary", None, "summary", "one sentence"),
        ("v", 2, "v", "not known here"),
        ("kind", "advert", "kind", "Choose one of"),
        ("problem", "word " * 10_000, "problem", "under 20,000 characters: this has 49,999"),
        ("steps", [{"title": "a"}] * 100, "steps", "50 steps: this has 100"),
        ("steps.0.title", " ", "steps.0.title", "what this step is"),
        ("steps.1.resourceId.0", "javascript:alert(1)", "steps.1.resourceId.0", "https://"),
        ("started", "2025-02-30", "started", "not in the calendar"),
        ("started", "last spring", "started", "Give the date as"),
        ("started", "0001", "started", "between 1900"),
        ("ended", "2025-01", "ended", "before it began"),
        ("costs.startup", -1, "costs.startup", "negative"),
        ("costs.currency", "", "costs.currency", "which currency"),
        ("costBand", 6, "costBand", "1 to 5"),
        ("outcomes.0.baseline.n", 0, "outcomes.0.baseline.n", "at least 1"),
        ("outcomes.0.baseline.n", 1.5, "outcomes.0.baseline.n", "whole number"),
        ("outcomes.0.baseline.value", "21", "outcomes.0.baseline.value", "Give a number"),
        ("outcomes.0.baseline.value", True, "outcomes.0.baseline.value", "Give a number"),
        ("outcomes.0.baseline.value", math.nan, "outcomes.0.baseline.value", "computed with"),
        ("outcomes.0.actual.value", 1e400, "outcomes.0.actual.value", "computed with"),
        ("outcomes.0.actual.value", 10**16, "outcomes.0.actual.value", "too large"),
        ("outcomes.0.baseline", {}, "outcomes.0.baseline.value", "give the baseline as well"),
        ("outcomes.0.actual.date", "2024-12", "outcomes.0.actual.date", "earlier"),
        ("outcomes.0.direction", "", "outcomes.0.direction", "lower or higher"),
        ("outcomes.0.unit", "", "outcomes.0.unit", "what the numbers count"),
        ("outcomes.0.indicator", "", "outcomes.0.indicator", "what is measured"),
        ("outcomes.0.actual.sd", 3, "outcomes.0.actual.sd", "mean only"),
        ("outcomes.0.statistic", "proportion", "outcomes.0.unit", "is %"),
        ("outcomes.0.target", {"date": "2025"}, "outcomes.0.target.value", "the value as well"),
        ("outcomes.0", [], "outcomes.0", "JSON object"),
        ("topics", ["Not A Slug"], "topics.0", "not a topic"),
        ("functions", ["11"], "functions.0", "COFOG"),
        ("license", "do what you like!", "license", "SPDX"),
        ("tags", ["two words"], "tags.0", "letters, digits"),
        ("basedOn", [{"version": 2}], "basedOn.0.uri", "based on"),
        ("xUnknown", {"deep": [math.inf]}, "record.xUnknown.deep.0", "computed with"),
        ("xUnknown", "x" * 60_000, "record", "more than a record can carry"),
        ("xUnknown", "\ud800", "record.xUnknown", "cannot be stored"),
        ("setting", "a city", "setting", "JSON object"),
        ("audience", "everybody", "audience", "a list"),
    ],
)
def test_a_wrong_member_is_refused_by_its_name(
    path: str, value: Any, field: str, words: str
) -> None:
    found = faults(changed(path, value))
    assert words in found[field], found


def test_every_fault_is_told_at_once() -> None:
    found = faults({"name": "", "outcomes": [{"indicator": "", "actual": {"n": 0}}]})
    assert {"v", "name", "summary", "outcomes.0.indicator", "outcomes.0.actual.n"} <= set(found)


@pytest.mark.parametrize("document", [None, [], "practice", 7, {"name": {"a": "b"}}])
def test_what_is_no_practice_at_all_is_refused(document: Any) -> None:
    assert faults(document)


def test_members_that_nobody_knows_are_kept_wherever_they_are() -> None:
    document = changed("xCensus", {"tract": [1, 2.5]})
    document["outcomes"][0]["baseline"]["xQuarter"] = "Q1"
    document["steps"][0]["xPhoto"] = None
    assert record.dump(record.parse(document)) == document


def test_the_same_practice_has_the_same_digest() -> None:
    one, other = record.parse(PERMITS), record.parse(changed("outcomes.0.baseline.value", 21.0))
    assert record.digest(one) == record.digest(other)
    assert record.digest(one) != record.digest(record.parse(changed("stage", "scaled")))


@given(strategies.practices)
def test_any_practice_survives_the_way_out_and_in(document: dict[str, Any]) -> None:
    read = record.parse(document)
    assert record.parse(record.dump(read)) == read
    assert record.unpack(record.pack(read)) == read


@given(strategies.practices, st.data())
def test_anything_in_any_place_is_read_or_refused_by_name(
    document: dict[str, Any], data: st.DataObject
) -> None:
    """NaN, 1e400, strings for numbers, lists for texts: a record within bounds, or a sentence."""
    place = data.draw(st.sampled_from(sorted({*document, "outcomes", "steps", "xNew"})))
    document = {**document, place: data.draw(strategies.hostile_values)}
    if place in {"outcomes", "steps"}:
        part = data.draw(strategies.outcomes if place == "outcomes" else strategies.steps)
        member = data.draw(st.sampled_from(sorted(part)))
        document[place] = [{**part, member: data.draw(strategies.hostile_values)}]
    told = refusal(document)
    assert all(sentence.endswith(".") for sentence in told.values())
    if told:
        return
    read = record.parse(document)
    assert record.parse(record.dump(read)) == read
    for outcome in read.outcomes:
        for point in (outcome.baseline, outcome.target, outcome.actual):
            assert point.value is None or abs(point.value) <= 10**15


@given(strategies.practices)
def test_a_practice_survives_the_form(document: dict[str, Any]) -> None:
    """All that the form shows and all that it carries along, but unknown members of rows that
    stand in one area, which a person may rewrite."""
    document["partners"] = [{"name": "University", "role": "evaluation"}]
    document["conditions"] = [{"text": "Payment", "must": True}, {"text": "Patience"}]
    for lines in ("audience", "notWorked"):
        document[lines] = ["One line", "and another"]
    for step in document.get("steps", ()):
        step["resourceId"] = ["https://city.example.gov/a"]
    read = record.parse(document)
    assert record_of(typed_of(read)) == read


def test_a_record_begins_as_little_as_a_title_and_a_sentence() -> None:
    assert record.parse({"v": 1, "name": "a", "summary": "b"}) == Record(name="a", summary="b")
