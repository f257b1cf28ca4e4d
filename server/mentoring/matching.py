# SPDX-License-Identifier: Apache-2.0
"""Who suits whom: hard rules first, then a score whose reasons are shown.

Pure functions: the same need, cards, seed and moment always give the same list, so that anybody
who wonders why can have it computed again.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from server.mentoring.profiles import Offered, Wanted, same
from server.mentoring.terms import FORMATS, LEVELS

SKILLS, FUNCTIONS, ZONE, HOURS = 60, 10, 15, 15
MOST = SKILLS + FUNCTIONS + ZONE + HOURS
_BY_LEVEL = {1: 0.6, 2: 0.85, 3: 1.0}
_RANKS = ("first", "second", "third", "fourth", "fifth")


@dataclass(frozen=True)
class Seeker:
    """Who looks for a mentor; names are `handle@host`, `not_with` those they cannot be with."""

    name: str
    wanted: Wanted
    format: str
    not_with: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Candidate:
    """A card as matching sees it; `key` is its id, which with the seed decides ties."""

    key: str
    name: str
    offered: Offered
    has_place: bool = True
    not_with: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Reason:
    """One part of a score: what was compared, in words, and its points out of the most."""

    about: str
    words: str
    points: int
    most: int


@dataclass(frozen=True)
class Score:
    """How well a card suits a need, out of MOST, and why."""

    points: int
    reasons: tuple[Reason, ...]


@dataclass(frozen=True)
class Suited:
    """A candidate with its score."""

    candidate: Candidate
    score: Score


def why_not(seeker: Seeker, candidate: Candidate) -> str:
    """The hard rule that keeps the two apart, as a sentence; "" where none does."""
    if seeker.name == candidate.name:
        return "Nobody mentors themselves."
    if candidate.name in seeker.not_with or seeker.name in candidate.not_with:
        return "One of the two has ruled the other out, for instance as their own manager."
    if not candidate.has_place:
        return "There is no place free."
    if seeker.format not in candidate.offered.formats:
        return f"This mentor does not offer the format “{FORMATS[seeker.format]}”."
    if not _common_languages(seeker.wanted, candidate.offered):
        return "The two have no language in common."
    return ""


def ranked(
    seeker: Seeker, candidates: Iterable[Candidate], seed: int, at: datetime
) -> list[Suited]:
    """Those that no hard rule keeps out, the best first; ties by the stored seed."""
    found = [
        Suited(candidate, weigh(seeker.wanted, candidate.offered, at))
        for candidate in candidates
        if not why_not(seeker, candidate)
    ]
    return sorted(found, key=lambda one: (-one.score.points, _lot(seed, one.candidate.key)))


def _lot(seed: int, key: str) -> str:
    return hashlib.sha256(f"{seed}:{key}".encode()).hexdigest()


def weigh(wanted: Wanted, offered: Offered, at: datetime) -> Score:
    """The score of a card for a need; `at` tells the offsets of time zones."""
    reasons = (
        _skills(wanted, offered),
        _functions(wanted, offered),
        _zone(wanted, offered, at),
        _hours(wanted, offered),
    )
    return Score(sum(reason.points for reason in reasons), reasons)


def _common_languages(wanted: Wanted, offered: Offered) -> set[str]:
    # A language matches whatever the country: en-us and en are understood by both.
    return {one.partition("-")[0] for one in wanted.languages} & {
        one.partition("-")[0] for one in offered.languages
    }


def _skills(wanted: Wanted, offered: Offered) -> Reason:
    """The skills wanted, each weighed by its rank and by the level it is offered at."""
    held = {same(skill.name): skill for skill in offered.skills}
    count = len(wanted.skills)
    whole = count * (count + 1) / 2
    earned, told = 0.0, []
    for rank, name in enumerate(wanted.skills):
        skill = held.get(same(name))
        if skill is not None:
            earned += (count - rank) / whole * _BY_LEVEL[skill.level]
            told.append(f"{skill.name} ({LEVELS[skill.level].lower()}), named {_RANKS[rank]}")
    words = "; ".join(told) if told else "None of the skills that were named"
    return Reason("Skills", words, round(SKILLS * earned), SKILLS)


def _functions(wanted: Wanted, offered: Offered) -> Reason:
    common = len(set(wanted.functions) & set(offered.functions))
    if not wanted.functions:
        return Reason("Field of work", "No field was named", FUNCTIONS, FUNCTIONS)
    words = f"{common} of {len(wanted.functions)} in common"
    return Reason(
        "Field of work", words, round(FUNCTIONS * common / len(wanted.functions)), FUNCTIONS
    )


def _zone(wanted: Wanted, offered: Offered, at: datetime) -> Reason:
    apart = abs(_offset(wanted.zone, at) - _offset(offered.zone, at))
    # Kiritimati and Honolulu share their clocks, a day apart.
    apart = min(apart, timedelta(days=1) - apart)
    hours = apart / timedelta(hours=1)
    words = f"{hours:g} {'hour' if hours == 1 else 'hours'} apart" if hours else "The same hours"
    return Reason("Time zone", words, round(ZONE * max(0.0, 1 - hours / 9)), ZONE)


def _offset(zone: str, at: datetime) -> timedelta:
    return at.astimezone(ZoneInfo(zone)).utcoffset() or timedelta(0)


def _hours(wanted: Wanted, offered: Offered) -> Reason:
    words = f"{offered.hours} a month offered, {wanted.hours} wanted"
    share = min(1.0, offered.hours / wanted.hours)
    return Reason("Time", words, round(HOURS * share), HOURS)
