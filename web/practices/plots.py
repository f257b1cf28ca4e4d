# SPDX-License-Identifier: Apache-2.0
"""What changed at each agency, as one picture: a forest plot."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from server.practices.change import Change, Verdict, change_of, exact, percent, shown
from server.practices.record import Outcome

WIDTH = 360
EDGE = 12
ROW = 44
FOOT = 24
MOST_ROWS = 12
LONGEST_NAME = 26


@dataclass(frozen=True)
class Row:
    """One agency: where its change stands, its interval if it has one, and both in words."""

    name: str
    value: str
    y: int
    x: float
    low: float | None
    high: float | None
    few: bool
    tone: str


@dataclass(frozen=True)
class Plot:
    """The changes of one outcome on one scale, in its unit, and what they come to in words.

    `better` is the side on which better lies: left, right, or "" where neither is wanted.
    """

    rows: tuple[Row, ...]
    zero: float
    height: int
    better: str
    unit: str
    sentence: str


_TONES = {Verdict.BETTER: "good", Verdict.WORSE: "bad"}
_SIDES = {"down": "left", "up": "right"}


def plot(sites: Sequence[tuple[str, Outcome]]) -> Plot | None:
    """The plot of an outcome at two agencies or more; None where there is nothing to compare."""
    found = [(name, one, change) for name, one in sites if (change := change_of(one)) is not None]
    if len(found) < 2:
        return None
    drawn = found[:MOST_ROWS]
    ends = [end for _, _, change in drawn for end in _ends(change)]
    low, high = min(Decimal(0), *ends), max(Decimal(0), *ends)
    span = high - low

    def at(value: Decimal) -> float:
        room = WIDTH - 2 * EDGE
        return round(EDGE + float((value - low) / span) * room, 1) if span else WIDTH / 2

    rows = []
    for number, (name, one, change) in enumerate(drawn):
        interval = change.interval
        rows.append(
            Row(
                name=name if len(name) <= LONGEST_NAME else name[: LONGEST_NAME - 1] + "…",
                value=_value(change, one.unit),
                y=number * ROW,
                x=at(change.absolute),
                low=at(exact(interval.low)) if interval else None,
                high=at(exact(interval.high)) if interval else None,
                few=change.few,
                tone=_TONES.get(change.verdict, ""),
            )
        )
    first = found[0][1]
    return Plot(
        rows=tuple(rows),
        zero=at(Decimal(0)),
        height=len(rows) * ROW + FOOT,
        better=_SIDES.get(first.direction, ""),
        unit="percentage points" if first.unit == "%" else first.unit,
        sentence=_sentence([change for _, _, change in found], first.direction),
    )


def _ends(change: Change) -> list[Decimal]:
    """The values that the scale has to hold."""
    if change.interval is None:
        return [change.absolute]
    return [change.absolute, exact(change.interval.low), exact(change.interval.high)]


def _value(change: Change, unit: str) -> str:
    # 34 % to 81 % is 47 points more, and 138 % more.
    by = f"{shown(change.absolute, signed=True)} {'points' if unit == '%' else unit}".strip()
    return by if change.relative is None else f"{by} ({percent(change.relative)})"


def _sentence(changes: Sequence[Change], direction: str) -> str:
    """`Better at 2 of 3 agencies, worse at 1. The changes lie between −40 % and +4 %.`"""
    total = len(changes)
    said = ""
    if direction in _SIDES:
        counts = [(words, sum(1 for one in changes if one.verdict == verdict))
                  for words, verdict in (("better", Verdict.BETTER), ("worse", Verdict.WORSE),
                                         ("unchanged", Verdict.SAME))]  # fmt: skip
        told = [f"{words} at {count}" for words, count in counts if count]
        said = f"Of {total} agencies it went {', '.join(told)}. "
    shares = [one.relative for one in changes if one.relative is not None]
    least, most = (percent(min(shares)), percent(max(shares))) if shares else ("", "")
    if least != most:
        said += f"The changes lie between {least} and {most}."
    elif len(shares) > 1:
        said += f"The change is {least} at each."
    return said.strip()
