# SPDX-License-Identifier: Apache-2.0
"""What numbers say: fixed examples, and what holds for all of them."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.practices.change import (
    Verdict,
    change_of,
    newcombe,
    percent,
    rounded,
    shown,
    student,
    wilson,
)
from server.practices.record import Outcome
from server.records.values import Faults
from tests.server.practices import strategies


def outcome(before: Any, after: Any, **members: Any) -> Outcome:
    """An outcome with these two values; points may be given as objects."""
    points = {
        name: value if isinstance(value, dict) else {"value": value}
        for name, value in (("baseline", before), ("actual", after))
    }
    document = {"indicator": "Days", "unit": "days", "direction": "down", **points, **members}
    found = Faults()
    read = Outcome.parse(document, "", found)
    assert not found.found
    return read


@pytest.mark.parametrize(
    ("before", "after", "direction", "by", "share", "verdict"),
    [
        (21, 12.6, "down", "−8.4", "−40 %", Verdict.BETTER),
        (18.5, 11.8, "down", "−6.7", "−36.2 %", Verdict.BETTER),
        (30.2, 27.9, "down", "−2.3", "−7.6 %", Verdict.BETTER),
        (12.6, 21, "down", "+8.4", "+66.7 %", Verdict.WORSE),
        (40, 50, "up", "+10", "+25 %", Verdict.BETTER),
        (-4, -2, "up", "+2", "+50 %", Verdict.BETTER),
        (-4, -6, "up", "−2", "−50 %", Verdict.WORSE),
        (0.1, 0.3, "up", "+0.2", "+200 %", Verdict.BETTER),
        (5, 5, "down", "0", "0 %", Verdict.SAME),
        (5, 4, "none", "−1", "−20 %", Verdict.NEITHER),
    ],
)
def test_the_change_and_its_direction(
    before: float, after: float, direction: str, by: str, share: str, verdict: Verdict
) -> None:
    change = change_of(outcome(before, after, direction=direction))
    assert change is not None
    assert change.relative is not None
    assert shown(change.absolute, signed=True) == by
    assert percent(change.relative) == share
    assert change.verdict is verdict
    assert change.interval is None


def test_of_a_baseline_of_nothing_there_is_only_the_absolute_change() -> None:
    change = change_of(outcome(0, 12, direction="up"))
    assert change is not None
    assert change.absolute == 12
    assert change.relative is None
    assert change.verdict is Verdict.BETTER


def test_without_both_values_there_is_no_change() -> None:
    assert change_of(outcome(21, {})) is None
    assert change_of(outcome({}, 12)) is None


@pytest.mark.parametrize(
    ("target", "direction", "reached"),
    [(14, "down", True), (12.6, "down", True), (12, "down", False), (12, "up", True)],
)
def test_whether_the_target_is_met(target: float, direction: str, reached: bool) -> None:
    change = change_of(outcome(21, 12.6, direction=direction, target={"value": target}))
    assert change is not None
    assert change.reached is reached


def test_few_cases_are_said_to_be_few() -> None:
    for n, few in (((29, 400), True), ((400, 29), True), ((30, 30), False)):
        points = [{"value": value, "n": count} for value, count in zip((21, 12), n, strict=True)]
        change = change_of(outcome(*points))
        assert change is not None
        assert change.few is few
    assert not getattr(change_of(outcome(21, 12)), "few", True)


def test_newcombe_as_published() -> None:
    """Newcombe 1998, table II, method 10: 56/70 − 48/80, 9/10 − 3/10, 6/7 − 2/7, 10/10 − 0/10."""
    for one, other, low, high in (
        ((56, 70), (48, 80), 0.0524, 0.3339),
        ((9, 10), (3, 10), 0.1705, 0.8090),
        ((6, 7), (2, 7), 0.0582, 0.8062),
        ((10, 10), (0, 10), 0.6075, 1.0),
        ((5, 56), (0, 29), -0.0381, 0.1926),
    ):
        found = newcombe(one[0] / one[1], one[1], other[0] / other[1], other[1])
        assert list(found) == pytest.approx([low, high], abs=1e-4)


def test_a_proportion_has_an_interval_in_percentage_points() -> None:
    read = outcome(
        {"value": 60, "n": 80}, {"value": 80, "n": 70},
        unit="%", statistic="proportion", direction="up",
    )  # fmt: skip
    change = change_of(read)
    assert change is not None
    assert change.interval is not None
    assert rounded(change.interval.low, signed=True) == "+5.24"
    assert rounded(change.interval.high, signed=True) == "+33.4"


def test_a_mean_has_an_interval_where_its_spread_is_given() -> None:
    before, after = {"value": 21, "n": 40, "sd": 8}, {"value": 12.6, "n": 40, "sd": 6}
    change = change_of(outcome(before, after, statistic="mean"))
    assert change is not None
    assert change.interval is not None
    # Welch: standard error 1.581, 72.33 degrees of freedom, t = 1.993.
    assert change.interval.low == pytest.approx(-11.552, abs=2e-3)
    assert change.interval.high == pytest.approx(-5.248, abs=2e-3)
    for lacking in ("n", "sd"):
        less = {name: value for name, value in before.items() if name != lacking}
        change = change_of(outcome(less, after, statistic="mean"))
        assert change is not None
        assert change.interval is None
    change = change_of(outcome({**before, "n": 1}, after, statistic="mean"))
    assert change is not None
    assert change.interval is None


@pytest.mark.parametrize(
    ("freedom", "t"), [(1, 12.706), (2, 4.303), (5, 2.571), (10, 2.228), (30, 2.042), (120, 1.980)]
)
def test_student_as_in_the_tables(freedom: float, t: float) -> None:
    assert student(freedom) == pytest.approx(t, rel=1e-3)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (1204, "1,204"), (12.6, "12.6"), (-0.25, "−0.25"), (0, "0"), (-0.0, "0"),
        (1e15, "1,000,000,000,000,000"), (0.00001, "0.00001"), (1e-12, "1.000E-12"),
        (140000.5, "140,000.5"),
    ],
)  # fmt: skip
def test_a_number_is_shown_as_it_was_given(value: float, words: str) -> None:
    assert shown(value) == words


@given(st.floats(0, 1), st.integers(1, 10**6), st.floats(0, 1), st.integers(1, 10**6))
def test_an_interval_holds_the_difference(one: float, n: int, other: float, m: int) -> None:
    low, high = newcombe(one, n, other, m)
    assert -1 <= low <= one - other + 1e-9
    assert one - other - 1e-9 <= high <= 1
    inner = wilson(one, n)
    assert 0 <= inner[0] <= inner[1] <= 1


@given(strategies.outcomes)
def test_every_change_is_a_finite_number_with_a_direction(document: dict[str, Any]) -> None:
    read = Outcome.parse(document, "", Faults())
    change = change_of(read)
    assert change is not None
    assert change.absolute.is_finite()
    before, after = read.baseline.value, read.actual.value
    assert before is not None
    assert after is not None
    assert (change.relative is None) is (before == 0)
    if change.relative is not None:
        assert percent(change.relative).endswith(" %")
        assert (change.relative > 0) is (after > before)
    assert (change.verdict is Verdict.BETTER) is (
        (read.direction == "up" and after > before) or (read.direction == "down" and after < before)
    )
    assert Decimal(shown(before).replace(",", "").replace("−", "-")) is not None
