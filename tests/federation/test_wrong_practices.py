# SPDX-License-Identifier: Apache-2.0
"""What is wrong in a practice is refused by name, from form and wire alike."""

from typing import Any

import pytest

from federation.posts import from_wire
from federation.vocabulary.errors import Malformed
from federation.vocabulary.posts import parse_post
from federation.vocabulary.reader import read
from server.errors import Invalid
from server.practices import record, reporting
from server.practices.change import change_of
from server.practices.record import Outcome
from server.practices.typed import record_of
from tests.server.library.bench import PERMITS as FORM
from tests.server.practices.test_record import PERMITS as WIRE
from tests.server.practices.test_record import changed

STEPS = [{"title": f"Step {n}"} for n in range(100)]
STEP_FIELDS = {
    "steps": " ".join(str(n) for n in range(100)),
    **{f"steps.{n}.title": f"Step {n}" for n in range(100)},
}
LONG = "word " * 10_000
# What the form holds, what the wire holds at a path, and the sentence that both are answered.
WRONG: dict[str, tuple[dict[str, str], str, Any, str]] = {
    "no such day": (
        {"started": "2026-02-30"}, "started", "2026-02-30", "2026-02-30 is not in the calendar.",
    ),
    "an end before the beginning": (
        {"started": "2026", "ended": "2025", "stage": "ended"},
        "", {"started": "2026", "ended": "2025", "stage": "ended"},
        "It cannot have ended before it began.",
    ),
    "a result before its baseline": (
        {"outcomes.1.actual.date": "2020"}, "outcomes.0.actual.date", "2020",
        "This is earlier than the baseline was taken.",
    ),
    "a target without a baseline": (
        {f"outcomes.1.baseline.{one}": "" for one in ("value", "date", "n")},
        "outcomes.0.baseline", {}, "A target says little without where you began",
    ),
    "nobody counted": (
        {"outcomes.1.actual.n": "0"}, "outcomes.0.actual.n", 0, "at least 1",
    ),
    "part of somebody counted": (
        {"outcomes.1.actual.n": "1.5"}, "outcomes.0.actual.n", 1.5, "Give a whole number.",
    ),
    "words for a number": (
        {"outcomes.1.actual.value": "twelve"}, "outcomes.0.actual.value", "twelve",
        "Give a number, such as 12.6",
    ),
    "more than can be counted": (
        {"outcomes.1.actual.value": "2000000000000000"}, "outcomes.0.actual.value", 2 * 10**15,
        "This number is too large.",
    ),
    "a hundred steps": (STEP_FIELDS, "steps", STEPS, "Keep it to 50 steps: this has 100."),
    "ten thousand words": (
        {"solution": LONG}, "solution", LONG, "Keep it under 20,000 characters",
    ),
    "a share of more than all": (
        {"outcomes.1.statistic": "proportion", "outcomes.1.unit": "%",
         "outcomes.1.actual.value": "112"},
        "outcomes.0", {"indicator": "Share", "unit": "%", "direction": "up",
                       "statistic": "proportion", "baseline": {"value": 5},
                       "actual": {"value": 112}},
        "A proportion lies between 0 and 100 %.",
    ),
}  # fmt: skip


def article(practice: Any) -> dict[str, Any]:
    """A practice as it comes."""
    return {
        "id": "https://state.example.gov/p/1",
        "type": "Article",
        "attributedTo": "https://state.example.gov/u/vera",
        "name": "A practice",
        "gh:practice": practice,
    }


@pytest.mark.parametrize("name", WRONG)
def test_it_is_refused_alike_from_a_form_and_from_the_wire(name: str) -> None:
    typed, path, value, sentence = WRONG[name]
    with pytest.raises(Invalid) as beside:
        record_of({**FORM, **typed})
    assert any(sentence in words for words in beside.value.fields.values()), beside.value.fields
    assert set(beside.value.fields) <= {*FORM, *typed}
    told = changed(path, value) if path else WIRE | value
    with pytest.raises(Invalid) as refused:
        from_wire(parse_post(article(told)), "https://state.example.gov/f/permits")
    assert "gh:practice" in refused.value.sentence
    assert sentence in refused.value.sentence


@pytest.mark.parametrize("number", ["NaN", "1e400", "-Infinity"])
def test_what_is_no_number_is_refused_before_anything_is_read(number: str) -> None:
    raw = b'{"id": "https://state.example.gov/p/1", "gh:practice": {"v": 1, "x": %s}}'
    try:
        document = read(raw % number.encode())
    except Malformed:
        document = None
    if document is not None:
        # A number too large for any is read as infinite, and refused as such.
        with pytest.raises(Invalid, match="gh:practice"):
            from_wire(
                parse_post(article(WIRE | document["gh:practice"])),
                "https://state.example.gov/f/permits",
            )
    with pytest.raises(Invalid) as refused:
        record_of({**FORM, "outcomes.1.actual.value": number})
    assert list(refused.value.fields) == ["outcomes.1.actual.value"]


def outcome(before: float, after: float, unit: str = "days") -> Outcome:
    said = {"indicator": "Days", "unit": unit, "direction": "down",
            "baseline": {"value": before}, "actual": {"value": after}}  # fmt: skip
    document = {"v": 1, "name": "x", "summary": "x", "outcomes": [said]}
    return record.parse(document).outcomes[0]


def test_a_baseline_of_nothing_gives_no_share_and_other_units_are_not_compared() -> None:
    change = change_of(outcome(0, 5))
    assert change is not None
    assert change.absolute == 5
    assert change.relative is None
    assert change.interval is None
    report = {"v": 1, "of": "https://x.example/p/1", "outcomes": [
        {"indicator": "Days", "unit": "hours", "direction": "down",
         "baseline": {"value": 500}, "actual": {"value": 300}}]}  # fmt: skip
    said = reporting.parse(report)
    originals = [outcome(21, 12.6)]
    with pytest.raises(Invalid) as refused:
        reporting.must_compare(said, originals)
    assert "counts this in days" in refused.value.fields["outcomes.0.unit"]
    assert reporting.comparable(said, originals) == []
