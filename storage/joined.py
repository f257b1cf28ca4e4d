# SPDX-License-Identifier: Apache-2.0
"""Several questions as one statement, for PostgreSQL."""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

Cells = Sequence[Any]
_PARAMETER = re.compile(r"\$([0-9]+)")
_WORDS = re.compile(r"(?:CHARACTER VARYING|VARCHAR|CHAR)(?:\([0-9]+\))?\Z")
_WHOLE = frozenset({"SMALLINT", "INTEGER", "BIGINT"})


@dataclass(frozen=True)
class Part:
    """One question: its SQL, how many parameters it has, and the types of its columns."""

    sql: str
    parameters: int
    kinds: Sequence[str]


@dataclass(frozen=True)
class Joined:
    """A statement whose rows say which of the questions each answers."""

    sql: str
    readers: tuple[Callable[[Cells], Cells], ...]

    def parted(self, rows: Iterable[Cells]) -> list[list[Cells]]:
        """The rows of each question, in its own order and with its own columns."""
        found: list[list[Cells]] = [[] for _ in self.readers]
        for row in rows:
            number = row[0]
            found[number].append(self.readers[number](row))
        return found


def join(parts: Sequence[Part]) -> Joined:
    """The parts as a UNION ALL, whose columns serve each question that has one of the type.

    Rows of more than one kind in fields of fixed types are read several times as fast as
    composite values are, and those that a question has no use for are empty. PostgreSQL answers
    the parts of a UNION ALL one after the other where it may not use several processes, so that
    each keeps the order that its question asks for. The parameters of a part come after those
    of the parts before it.
    """
    slots: list[str] = []
    places = [_places(part, slots) for part in parts]
    written, before = [], 0
    for number, (part, taken) in enumerate(zip(parts, places, strict=True)):
        names = [f"c{index}" for index in range(len(part.kinds))]
        cells = [f"CAST(NULL AS {kind})" for kind in slots]
        for name, place in zip(names, taken, strict=True):
            cells[place] = f"q.{name}"
        inner = _shifted(part.sql, before)
        written.append(
            f"(SELECT {number}, {', '.join(cells)} FROM ({inner}) AS q({', '.join(names)}))"  # noqa: S608
        )
        before += part.parameters
    return Joined(" UNION ALL ".join(written), tuple(_reader(taken) for taken in places))


def _shifted(sql: str, by: int) -> str:
    """SQL whose parameters begin later."""
    return _PARAMETER.sub(lambda found: f"${int(found[1]) + by}", sql)


def _places(part: Part, slots: list[str]) -> list[int]:
    """Where the columns of a part stand among all; `slots` grows by those that fit nowhere."""
    taken: list[int] = []
    for kind in map(_wide, part.kinds):
        free = (n for n, slot in enumerate(slots) if slot == kind and n not in taken)
        place = next(free, len(slots))
        if place == len(slots):
            slots.append(kind)
        taken.append(place)
    return taken


def _wide(kind: str) -> str:
    """The type of a column that can hold this one as well."""
    if kind in _WHOLE:
        return "BIGINT"
    return "TEXT" if _WORDS.match(kind) else kind


def _reader(taken: Sequence[int]) -> Callable[[Cells], Cells]:
    first, count = taken[0] + 1, len(taken)
    if list(taken) == list(range(taken[0], taken[0] + count)):
        return itemgetter(slice(first, first + count))
    return itemgetter(*(place + 1 for place in taken))
