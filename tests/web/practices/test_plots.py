# SPDX-License-Identifier: Apache-2.0
"""The picture of what changed at each agency, on fixed examples."""

from typing import Any

from server.practices import record
from server.practices.record import Outcome
from web.practices.plots import EDGE, WIDTH, plot


def outcome(before: float, after: float, **members: Any) -> Outcome:
    """Days, of which fewer are better, unless `members` say otherwise."""
    n, m, spread = members.pop("n", 400), members.pop("m", 400), members.pop("sd", None)
    sides: dict[str, Any] = {
        "baseline": {"value": before, "n": n},
        "actual": {"value": after, "n": m},
    }
    if spread is not None:
        for side, sd in zip(sides.values(), spread, strict=True):
            side["sd"] = sd
    said = {"indicator": "Days", "unit": "days", "direction": "down", **sides, **members}
    document = {"v": 1, "name": "x", "summary": "x", "outcomes": [said]}
    return record.parse(document).outcomes[0]


def test_each_agency_stands_where_its_change_is_and_the_words_say_which_way() -> None:
    found = plot(
        [
            ("City of Lakeside", outcome(21, 12.6)),
            ("City of Riverton", outcome(30, 24, m=12)),
            ("Department of Rather Long Names", outcome(20, 22.1)),
            ("Without numbers", Outcome(indicator="Days", unit="days", direction="down")),
        ]
    )
    assert found is not None
    assert [row.value for row in found.rows] == [
        "−8.4 days (−40 %)", "−6 days (−20 %)", "+2.1 days (+10.5 %)",
    ]  # fmt: skip
    room = WIDTH - 2 * EDGE
    assert [row.x for row in found.rows] == [
        EDGE, round(EDGE + 2.4 / 10.5 * room, 1), EDGE + room,
    ]  # fmt: skip
    assert found.zero == round(EDGE + 8.4 / 10.5 * room, 1)
    assert [(row.tone, row.few, row.low) for row in found.rows] == [
        ("good", False, None), ("good", True, None), ("bad", False, None),
    ]  # fmt: skip
    assert found.rows[2].name == "Department of Rather Long…"
    assert (found.better, found.unit) == ("left", "days")
    assert found.sentence == (
        "Of 3 agencies it went better at 2, worse at 1. The changes lie between −40 % and +10.5 %."
    )


def test_intervals_are_those_of_proportions_and_of_means_with_a_spread_only() -> None:
    share = {"unit": "%", "direction": "up", "statistic": "proportion"}
    # Newcombe 1998, table II (a): 56/70 and 48/80 differ by 0.2, from 0.0524 to 0.3339.
    found = plot(
        [
            ("A", outcome(60, 80, n=80, m=70, **share)),
            ("B", outcome(60, 60, n=80, m=80, **share)),
        ]
    )
    assert found is not None
    first, second = found.rows
    assert second.low is not None
    assert (first.value, found.unit) == ("+20 points (+33.3 %)", "percentage points")
    scale = (first.x - found.zero) / 20
    assert first.low is not None
    assert first.high is not None
    assert abs((first.low - found.zero) / scale - 5.24) < 0.05
    assert abs((first.high - found.zero) / scale - 33.39) < 0.05
    assert (found.better, second.tone) == ("right", "")
    assert "better at 1, unchanged at 1" in found.sentence
    means = plot(
        [
            ("A", outcome(14.2, 13.8, n=26, m=28, sd=(5.1, 5.6), statistic="mean")),
            ("B", outcome(14.2, 13.8, statistic="mean")),
        ]
    )
    assert means is not None
    assert [row.low is None for row in means.rows] == [False, True]


def test_a_baseline_of_zero_gives_no_share_and_one_agency_no_picture() -> None:
    found = plot([("A", outcome(0, 5)), ("B", outcome(0, 0))])
    assert found is not None
    assert [row.value for row in found.rows] == ["+5 days", "0 days"]
    assert found.sentence == "Of 2 agencies it went worse at 1, unchanged at 1."
    same = plot([("A", outcome(21, 12.6)), ("B", outcome(10, 6))])
    assert same is not None
    assert same.sentence == "Of 2 agencies it went better at 2. The change is −40 % at each."
    flat = plot([("A", outcome(3, 3)), ("B", outcome(3, 3))])
    assert flat is not None
    assert {row.x for row in flat.rows} == {WIDTH / 2}
    assert plot([("A", outcome(21, 12.6))]) is None
