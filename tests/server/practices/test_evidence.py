# SPDX-License-Identifier: Apache-2.0
"""The ladder: every step up and down, with its reasons."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.practices import record
from server.practices.evidence import Grounds, Replication, Review, Stated, Step, sites, stand
from server.practices.record import Outcome
from server.records.values import Faults

NOW = datetime(2026, 11, 27, tzinfo=UTC)
PERIOD = timedelta(days=730)


def written(**members: Any) -> record.Record:
    """A measured practice of the City of Lakeside, with some members changed."""
    document = {
        "v": 1,
        "name": "Digital permits",
        "summary": "It works.",
        "problem": "They came back.",
        "solution": "A form.",
        "steps": [{"title": title} for title in ("Sort", "Write", "Switch on")],
        "license": "CC-BY-4.0",
        "outcomes": [measured(21, 12.6)],
        **members,
    }
    return record.parse({name: value for name, value in document.items() if value is not None})


def measured(before: float, after: float, **members: Any) -> dict[str, Any]:
    return {
        "indicator": "Days",
        "unit": "days",
        "direction": "down",
        "baseline": {"value": before, "date": "2025-01", "n": 412},
        "actual": {"value": after, "date": "2025-09", "n": 398},
        **members,
    }


def grounds(**given: Any) -> Grounds:
    return Grounds(
        **{
            "record": written(),
            "agency": "City of Lakeside",
            "now": NOW,
            "period": PERIOD,
            **given,
        }
    )


def review(agency: str, *, accepted: bool = True, days: int = 10, who: str = "") -> Review:
    return Review(who or f"{agency}/1", agency, accepted, NOW - timedelta(days=days))


def report(agency: str, before: float = 21, after: float = 12, **members: Any) -> Replication:
    outcome = Outcome.parse(measured(before, after, **members), "", Faults())
    return Replication(agency, (outcome,))


REVIEWED = (review("Riverton"), review("Harbor County"))


@pytest.mark.parametrize(
    ("members", "step", "missing"),
    [
        ({"problem": None}, Step.IDEA, "Describe the problem."),
        ({"solution": None}, Step.IDEA, "Describe the solution."),
        ({"steps": [{"title": "One"}]}, Step.IDEA, "Give at least 3 steps: there is 1."),
        ({"steps": None}, Step.IDEA, "Give at least 3 steps: there are none."),
        ({"license": None}, Step.IDEA, "licence"),
        ({"outcomes": None}, Step.DESCRIBED, "Give one outcome"),
        ({"outcomes": [measured(21, 12, actual={})]}, Step.DESCRIBED, "Days: give the actual"),
        (
            {"outcomes": [measured(21, 12, actual={"value": 12, "n": 4})]},
            Step.DESCRIBED,
            "Days: say when the actual value was taken.",
        ),
        (
            {"outcomes": [measured(21, 12, baseline={"value": 21, "date": "2025"})]},
            Step.DESCRIBED,
            "Days: say how many were counted for the baseline.",
        ),
        ({}, Step.MEASURED, "accepted by 2 reviewers of 2 agencies: so far 0 of 0"),
    ],
)
def test_what_a_practice_says_itself(members: dict[str, Any], step: Step, missing: str) -> None:
    found = stand(grounds(record=written(**members)))
    assert found.step is step
    assert any(missing in line for line in found.missing), found.missing


@pytest.mark.parametrize(
    ("reviews", "step", "said"),
    [
        (
            REVIEWED,
            Step.REVIEWED,
            "Accepted by 2 reviewers of 2 agencies, last on 17 November 2026",
        ),
        (REVIEWED[:1], Step.MEASURED, "so far 1 of 1"),
        ((review("Riverton"), review("riverton", who="2")), Step.MEASURED, "so far 2 of 1"),
        ((*REVIEWED, review("Cascadia", accepted=False)), Step.REVIEWED, "Accepted by 2"),
        (
            (*REVIEWED, review("A", accepted=False), review("B", accepted=False)),
            Step.MEASURED,
            "More reviewers have to accept it than the 2 against",
        ),
        (tuple(review(a, days=731) for a in ("A", "B")), Step.MEASURED, "too old"),
        ((REVIEWED[0], review("Harbor County", days=731)), Step.MEASURED, "so far 1 of 1"),
        # The last word of each reviewer counts.
        ((*REVIEWED, review("Riverton", accepted=False, days=1)), Step.MEASURED, "so far 1 of 1"),
    ],
)
def test_reviews(reviews: tuple[Review, ...], step: Step, said: str) -> None:
    found = stand(grounds(reviews=reviews))
    assert found.step is step
    assert any(said in line for line in (*found.because, *found.missing)), found


def test_elsewhere_only_the_review_is_the_home_s_word_and_says_so() -> None:
    found = stand(grounds(stated=Stated(2, 2, NOW - timedelta(days=3))))
    assert (found.step, found.is_stated) == (Step.REVIEWED, True)
    assert any("Its home states" in line for line in found.because)
    for stated in (Stated(2, 1, NOW), Stated(2, 2, NOW - timedelta(days=731))):
        found = stand(grounds(stated=stated))
        assert (found.step, found.is_stated) == (Step.MEASURED, False)


@pytest.mark.parametrize(
    ("reports", "step", "well", "not_well"),
    [
        ([], Step.REVIEWED, 0, 0),
        ([report("Riverton")], Step.REPLICATED, 1, 0),
        ([report("city of LAKESIDE")], Step.REVIEWED, 0, 0),
        ([report("Riverton", unit="hours")], Step.REVIEWED, 0, 0),
        ([report("Riverton", indicator="Complaints")], Step.REVIEWED, 0, 0),
        ([report("Riverton", direction="up")], Step.REVIEWED, 0, 0),
        ([report("Riverton", 12, 21)], Step.REVIEWED, 0, 1),
        ([report("Riverton", 21, 21)], Step.REVIEWED, 0, 1),
        ([report("Riverton"), report("Harbor", 12, 21)], Step.REVIEWED, 1, 1),
        ([report("Riverton"), report("A"), report("Harbor", 12, 21)], Step.REPLICATED, 2, 1),
        ([report(name) for name in ("A", "B", "C")], Step.BY_SEVERAL, 3, 0),
        ([report(name) for name in ("A", "A", "A")], Step.REPLICATED, 1, 0),
        ([replace(report("A"), withdrawn=True)], Step.REVIEWED, 0, 0),
    ],
)
def test_reports_of_other_agencies(
    reports: list[Replication], step: Step, well: int, not_well: int
) -> None:
    told = grounds(reviews=REVIEWED, replications=reports)
    assert stand(told).step is step
    assert tuple(map(len, sites(told))) == (well, not_well)


def test_a_withdrawal_takes_everything_down() -> None:
    reports = [report(name) for name in ("A", "B", "C")]
    found = stand(grounds(reviews=REVIEWED, replications=reports, withdrawn="step 4 was unsafe."))
    assert found.step is Step.IDEA
    assert "step 4 was unsafe." in found.because[0]


def test_a_stale_review_takes_a_replicated_practice_down() -> None:
    reports = [report(name) for name in ("A", "B", "C")]
    told = grounds(reviews=REVIEWED, replications=reports)
    assert stand(told).step is Step.BY_SEVERAL
    later = replace(told, now=NOW + PERIOD)
    assert stand(later).step is Step.MEASURED
    assert "too old" in stand(later).missing[0]


agencies = st.sampled_from(["A", "B", "C", "D", "City of Lakeside"])
reviews = st.lists(
    st.builds(
        Review,
        st.sampled_from("uvwxyz"),
        agencies,
        st.booleans(),
        st.integers(0, 1000).map(lambda days: NOW - timedelta(days=days)),
    ),
    max_size=6,
)
replications = st.lists(
    st.builds(
        report, agencies, st.integers(1, 30), st.integers(1, 30),
        unit=st.sampled_from(["days", "hours"]),
    ),
    max_size=6,
)  # fmt: skip
records = st.sampled_from(
    [written(), written(problem=None), written(outcomes=None), written(steps=None, license=None)]
)


@given(records, reviews, replications, st.booleans())
def test_the_ladder_is_a_rule(
    read: record.Record,
    told: list[Review],
    reports: list[Replication],
    withdrawn: bool,
) -> None:
    """Each step has reasons, says what is missing unless it is the last, and goes by the rows."""
    ground = grounds(
        record=read, reviews=told, replications=reports, withdrawn="unsafe." if withdrawn else ""
    )
    found = stand(ground)
    assert found.because
    assert bool(found.missing) is (found.step is not Step.BY_SEVERAL)
    assert found == stand(replace(ground, reviews=told[::-1], replications=reports[::-1]))
    if withdrawn:
        assert found.step is Step.IDEA
        return
    well, not_well = sites(ground)
    assert "city of lakeside" not in well | not_well
    if found.step >= Step.REVIEWED:
        # Of two at the same moment the one against counts.
        order = sorted(told, key=lambda one: (one.at, not one.accepted, one.agency))
        latest = {one.reviewer: one for one in order}
        fresh = [one for one in latest.values() if one.accepted and NOW - one.at <= PERIOD]
        assert len({one.agency for one in fresh}) >= 2
    if found.step >= Step.REPLICATED:
        assert len(well) > len(not_well)
    # One more agency that it worked for never takes it down, one that it failed at never up.
    more = replace(ground, replications=[*reports, report("E", 20, 10)])
    less = replace(ground, replications=[*reports, report("E", 10, 20)])
    assert stand(less).step <= found.step <= stand(more).step
    assert stand(replace(ground, reviews=(), stated=None)).step <= found.step


def test_of_two_reviews_at_one_moment_the_one_against_counts() -> None:
    both = [Review("u", "A", accepted, NOW) for accepted in (True, False)]
    found = [stand(grounds(reviews=told)) for told in (both, both[::-1])]
    assert found[0] == found[1]
    assert "so far 0 of 0" in " ".join(found[0].missing)
