# SPDX-License-Identifier: Apache-2.0
"""The numbers of outcomes as pages show them: a table row and its bars."""

from dataclasses import dataclass
from decimal import Decimal

from server.practices.change import FEW, Change, Verdict, change_of, exact, percent, rounded, shown
from server.practices.prose import measured
from server.practices.record import Outcome, Point, Record

WIDTH = 360
LABELS = 64
VALUES = 96
BAR = 20
GAP = 8


@dataclass(frozen=True)
class Bar:
    """One bar: where it stands in the picture, and its number in words."""

    name: str
    label: str
    value: str
    x: float
    y: int
    width: float


@dataclass(frozen=True)
class Figure:
    """An outcome in words, with its bars where there is more than one number."""

    outcome: Outcome
    before: str
    target: str
    after: str
    change: str
    verdict: str
    tone: str
    reached: str
    interval: str
    notes: tuple[str, ...]
    bars: tuple[Bar, ...]
    zero: float
    height: int
    summary: str


_VERDICTS = {
    Verdict.BETTER: ("better", "good"),
    Verdict.WORSE: ("worse", "bad"),
    Verdict.SAME: ("no change", ""),
    Verdict.NEITHER: ("", ""),
}


def figures(record: Record) -> list[Figure]:
    """Every outcome of a record."""
    return [figure(outcome) for outcome in record.outcomes]


def figure(outcome: Outcome) -> Figure:
    """One outcome."""
    change = change_of(outcome)
    before, target, after = (
        measured(point, outcome.unit)
        for point in (outcome.baseline, outcome.target, outcome.actual)
    )
    verdict, tone = _VERDICTS[change.verdict] if change else ("", "")
    by = _by(change, outcome.unit) if change else ""
    bars, zero = _bars(outcome)
    told = [("before", before), ("target", target), ("after", after), ("change", by)]
    summary = ", ".join(f"{words} {value}" for words, value in told if value)
    return Figure(
        outcome=outcome,
        before=before,
        target=target,
        after=after,
        change=by,
        verdict=verdict,
        tone=tone,
        reached=_reached(change),
        interval=_interval(change, outcome),
        notes=tuple(_notes(outcome, change)),
        bars=bars,
        zero=zero,
        height=len(bars) * (BAR + GAP) + GAP,
        summary=f"{outcome.indicator}: {summary}",
    )


def _by(change: Change, unit: str) -> str:
    if change.relative is not None:
        return percent(change.relative)
    return f"{shown(change.absolute, signed=True)} {unit}".strip()


def _reached(change: Change | None) -> str:
    if change is None or change.reached is None:
        return ""
    return "target met" if change.reached else "target not met"


def _interval(change: Change | None, outcome: Outcome) -> str:
    if change is None or change.interval is None:
        return ""
    unit = "percentage points" if outcome.statistic == "proportion" else outcome.unit
    low, high = (rounded(end, signed=True) for end in (change.interval.low, change.interval.high))
    return f"{low} to {high} {unit} (95 % interval, {change.interval.method})"


def _notes(outcome: Outcome, change: Change | None) -> list[str]:
    found = []
    for words, point in (("before", outcome.baseline), ("after", outcome.actual)):
        taken = _taken(point)
        if taken:
            found.append(f"{words}: {taken}")
    if change is not None and change.few:
        found.append(f"small sample: fewer than {FEW} on one side, so this may be chance")
    if change is not None and change.relative is None:
        found.append("no share can be given of a baseline of 0")
    return found


def _taken(point: Point) -> str:
    parts = [point.date]
    parts += [f"n = {shown(point.n)}"] if point.n is not None else []
    parts += [f"standard deviation {shown(point.sd)}"] if point.sd is not None else []
    return ", ".join(filter(None, parts))


def _bars(outcome: Outcome) -> tuple[tuple[Bar, ...], float]:
    """A bar for each number from zero on, all on one scale; and where zero is."""
    points = [
        (name, label, exact(point.value))
        for name, label, point in (
            ("before", "Before", outcome.baseline),
            ("target", "Target", outcome.target),
            ("after", "After", outcome.actual),
        )
        if point.value is not None
    ]
    if len(points) < 2:
        return (), 0.0
    low = min(Decimal(0), *(value for _, _, value in points))
    high = max(Decimal(0), *(value for _, _, value in points))
    span = high - low
    room = WIDTH - LABELS - VALUES

    def at(value: Decimal) -> float:
        return round(LABELS + float((value - low) / span) * room, 1) if span else float(LABELS)

    zero = at(Decimal(0))
    bars = tuple(
        Bar(
            name=name,
            label=label,
            value=shown(value),
            x=min(zero, at(value)),
            y=GAP + number * (BAR + GAP),
            width=max(1.0, round(abs(at(value) - zero), 1)),
        )
        for number, (name, label, value) in enumerate(points)
    )
    return bars, zero
