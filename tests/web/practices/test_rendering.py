# SPDX-License-Identifier: Apache-2.0
"""Whatever record was let in can be shown, each number as it is."""

import json
import re
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from server.practices import record
from server.practices.change import shown
from server.practices.rendering import rendered
from tests.server.practices import strategies
from web import templates
from web.practices.figures import figures
from web.practices.showing import of_record

_NUMBER = re.compile(r'\b(?:x|x1|width)="([^"]*)"')


def page(document: dict[str, Any]) -> str:
    """The body of the page of a practice."""
    read = record.parse(document)
    parts = json.loads(rendered(read))
    values = of_record(read, parts, "City of Lakeside")
    return templates.render("practices/body.html", pictures=None, citation="", **values)


@given(strategies.practices)
def test_any_practice_can_be_shown(document: dict[str, Any]) -> None:
    html = page(document)
    assert "<script" not in html
    assert "nan" not in html.lower() or "nan" in json.dumps(document).lower()
    for value in _NUMBER.findall(html):
        assert -1 <= float(value) <= 361, value


@given(strategies.numbers, strategies.numbers, st.none() | strategies.numbers)
def test_bars_and_cells_tell_the_same_numbers(
    before: float, after: float, target: float | None
) -> None:
    document = {
        "v": 1, "name": "n", "summary": "s",
        "outcomes": [{"indicator": "i", "unit": "u", "direction": "up",
                      "baseline": {"value": before}, "actual": {"value": after},
                      **({"target": {"value": target}} if target is not None else {})}],
    }  # fmt: skip
    (found,) = figures(record.parse(document))
    told = {"before": before, "target": target, "after": after}
    assert {bar.name: bar.value for bar in found.bars} == {
        name: shown(value) for name, value in told.items() if value is not None
    }
    assert (found.before, found.after) == (f"{shown(before)} u", f"{shown(after)} u")
    for bar in found.bars:
        assert 0 <= bar.x <= 360
        assert 0 < bar.width <= 360
    widths = {bar.name: bar.width for bar in found.bars}
    if before >= 0 and after >= 0:
        assert (widths["after"] >= widths["before"]) is (after >= before) or (
            abs(widths["after"] - widths["before"]) < 1
        )


def test_a_hostile_text_stays_text() -> None:
    hostile = '<script>alert(1)</script> [x](javascript:alert(1)) "onload="x'
    document = {
        "v": 1, "name": hostile[:100], "summary": hostile, "problem": hostile, "contact": hostile,
        "steps": [{"title": hostile, "text": hostile, "role": hostile, "pitfall": hostile}],
        "outcomes": [{"indicator": hostile, "unit": hostile[:40], "direction": "up",
                      "baseline": {"value": 1}, "actual": {"value": 2}}],
    }  # fmt: skip
    html = page(document)
    assert "<script" not in html
    assert 'href="javascript' not in html
    assert not re.search(r'<[^>]*"onload=', html)
