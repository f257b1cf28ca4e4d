# SPDX-License-Identifier: Apache-2.0
"""Sections, differences, fit and merges: what is made of records."""

from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from server import text
from server.practices import comparing, prose, record
from server.practices.fit import Profile, Site, fit
from server.practices.merging import Clash, merge
from server.practices.record import Condition, Setting
from tests.server.practices import strategies
from tests.server.practices.test_record import PERMITS, changed


def test_a_practice_reads_well_as_markdown() -> None:
    words = prose.markdown(record.parse(PERMITS))
    assert words.startswith(PERMITS["summary"])
    assert "## What was done" in words
    assert "### 2. Write the checks" in words
    assert (
        "Days from filing to permit: before 21 days, target 14 days, after 12.6 days"
        " (−40 %; lower is better)"
    ) in words
    assert "- Electronic payment (needed)" in words
    assert "**To begin:** USD 140,000" in words


def test_a_baseline_of_nothing_is_told_without_a_share() -> None:
    read = record.parse(changed("outcomes.0.baseline.value", 0))
    assert "(+12.6 days; lower is better)" in prose.outcome_line(read.outcomes[0])


@given(strategies.practices)
def test_any_practice_reads_as_safe_text(document: dict[str, Any]) -> None:
    read = record.parse(document)
    assert "<script" not in text.render(prose.markdown(read)[: text.MAX_SOURCE])
    assert comparing.differences(read, read) == []


def test_only_the_sections_that_differ_are_told() -> None:
    old = record.parse(PERMITS)
    new = record.parse(changed("outcomes.0.actual.value", 11))
    new = replace(new, not_worked=())
    assert comparing.changed_sections(old, new) == ["outcomes", "not-worked"]
    first, second = comparing.differences(old, new)
    assert tuple(c.kind for c in first.changes if c.kind != "same")[:2] == ("removed", "added")
    assert [(c.kind, c.text) for c in second.changes] == [
        ("removed", "- Refusing scanned drawings outright.")
    ]


LAKESIDE = Site("City of Lakeside", Setting(country="US", level="city", population_band="50k-499k"))
HARBOR = Site("Harbor County", Setting(country="US", level="county"))


def test_a_place_is_compared_point_by_point() -> None:
    ours = Profile("US", "county", "10k-49k", "", ("e-payment",))
    conditions = [Condition("E-payment", True), Condition("A lawyer", True), Condition("Time")]
    found = fit(ours, [LAKESIDE, HARBOR], conditions)
    assert [(p.what, p.sites) for p in found.matches] == [
        ("Country", ("City of Lakeside", "Harbor County")),
        ("Level of government", ("Harbor County",)),
    ]
    assert [(p.what, p.ours, p.theirs) for p in found.differs] == [
        ("Population", "10,000–49,999", "50,000–499,999")
    ]
    assert found.unknown == ("Kind of area",)
    assert (found.present, found.missing) == (("E-payment",), ("A lawyer",))


def test_of_a_place_that_says_nothing_nothing_is_known() -> None:
    found = fit(Profile(), [LAKESIDE], [])
    assert (found.matches, found.differs) == ((), ())
    assert len(found.unknown) == 4


def test_two_people_s_changes_are_put_together() -> None:
    base = {"name": "A", "summary": "B", "problem": "C"}
    mine = {"name": "A1", "summary": "B", "problem": "C1"}
    theirs = {"name": "A", "summary": "B1", "problem": "C2"}
    found = merge(base, mine, theirs)
    assert found.values == {"name": "A1", "summary": "B1", "problem": "C1"}
    assert found.clashes == {"problem": Clash("C1", "C2")}


fields = st.dictionaries(st.sampled_from("abc"), st.sampled_from(["", "x", "y", "z"]))


@given(fields, fields, fields)
def test_a_merge_loses_nothing(
    base: dict[str, str], mine: dict[str, str], theirs: dict[str, str]
) -> None:
    found = merge(base, mine, theirs)
    for name in {*base, *mine, *theirs}:
        sides = [side.get(name, "") for side in (base, mine, theirs)]
        was, is_mine, is_theirs = sides
        changed_by = {side for side in (is_mine, is_theirs) if side != was}
        told = {found.values[name]}
        if name in found.clashes:
            told |= {found.clashes[name].mine, found.clashes[name].theirs}
        assert changed_by <= told
        assert (name in found.clashes) is (len(changed_by) == 2)
        if not changed_by:
            assert told == {was}
