# SPDX-License-Identifier: Apache-2.0
"""Whether a practice may work here: what matches, what is missing.

No score: each point is named, so that a person can judge it. The comparison is made here, and
the profile of an agency never leaves its instance.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from server.practices import terms
from server.practices.record import Condition, Setting


@dataclass(frozen=True)
class Profile:
    """What an agency says of itself; `has` are the things others often make a condition."""

    country: str = ""
    level: str = ""
    population_band: str = ""
    urban_rural: str = ""
    has: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        return self == Profile()


@dataclass(frozen=True)
class Site:
    """A place where it was done: the original, or one that replicated it."""

    name: str
    setting: Setting


@dataclass(frozen=True)
class Point:
    """One thing compared: `ours` and `theirs` in words; sites where it is as here."""

    what: str
    ours: str
    theirs: str
    sites: tuple[str, ...] = ()


@dataclass(frozen=True)
class Fit:
    """What matches at one site at least, what differs at all, what is not known, what to check."""

    matches: tuple[Point, ...]
    differs: tuple[Point, ...]
    unknown: tuple[str, ...]
    present: tuple[str, ...]
    missing: tuple[str, ...]


_COMPARED: tuple[tuple[str, str, dict[str, str]], ...] = (
    ("country", "Country", {}),
    ("level", "Level of government", terms.LEVELS),
    ("population_band", "Population", terms.BANDS),
    ("urban_rural", "Kind of area", terms.AREAS),
)


def fit(profile: Profile, sites: Sequence[Site], conditions: Sequence[Condition]) -> Fit:
    """Our profile beside each site's setting, and the conditions that a practice names."""
    matches: list[Point] = []
    differs: list[Point] = []
    unknown: list[str] = []
    for name, what, labels in _COMPARED:
        ours = getattr(profile, name)
        theirs = {site.name: getattr(site.setting, name) for site in sites}
        told = {value for value in theirs.values() if value}
        if not ours or not told:
            unknown.append(what)
            continue
        words = ", ".join(sorted(labels.get(value, value) for value in told))
        alike = tuple(site for site, value in theirs.items() if value == ours)
        point = Point(what, labels.get(ours, ours), words, alike)
        (matches if alike else differs).append(point)
    held = {" ".join(thing.casefold().split()) for thing in profile.has}
    present = [c.text for c in conditions if _is_held(c.text, held)]
    missing = [c.text for c in conditions if c.must and c.text not in present]
    return Fit(tuple(matches), tuple(differs), tuple(unknown), tuple(present), tuple(missing))


def _is_held(condition: str, held: set[str]) -> bool:
    """Whether a condition is one of the things held, or names one of them in so many words."""
    words = " ".join(condition.casefold().rstrip(".").split())
    return words in held or any(f" {thing} " in f" {words} " for thing in held)
