# SPDX-License-Identifier: Apache-2.0
"""What was measured, before and after, and when it makes sense."""

from dataclasses import dataclass, field

from server.records.parts import Part, member, nested
from server.records.values import Choice, Day, Faults, Line, Number

DIRECTIONS = ("down", "up", "none")
STATISTICS = ("", "mean", "median", "proportion", "count", "other")


@dataclass(frozen=True)
class Point(Part):
    """One measurement: a value, when it was taken, how many were counted, their spread."""

    value: int | float | None = member(Number(), None)
    date: str = member(Day())
    n: int | None = member(
        Number(1, whole=True, below="n is how many were counted: at least 1."), None
    )
    sd: int | float | None = member(
        Number(0, below="A standard deviation cannot be negative."), None
    )

    def check(self, path: str, faults: Faults) -> None:
        if self.value is None and (self.date or self.n is not None or self.sd is not None):
            faults.add(f"{path}.value", "Give the value as well.")


@dataclass(frozen=True)
class Outcome(Part):
    """An indicator with its baseline, target and actual value; the change is never typed."""

    indicator: str = member(Line(200))
    unit: str = member(Line(40))
    direction: str = member(Choice(DIRECTIONS))
    statistic: str = member(Choice(STATISTICS))
    baseline: Point = field(default_factory=Point, metadata=nested(Point))
    target: Point = field(default_factory=Point, metadata=nested(Point))
    actual: Point = field(default_factory=Point, metadata=nested(Point))
    method: str = member(Line(1000))
    source: str = member(Line(500))
    attribution: str = member(Line(1000))

    @property
    def is_measured(self) -> bool:
        """Whether a change can be computed, dated and counted on both sides."""
        points = (self.baseline, self.actual)
        return bool(self.direction) and all(
            point.value is not None and point.date and point.n is not None for point in points
        )

    def check(self, path: str, faults: Faults) -> None:
        points = {"baseline": self.baseline, "target": self.target, "actual": self.actual}
        valued = {name: point for name, point in points.items() if point.value is not None}
        if not self.indicator:
            faults.add(f"{path}.indicator", "Say what is measured, such as: days from filing.")
        if valued and not self.unit:
            faults.add(f"{path}.unit", "Say what the numbers count, such as: days, or %.")
        if len(valued) > 1 and not self.direction:
            faults.add(f"{path}.direction", "Say whether lower or higher is better.")
        if "target" in valued and "baseline" not in valued:
            faults.add(
                f"{path}.baseline.value",
                "A target says little without where you began: give the baseline as well.",
            )
        before, after = self.baseline.date, self.actual.date
        if before and after and is_before(after, before):
            faults.add(f"{path}.actual.date", "This is earlier than the baseline was taken.")
        self._check_statistic(path, points, faults)

    def _check_statistic(self, path: str, points: dict[str, Point], faults: Faults) -> None:
        if self.statistic == "proportion" and self.unit and self.unit != "%":
            faults.add(f"{path}.unit", "The unit of a proportion is %.")
        for name, point in points.items():
            value = point.value
            if self.statistic == "proportion" and value is not None and not 0 <= value <= 100:
                faults.add(f"{path}.{name}.value", "A proportion lies between 0 and 100 %.")
            if self.statistic != "mean" and point.sd is not None:
                faults.add(f"{path}.{name}.sd", "A standard deviation belongs to a mean only.")


def is_before(day: str, other: str) -> bool:
    """Whether a day, month or year lies wholly before another one."""
    length = min(len(day), len(other))
    return day[:length] < other[:length]
