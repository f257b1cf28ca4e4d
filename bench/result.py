# SPDX-License-Identifier: Apache-2.0
"""What a benchmark says: a line with its figures, its ratio, its target."""

from dataclasses import dataclass, field

from bench.measures import Json


@dataclass(frozen=True)
class Line:
    """One line of the table.

    `ratio` is per core to the limit named; `must` is what it has to be at least (at most for
    growth and memory, `at_most`), None where nothing is asked.
    """

    name: str
    database: str
    posts: int
    figure: str
    figures: Json = field(default_factory=dict)
    limit: str = ""
    ratio: float | None = None
    wall_ratio: float | None = None
    must: float | None = None
    at_most: bool = False
    note: str = ""

    @property
    def held(self) -> bool | None:
        """Whether it is as it must be; None where nothing is asked."""
        if self.must is None or self.ratio is None:
            return None
        return self.ratio <= self.must if self.at_most else self.ratio >= self.must

    def report(self) -> Json:
        return {
            "name": self.name,
            "database": self.database,
            "posts": self.posts,
            **self.figures,
            "limit": self.limit,
            "ratio": _rounded(self.ratio),
            "wall_ratio": _rounded(self.wall_ratio),
            "must": self.must,
            "held": self.held,
            "note": self.note,
        }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
