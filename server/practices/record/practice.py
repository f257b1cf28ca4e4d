# SPDX-License-Identifier: Apache-2.0
"""The whole record of a practice, member by member.

The names are those on the wire, in camelCase (`gh:practice`, `v: 1`); every one but `name` and
`summary` may be missing, since a practice may begin as an idea.
"""

import re
from dataclasses import dataclass, field
from typing import ClassVar

from server.practices.record.outcomes import Outcome, is_before
from server.records.documents import Document
from server.records.parts import Part, Parts, member, nested
from server.records.patterns import ADDRESS, DIGEST, LICENCE, SLUG, TAG
from server.records.values import (
    Choice,
    Day,
    Faults,
    Flag,
    Items,
    Line,
    Number,
    Pattern,
    Text,
)

KINDS = ("practice", "attempt")
LEVELS = ("", "city", "county", "district", "region", "state", "national", "tribal", "other")
BANDS = ("", "under-10k", "10k-49k", "50k-499k", "500k-999k", "1m-4m", "5m-plus")
AREAS = ("", "urban", "suburban", "rural", "mixed")
STAGES = ("", "idea", "pilot", "live", "scaled", "ended")
NOVELTIES = ("", "new-here", "new-to-the-field", "adaptation")
MOST_STEPS = 50
MOST_OUTCOMES = 20

FUNCTION = Pattern(re.compile(r"(?:0[1-9]|10)(?:\.[1-9]){0,2}"), "Give a COFOG code, such as 04.1.")
COUNTRY = Pattern(re.compile(r"[A-Z]{2}"), "Give the country’s two letters, such as US.", 2)
CURRENCY = Pattern(re.compile(r"[A-Z]{3}"), "Give the currency’s three letters, such as USD.", 3)
AMOUNT = Number(0, below="An amount cannot be negative.")
COUNT = Number(0, whole=True)


@dataclass(frozen=True)
class Partner(Part):
    """Somebody who took part, and as what."""

    name: str = member(Line(200, needed="Give the partner’s name."))
    role: str = member(Line(200))


@dataclass(frozen=True)
class Setting(Part):
    """Where it was done: what another agency compares itself with."""

    country: str = member(COUNTRY)
    level: str = member(Choice(LEVELS))
    population_band: str = member(Choice(BANDS))
    urban_rural: str = member(Choice(AREAS))
    legal_base: str = member(Line(500))
    size: str = member(Line(200))


@dataclass(frozen=True)
class Reach(Part):
    """How many people it reached, and which share (in %) of those it was for."""

    count: int | None = member(COUNT, None)
    share: int | float | None = member(Number(0), None)

    def check(self, path: str, faults: Faults) -> None:
        if self.share is not None and self.share > 100:
            faults.add(f"{path}.share", "A share lies between 0 and 100 %.")


@dataclass(frozen=True)
class Step(Part):
    """One step of doing it, in its order."""

    title: str = member(Line(200, needed="Say in a few words what this step is."))
    text: str = member(Text(10_000))
    role: str = member(Line(200))
    duration: str = member(Line(100))
    cost: str = member(Line(100))
    output: str = member(Line(500))
    resource_id: tuple[str, ...] = member(Items(ADDRESS, 10, "links"), ())
    pitfall: str = member(Line(1000))


@dataclass(frozen=True)
class Costs(Part):
    """What it cost, in one currency at the prices of one year."""

    startup: int | float | None = member(AMOUNT, None)
    yearly: int | float | None = member(AMOUNT, None)
    currency: str = member(CURRENCY)
    year: int | None = member(Number(1900, whole=True), None)
    in_kind: str = member(Line(500))
    source: str = member(Line(500))

    def check(self, path: str, faults: Faults) -> None:
        if (self.startup is not None or self.yearly is not None) and not self.currency:
            faults.add(f"{path}.currency", "Say in which currency, such as USD.")
        if self.year is not None and self.year > 2200:
            faults.add(f"{path}.year", "Give a year between 1900 and 2200.")


@dataclass(frozen=True)
class Staff(Part):
    """Who is needed: full-time equivalents and skills."""

    fte: int | float | None = member(AMOUNT, None)
    skills: str = member(Line(500))


@dataclass(frozen=True)
class Condition(Part):
    """What has to be so, or helps (`must` False), for it to work."""

    text: str = member(Line(500, needed="Say what the condition is."))
    must: bool = member(Flag(), False)


@dataclass(frozen=True)
class Transfer(Part):
    """What to mind when it is done elsewhere."""

    notes: str = member(Text(5_000))
    risks: str = member(Text(5_000))
    local_choices: tuple[str, ...] = member(Items(Line(500), 20, "lines"), ())


@dataclass(frozen=True)
class Sustain(Part):
    """Who keeps it going, with what money, and how it would end."""

    owner: str = member(Line(200))
    funding: str = member(Line(500))
    exit_plan: str = member(Line(1000))


@dataclass(frozen=True)
class Credit(Part):
    """Somebody whose words went into it."""

    name: str = member(Line(200, needed="Give the person’s name."))
    agency: str = member(Line(200))
    uri: str = member(ADDRESS)


@dataclass(frozen=True)
class Source(Part):
    """The version of another practice that this one was made from."""

    uri: str = member(ADDRESS)
    version: int | None = member(Number(1, whole=True), None)
    digest: str = member(DIGEST)
    changed: tuple[str, ...] = member(Items(Line(100), 30, "sections"), ())

    def check(self, path: str, faults: Faults) -> None:
        if not self.uri:
            faults.add(f"{path}.uri", "Name the practice that this one is based on.")


@dataclass(frozen=True)
class Record(Document):
    """A practice, or an attempt: an honest account of what failed."""

    NOUN: ClassVar[str] = "practice"
    LONG: ClassVar[str] = "practice"

    kind: str = member(Choice(KINDS, "practice"), "practice")
    name: str = member(Line(100, needed="Give it a title that says what it is."))
    summary: str = member(
        Line(300, needed="Say in one sentence what was done and what came of it.")
    )
    language: str = member(Pattern(re.compile(r"[A-Za-z0-9-]+"), "Give a language code.", 12))
    agency: str = member(Line(200))
    partners: tuple[Partner, ...] = member(Parts(Partner, 30, "partners"), ())
    contact: str = member(Line(200))
    problem: str = member(Text())
    audience: tuple[str, ...] = member(Items(Line(200), 20, "lines"), ())
    reach: Reach = field(default_factory=Reach, metadata=nested(Reach))
    setting: Setting = field(default_factory=Setting, metadata=nested(Setting))
    solution: str = member(Text())
    novelty: str = member(Choice(NOVELTIES))
    steps: tuple[Step, ...] = member(Parts(Step, MOST_STEPS, "steps"), ())
    costs: Costs = field(default_factory=Costs, metadata=nested(Costs))
    cost_band: int | None = member(Number(1, whole=True), None)
    staff: Staff = field(default_factory=Staff, metadata=nested(Staff))
    stage: str = member(Choice(STAGES))
    started: str = member(Day())
    ended: str = member(Day())
    outcomes: tuple[Outcome, ...] = member(Parts(Outcome, MOST_OUTCOMES, "outcomes"), ())
    not_worked: tuple[str, ...] = member(Items(Line(1000), 30, "lines"), ())
    lessons: tuple[str, ...] = member(Items(Line(1000), 30, "lines"), ())
    conditions: tuple[Condition, ...] = member(Parts(Condition, 30, "conditions"), ())
    transfer: Transfer = field(default_factory=Transfer, metadata=nested(Transfer))
    equity_note: str = member(Text(5_000))
    access_note: str = member(Text(5_000))
    privacy_note: str = member(Text(5_000))
    sustain: Sustain = field(default_factory=Sustain, metadata=nested(Sustain))
    topics: tuple[str, ...] = member(Items(SLUG, 10, "topics"), ())
    functions: tuple[str, ...] = member(Items(FUNCTION, 10, "functions"), ())
    tags: tuple[str, ...] = member(Items(TAG, 10, "tags"), ())
    license: str = member(LICENCE)
    based_on: tuple[Source, ...] = member(Parts(Source, 5, "sources"), ())
    derived_from: tuple[str, ...] = member(Items(ADDRESS, 20, "links"), ())
    credits: tuple[Credit, ...] = member(Parts(Credit, 100, "people"), ())

    def check(self, path: str, faults: Faults) -> None:
        super().check(path, faults)
        if self.started and self.ended and is_before(self.ended, self.started):
            faults.add("ended", "It cannot have ended before it began.")
        if self.ended and self.stage in {"idea", "pilot", "live", "scaled"}:
            faults.add("ended", "It has an end, but its stage says that it goes on.")
        if self.cost_band is not None and self.cost_band > 5:
            faults.add("costBand", "Choose a band from 1 to 5.")
        named = [(outcome.indicator.casefold(), outcome.unit) for outcome in self.outcomes]
        for number, pair in enumerate(named):
            if pair[0] and pair in named[:number]:
                faults.add(
                    f"outcomes.{number}.indicator", "There is an outcome of this name already."
                )
