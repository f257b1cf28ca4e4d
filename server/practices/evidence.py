# SPDX-License-Identifier: Apache-2.0
"""The evidence ladder: a step for each practice, moved by rule both ways.

Pure: it is given the record and what others said of it, as plain rows, and answers the step, the
reasons for it and what is missing for the next. Every reader's instance computes it for itself;
only *reviewed* may rest on what the practice's home states (`Stated`), and is labelled so.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import IntEnum

from server.practices.change import Verdict, change_of
from server.practices.record import Outcome, Record

STEPS_NEEDED = 3
REVIEWERS_NEEDED = 2
AGENCIES_NEEDED = 2
SITES_NEEDED = 3


class Step(IntEnum):
    """How well a practice is proved; each stands on all below it."""

    IDEA = 0
    DESCRIBED = 1
    MEASURED = 2
    REVIEWED = 3
    REPLICATED = 4
    BY_SEVERAL = 5

    @property
    def label(self) -> str:
        return LABELS[self]


LABELS = {
    Step.IDEA: "Idea",
    Step.DESCRIBED: "Described",
    Step.MEASURED: "Measured",
    Step.REVIEWED: "Reviewed",
    Step.REPLICATED: "Replicated",
    Step.BY_SEVERAL: "Replicated by several",
}


@dataclass(frozen=True)
class Review:
    """One reviewer's decided review; `reviewer` tells people apart and may be a pseudonym."""

    reviewer: str
    agency: str
    accepted: bool
    at: datetime


@dataclass(frozen=True)
class Stated:
    """What the home says of its reviews: accepted by how many reviewers and agencies, when.

    `against` are the reviewers who did not recommend it.
    """

    reviewers: int
    agencies: int
    at: datetime
    against: int = 0


@dataclass(frozen=True)
class Replication:
    """Another agency's report, with its own numbers; one that was withdrawn counts no more."""

    agency: str
    outcomes: tuple[Outcome, ...]
    withdrawn: bool = False


@dataclass(frozen=True)
class Grounds:
    """Everything that the step is computed from.

    `period` is how long a review holds; `withdrawn` the reason, if it was withdrawn, and
    `by_stewards` whether those who look after its forum did it.
    """

    record: Record
    agency: str
    now: datetime
    period: timedelta
    reviews: Sequence[Review] = ()
    stated: Stated | None = None
    replications: Sequence[Replication] = ()
    withdrawn: str = ""
    by_stewards: bool = False


@dataclass(frozen=True)
class Standing:
    """The step, why it is that one, and all that is missing for the next (none at the top)."""

    step: Step
    because: tuple[str, ...]
    missing: tuple[str, ...]
    is_stated: bool = False


@dataclass
class _Finding:
    """Whether one step's own demands are met: the reason, or what is missing."""

    reasons: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    is_stated: bool = False


def stand(grounds: Grounds) -> Standing:
    """Where a practice stands on the ladder."""
    if grounds.withdrawn:
        return Standing(
            Step.IDEA,
            (f"It was withdrawn: {grounds.withdrawn}",),
            (
                "The stewards of its forum have to take that back."
                if grounds.by_stewards
                else "Its author has to publish it again.",
            ),
        )
    step, because, is_stated = Step.IDEA, ["It has a title and a summary."], False
    for wanted, judge in _JUDGES:
        finding = judge(grounds)
        if finding.missing:
            because += _ahead(grounds, wanted)
            return Standing(step, tuple(because), tuple(finding.missing), is_stated)
        step = wanted
        because += finding.reasons
        is_stated = is_stated or finding.is_stated
    return Standing(step, tuple(because), (), is_stated)


def until(grounds: Grounds, *looked_over: datetime) -> datetime | None:
    """When one of its reviews, or of these moments, will be too old; None where nothing will."""
    moments = [*looked_over, *(review.at for review in grounds.reviews)]
    if grounds.stated is not None:
        moments.append(grounds.stated.at)
    ends = (moment + grounds.period for moment in moments)
    # At that very moment it still holds.
    return min((end + timedelta.resolution for end in ends if end >= grounds.now), default=None)


def _ahead(grounds: Grounds, lacking: Step) -> list[str]:
    """What is proved already and counts once the step that is lacking is taken."""
    if lacking >= Step.REPLICATED:
        return []
    return [
        reason.rstrip(".") + f", which counts once it is {lacking.label.lower()}."
        for reason in _replicated(grounds).reasons
    ]


def _described(grounds: Grounds) -> _Finding:
    record, finding = grounds.record, _Finding()
    if not record.problem:
        finding.missing.append("Describe the problem.")
    if not record.solution:
        finding.missing.append("Describe the solution.")
    if len(record.steps) < STEPS_NEEDED:
        finding.missing.append(
            f"Give at least {STEPS_NEEDED} steps: there {_are(len(record.steps), 'is', 'are')}."
        )
    if not record.license:
        finding.missing.append("Choose a licence, so that others may use it.")
    finding.reasons.append(f"Problem, solution, {len(record.steps)} steps and a licence are given.")
    return finding


def _are(count: int, one: str, many: str) -> str:
    return f"{one if count == 1 else many} {count or 'none'}"


def _measured(grounds: Grounds) -> _Finding:
    outcomes = grounds.record.outcomes
    measured = [outcome for outcome in outcomes if outcome.is_measured]
    if measured:
        names = _listed(outcome.indicator for outcome in measured)
        return _Finding([f"Measured before and after, with dates and counts: {names}."])
    if not outcomes:
        return _Finding(missing=["Give one outcome, with its value before and after."])
    best = min((_gaps(outcome) for outcome in outcomes), key=len)
    return _Finding(missing=best)


def _gaps(outcome: Outcome) -> list[str]:
    """What one outcome lacks to count as measured."""
    found = []
    for name, point in (("baseline", outcome.baseline), ("actual value", outcome.actual)):
        if point.value is None:
            found.append(f"{outcome.indicator}: give the {name}, its date and how many.")
            continue
        if not point.date:
            found.append(f"{outcome.indicator}: say when the {name} was taken.")
        if point.n is None:
            found.append(f"{outcome.indicator}: say how many were counted for the {name}.")
    if not outcome.direction:
        found.append(f"{outcome.indicator}: say whether lower or higher is better.")
    return found


def _listed(names: Iterable[str], most: int = 3) -> str:
    found = list(dict.fromkeys(names))
    more = f" and {len(found) - most} more" if len(found) > most else ""
    return ", ".join(found[:most]) + more


def _reviewed(grounds: Grounds) -> _Finding:
    oldest = grounds.now - grounds.period
    latest = _latest(grounds.reviews)
    if not latest and grounds.stated is not None:
        return _stated(grounds.stated, oldest)
    fresh = [review for review in latest if review.at >= oldest]
    accepting = [review for review in fresh if review.accepted]
    against = len(fresh) - len(accepting)
    agencies = {review.agency.casefold() for review in accepting}
    if len(accepting) >= REVIEWERS_NEEDED and len(agencies) >= AGENCIES_NEEDED:
        if len(accepting) > against:
            last = max(review.at for review in accepting)
            return _Finding(
                [
                    f"Accepted by {len(accepting)} reviewers of {len(agencies)} agencies,"
                    f" last on {last:%-d %B %Y}."
                ]
            )
        return _Finding(missing=[f"More reviewers have to accept it than the {against} against."])
    if len(fresh) < len(latest) and not fresh:
        return _Finding(missing=["Its review is too old: have it reviewed again."])
    return _Finding(
        missing=[
            f"Have it accepted by {REVIEWERS_NEEDED} reviewers of {AGENCIES_NEEDED} agencies:"
            f" so far {len(accepting)} of {len(agencies)}."
        ]
    )


def _latest(reviews: Iterable[Review]) -> list[Review]:
    """The last review of each reviewer; of two at the same moment the one against."""
    found: dict[str, Review] = {}
    for review in sorted(reviews, key=lambda one: (one.at, not one.accepted, one.agency)):
        found[review.reviewer] = review
    return list(found.values())


def _stated(stated: Stated, oldest: datetime) -> _Finding:
    if stated.at < oldest:
        return _Finding(missing=["Its review is too old: have it reviewed again."])
    if stated.reviewers < REVIEWERS_NEEDED or stated.agencies < AGENCIES_NEEDED:
        return _Finding(
            missing=[f"Its home states {stated.reviewers} reviewers of {stated.agencies} agencies."]
        )
    if stated.reviewers <= stated.against:
        return _Finding(
            missing=[f"More reviewers have to accept it than the {stated.against} against."]
        )
    return _Finding(
        [
            f"Its home states that {stated.reviewers} reviewers of {stated.agencies} agencies"
            f" accepted it on {stated.at:%-d %B %Y}."
        ],
        is_stated=True,
    )


def sites(grounds: Grounds) -> tuple[set[str], set[str]]:
    """The other agencies whose reports went the wanted way, and those whose did not.

    A report counts by its outcomes of the practice's own indicators and units; an agency that
    reported several times counts by whether more of them went well than not.
    """
    wanted = {(o.indicator.casefold(), o.unit.casefold()): o for o in grounds.record.outcomes}
    balance: dict[str, int] = {}
    for report in grounds.replications:
        agency = report.agency.casefold()
        if report.withdrawn or not agency or agency == grounds.agency.casefold():
            continue
        for outcome in report.outcomes:
            original = wanted.get((outcome.indicator.casefold(), outcome.unit.casefold()))
            change = change_of(outcome)
            if original is None or change is None or outcome.direction != original.direction:
                continue
            way = {Verdict.BETTER: 1, Verdict.WORSE: -1, Verdict.SAME: -1}.get(change.verdict, 0)
            balance[agency] = balance.get(agency, 0) + way
    well = {agency for agency, sum_of in balance.items() if sum_of > 0}
    return well, set(balance) - well


def _replicated(grounds: Grounds) -> _Finding:
    well, not_well = sites(grounds)
    if well and len(well) > len(not_well):
        return _Finding([f"Worked at {_are_agencies(len(well))} as well{_but(len(not_well))}."])
    if not_well:
        return _Finding(
            missing=[
                f"It worked at {_are_agencies(len(well))} and not at {len(not_well)}:"
                " more have to report that it works."
            ]
        )
    return _Finding(
        missing=["Another agency has to report the same outcome, in the same unit, going the"
                 " wanted way."]
    )  # fmt: skip


def _are_agencies(count: int) -> str:
    return "1 other agency" if count == 1 else f"{count} other agencies"


def _but(count: int) -> str:
    return f", not at {count}" if count else ""


def _by_several(grounds: Grounds) -> _Finding:
    well, _ = sites(grounds)
    if len(well) >= SITES_NEEDED:
        return _Finding([f"That is {SITES_NEEDED} or more."])
    return _Finding(missing=[f"{SITES_NEEDED} agencies have to report it: so far {len(well)}."])


_JUDGES = (
    (Step.DESCRIBED, _described),
    (Step.MEASURED, _measured),
    (Step.REVIEWED, _reviewed),
    (Step.REPLICATED, _replicated),
    (Step.BY_SEVERAL, _by_several),
)
