# SPDX-License-Identifier: Apache-2.0
"""Reading single values of a record, each refusal at its field.

Whoever wrote a record may be a stranger: texts are bounded, numbers are finite and within
LARGEST, nothing is nested deeper than DEEPEST.
"""

import math
import re
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Protocol

from server import text

LARGEST = 10**15
DEEPEST = 12
MOST_UNKNOWN = 50_000

Json = Any

_UNSTORABLE = re.compile("[\0\ud800-\udfff]")


@dataclass
class Faults:
    """What is wrong, by the path of the field: `outcomes.0.baseline.value`."""

    found: dict[str, str] = field(default_factory=dict)

    def add(self, path: str, sentence: str) -> None:
        """The first fault of a field is the one that is told."""
        self.found.setdefault(path, sentence)


class Reader(Protocol):
    """Turns a JSON value into ours, or names what is wrong with it; None is a missing member."""

    def read(self, value: Json, path: str, faults: Faults) -> Any: ...

    def write(self, value: Any) -> Json: ...


class _Plain:
    """What is written as it is."""

    def write(self, value: Any) -> Json:
        return value


@dataclass(frozen=True)
class Line(_Plain):
    """One line of text; "" when missing, unless `needed` says what to ask for."""

    limit: int
    needed: str = ""

    def read(self, value: Json, path: str, faults: Faults) -> str:
        raw = _text(value, path, faults)
        line = text.clean_line(raw, self.limit + 1)
        if len(line) > self.limit:
            _must_fit(max(len(line), len(raw)), self.limit, path, faults)
        if not line and self.needed:
            faults.add(path, self.needed)
        return line


@dataclass(frozen=True)
class Text(_Plain):
    """Markdown of several lines."""

    limit: int = 20_000

    def read(self, value: Json, path: str, faults: Faults) -> str:
        words = _text(value, path, faults).replace("\r\n", "\n").replace("\r", "\n").strip()
        _must_fit(len(words), self.limit, path, faults)
        return words


def _text(value: Json, path: str, faults: Faults) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        faults.add(path, "This has to be text.")
        return ""
    # Lone surrogates and NUL can be stored nowhere.
    return _UNSTORABLE.sub("\ufffd", value)


def _must_fit(length: int, limit: int, path: str, faults: Faults) -> None:
    if length > limit:
        faults.add(path, f"Keep it under {limit:,} characters: this has {length:,}.")


@dataclass(frozen=True)
class Number(_Plain):
    """A finite number from `least` on, within LARGEST; None when missing."""

    least: float = -LARGEST
    whole: bool = False
    below: str = ""

    def read(self, value: Json, path: str, faults: Faults) -> int | float | None:
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float):
            faults.add(path, "Give a number, such as 12.6, without its unit.")
            return None
        if isinstance(value, float) and not math.isfinite(value):
            faults.add(path, "This is not a number that can be computed with.")
            return None
        if abs(value) > LARGEST:
            faults.add(path, "This number is too large.")
            return None
        # 21.0 and 21 are one number, and -0.0 is 0: copies compare records by their digest.
        plain = int(value) if value == int(value) else value
        if self.whole and not isinstance(plain, int):
            faults.add(path, "Give a whole number.")
            return None
        if plain < self.least:
            faults.add(path, self.below or f"This has to be at least {self.least:g}.")
            return None
        return plain


@dataclass(frozen=True)
class Choice(_Plain):
    """One word of a list; `default` when missing."""

    options: tuple[str, ...]
    default: str = ""

    def read(self, value: Json, path: str, faults: Faults) -> str:
        word = _text(value, path, faults).strip()
        if not word:
            return self.default
        if word not in self.options:
            faults.add(path, f"Choose one of: {', '.join(filter(None, self.options))}.")
            return self.default
        return word


@dataclass(frozen=True)
class Flag(_Plain):
    """Yes or no; no when missing."""

    def read(self, value: Json, path: str, faults: Faults) -> bool:
        if value is None or isinstance(value, bool):
            return bool(value)
        faults.add(path, "This has to be true or false.")
        return False


_DAY = re.compile(r"([0-9]{4})(?:-([0-9]{2})(?:-([0-9]{2}))?)?\Z")


@dataclass(frozen=True)
class Day(_Plain):
    """A day, a month or a year of the calendar (ISO 8601): 2026-03-31, 2026-03 or 2026."""

    def read(self, value: Json, path: str, faults: Faults) -> str:
        day = _text(value, path, faults).strip()
        if not day:
            return ""
        match = _DAY.match(day) if day.isascii() else None
        if match is None:
            faults.add(path, "Give the date as 2026-03-31, 2026-03 or 2026.")
            return ""
        year, month, of_month = (int(part or 1) for part in match.groups())
        try:
            date(year, month, of_month)
        except ValueError:
            faults.add(path, f"{day} is not in the calendar.")
            return ""
        if not 1900 <= year <= 2200:
            faults.add(path, "Give a year between 1900 and 2200.")
            return ""
        return day


@dataclass(frozen=True)
class Pattern(_Plain):
    """A word that has to look like something; `otherwise` is said where it does not."""

    form: re.Pattern[str]
    otherwise: str
    limit: int = 64

    def read(self, value: Json, path: str, faults: Faults) -> str:
        word = text.clean_line(_text(value, path, faults), self.limit + 1)
        if not word:
            return ""
        if len(word) > self.limit or not self.form.fullmatch(word):
            faults.add(path, self.otherwise)
            return ""
        return word


def listed(value: Json, path: str, faults: Faults, most: int, what: str) -> list[Json]:
    """The items of a list of at most `most`; none where it is not there, or is at fault."""
    if value is None:
        return []
    if not isinstance(value, list):
        faults.add(path, "This has to be a list.")
        return []
    if len(value) > most:
        faults.add(path, f"Keep it to {most} {what}: this has {len(value)}.")
        return []
    return value


@dataclass(frozen=True)
class Items:
    """A list of at most `most` values; empty ones are left out. `what` is one of them."""

    of: Reader
    most: int
    what: str = "lines"

    def read(self, value: Json, path: str, faults: Faults) -> tuple[Any, ...]:
        items = listed(value, path, faults, self.most, self.what)
        found = (self.of.read(item, f"{path}.{n}", faults) for n, item in enumerate(items))
        return tuple(item for item in found if item not in ("", None))

    def write(self, value: Any) -> Json:
        return [self.of.write(item) for item in value]


def unknown(members: dict[str, Json], path: str, faults: Faults) -> None:
    """Members we do not know may be kept where they can be stored and sent on."""
    budget = [MOST_UNKNOWN]
    _walk(members, path, faults, budget, DEEPEST)
    if budget[0] < 0:
        faults.add(path, "This is more than a record can carry.")


def _walk(value: Json, path: str, faults: Faults, budget: list[int], depth: int) -> None:
    budget[0] -= 1 + (len(value) if isinstance(value, str) else 0)
    if depth < 0:
        faults.add(path, "This is nested too deeply.")
    elif budget[0] < 0:
        return
    elif isinstance(value, dict):
        for name, below in value.items():
            budget[0] -= len(name)
            if _UNSTORABLE.search(name):
                faults.add(path, "The name of a member cannot be stored.")
            _walk(below, f"{path}.{name[:40]}", faults, budget, depth - 1)
    elif isinstance(value, list):
        for number, item in enumerate(value):
            _walk(item, f"{path}.{number}", faults, budget, depth - 1)
    elif isinstance(value, str) and _UNSTORABLE.search(value):
        faults.add(path, "This text cannot be stored.")
    elif isinstance(value, int | float) and not isinstance(value, bool):
        Number().read(value, path, faults)
