# SPDX-License-Identifier: Apache-2.0
"""What an outcome's numbers say: the change, its direction, its interval.

The change is (actual − baseline) / |baseline|; of a baseline of 0 there is only the absolute
one. An interval is given for proportions (Newcombe 1998, "Interval estimation for the difference
between independent proportions", method 10) and for means with standard deviations (Welch 1947),
both at 95 %, and for nothing else.
"""

import math
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from server.practices.record.outcomes import Outcome, Point

Z = 1.959963984540054
"""The 97.5th percentile of the normal distribution."""
FEW = 30
SMALLEST_PLACE = 9
LARGEST_PLACE = 18


class Verdict(StrEnum):
    """Which way it went, against the way that was wanted."""

    BETTER = "better"
    WORSE = "worse"
    SAME = "same"
    NEITHER = "neither"


@dataclass(frozen=True)
class Interval:
    """The 95 % interval of the absolute change, in the outcome's unit, and how it was made."""

    low: float
    high: float
    method: str


@dataclass(frozen=True)
class Change:
    """From baseline to actual: absolute in the unit, relative as a share (−0.4 is −40 %)."""

    absolute: Decimal
    relative: Decimal | None
    verdict: Verdict
    reached: bool | None
    interval: Interval | None
    few: bool


def change_of(outcome: Outcome) -> Change | None:
    """The change of an outcome; None without both numbers.

    `reached` says whether the target is met, None where there is none or no wanted direction;
    `few` that fewer than FEW were counted on either side.
    """
    before, after = outcome.baseline.value, outcome.actual.value
    if before is None or after is None:
        return None
    absolute = exact(after) - exact(before)
    counted = (outcome.baseline.n, outcome.actual.n)
    return Change(
        absolute=absolute,
        relative=absolute / abs(exact(before)) if before else None,
        verdict=_verdict(absolute, outcome.direction),
        reached=_reached(outcome),
        interval=_interval(outcome),
        few=any(n is not None and n < FEW for n in counted),
    )


def exact(value: int | float) -> Decimal:
    """A number as it was written: 12.6 is 12.6, not the double nearest to it."""
    return Decimal(repr(value))


def _verdict(absolute: Decimal, direction: str) -> Verdict:
    if direction not in {"up", "down"}:
        return Verdict.NEITHER
    if absolute == 0:
        return Verdict.SAME
    return Verdict.BETTER if (absolute > 0) == (direction == "up") else Verdict.WORSE


def _reached(outcome: Outcome) -> bool | None:
    target, after = outcome.target.value, outcome.actual.value
    if target is None or after is None or outcome.direction not in {"up", "down"}:
        return None
    return after >= target if outcome.direction == "up" else after <= target


def _interval(outcome: Outcome) -> Interval | None:
    before, after = outcome.baseline, outcome.actual
    if outcome.statistic == "proportion" and outcome.unit == "%":
        return _of_proportions(before, after)
    if outcome.statistic == "mean":
        return _of_means(before, after)
    return None


def _of_proportions(before: Point, after: Point) -> Interval | None:
    if before.value is None or after.value is None or not before.n or not after.n:
        return None
    low, high = newcombe(after.value / 100, after.n, before.value / 100, before.n)
    return Interval(low * 100, high * 100, "Newcombe")


def wilson(share: float, n: int) -> tuple[float, float]:
    """The score interval of one proportion (Wilson 1927)."""
    middle = share + Z * Z / (2 * n)
    half = Z * math.sqrt(max(0.0, share * (1 - share)) / n + Z * Z / (4 * n * n))
    whole = 1 + Z * Z / n
    return max(0.0, (middle - half) / whole), min(1.0, (middle + half) / whole)


def newcombe(share: float, n: int, other: float, m: int) -> tuple[float, float]:
    """The interval of `share - other`, two independent proportions of n and m."""
    (low, high), (other_low, other_high) = wilson(share, n), wilson(other, m)
    apart = share - other
    down = math.hypot(share - low, other_high - other)
    up = math.hypot(high - share, other - other_low)
    return max(-1.0, apart - down), min(1.0, apart + up)


def _of_means(before: Point, after: Point) -> Interval | None:
    if before.value is None or after.value is None or before.sd is None or after.sd is None:
        return None
    if not before.n or not after.n or before.n < 2 or after.n < 2:
        return None
    parts = (after.sd * after.sd / after.n, before.sd * before.sd / before.n)
    spread = sum(parts)
    apart = float(exact(after.value) - exact(before.value))
    if not math.isfinite(spread):
        return None
    if spread == 0:
        return Interval(apart, apart, "Welch")
    weights = (parts[0] / spread) ** 2 / (after.n - 1) + (parts[1] / spread) ** 2 / (before.n - 1)
    half = student(1 / weights) * math.sqrt(spread)
    return Interval(apart - half, apart + half, "Welch")


def student(freedom: float) -> float:
    """The 97.5th percentile of Student's t (Abramowitz and Stegun 26.7.5).

    Off by less than 1 % from 3 degrees of freedom on; below, where the series does not hold,
    the exact values of the whole degree beneath are taken, which are wider.
    """
    if freedom < 3:
        return 4.302653 if freedom >= 2 else 12.706205
    z = Z
    terms = (
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92160,
    )
    return z + sum(term / freedom**power for power, term in enumerate(terms, 1))


def shown(value: Decimal | int | float, *, signed: bool = False) -> str:
    """A number for reading, exactly as it was given: `1,204`, `12.6`, `−8.4`, `+3`."""
    number = value if isinstance(value, Decimal) else exact(value)
    if number == 0:
        return "0"
    extreme = not -SMALLEST_PLACE <= number.adjusted() <= LARGEST_PLACE
    words = f"{abs(number):.3E}" if extreme else f"{abs(number):,f}"
    if "." in words and not extreme:
        words = words.rstrip("0").rstrip(".")
    return f"−{words}" if number < 0 else f"+{words}" if signed else words


def rounded(value: Decimal | float, *, signed: bool = False) -> str:
    """A computed number for reading, with three digits that count: `−0.0524`, `1,240`."""
    number = value if isinstance(value, Decimal) else exact(value)
    if number == 0:
        return "0"
    places = 2 - number.adjusted()
    plain = -2 <= places <= 24
    whole = number.quantize(Decimal(1).scaleb(-max(0, places))) if plain else number
    return shown(whole, signed=signed)


def percent(share: Decimal) -> str:
    """A relative change for reading: `−40 %`, `+4.5 %`, with its direction."""
    number = share * 100
    if number == 0:
        return "0 %"
    if abs(number) < Decimal("0.1") or number.adjusted() > LARGEST_PLACE:
        return f"{rounded(number, signed=True)} %"
    place = Decimal("0.1") if abs(number) < 100 else Decimal(1)
    return f"{shown(number.quantize(place), signed=True)} %"
