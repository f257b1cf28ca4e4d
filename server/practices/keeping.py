# SPDX-License-Identifier: Apache-2.0
"""What admins decide of the library: topics, periods, our own profile."""

import json
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from server import audit, text
from server.errors import Invalid
from server.permissions import Permission, Standing, must
from server.practices import terms
from server.practices.fit import Profile
from server.practices.record.practice import AREAS, BANDS, COUNTRY, LEVELS
from server.records.values import Choice, Faults
from server.transaction import Transaction
from storage.base import insert
from storage.members import Member
from storage.plain import Question, ask, whole
from storage.practices import LibrarySetting, PracticeTopic

MONTHS = 24
MOST_MONTHS = 120
MOST_HELD = 40


@dataclass(frozen=True)
class Library:
    """What holds for the whole library; `months` is how long a practice counts as looked over."""

    months: int = MONTHS
    profile: Profile = field(default_factory=Profile)
    topics: tuple[tuple[str, str], ...] = tuple(terms.TOPICS.items())

    @property
    def period(self) -> timedelta:
        return timedelta(days=self.months * 30.44)

    def is_stale(self, reviewed: datetime, now: datetime) -> bool:
        """Whether a practice was last looked over too long ago."""
        return now - reviewed > self.period

    def topic_label(self, slug: str) -> str:
        """What a topic is called; its own name where it is not on our list."""
        return dict(self.topics).get(slug) or terms.TOPICS.get(slug) or slug.replace("-", " ")


_TOPICS = Question(select(PracticeTopic).limit(1_000), whole)
_SETTINGS = Question(select(LibrarySetting), whole)


async def library(session: AsyncSession) -> Library:
    """The library as it is kept here."""
    stored = {row.name: json.loads(row.value) for row in await ask(session, _SETTINGS)}
    topics = dict(terms.TOPICS)
    for row in await ask(session, _TOPICS):
        if row.listed:
            topics[row.slug] = row.label
        else:
            topics.pop(row.slug, None)
    return Library(
        months=stored.get("months", MONTHS),
        profile=_profile(stored.get("profile", {})),
        topics=tuple(sorted(topics.items(), key=lambda pair: pair[1].casefold())),
    )


def _profile(stored: dict[str, Any]) -> Profile:
    return Profile(**{**stored, "has": tuple(stored.get("has", ()))})


@dataclass(frozen=True)
class KeepingForm:
    """The admin's form as typed; `has` holds a line for each thing."""

    months: str = str(MONTHS)
    country: str = ""
    level: str = ""
    population_band: str = ""
    urban_rural: str = ""
    has: str = ""


def form_of(library: Library) -> KeepingForm:
    """The form that shows how the library is kept."""
    profile = library.profile
    return KeepingForm(
        months=str(library.months),
        country=profile.country,
        level=profile.level,
        population_band=profile.population_band,
        urban_rural=profile.urban_rural,
        has="\n".join(profile.has),
    )


def check(form: KeepingForm) -> tuple[int, Profile]:
    """The period and the profile of a form; Invalid names what is wrong."""
    faults = Faults()
    months = int(form.months) if form.months.isdecimal() and len(form.months) < 5 else 0
    if not 1 <= months <= MOST_MONTHS:
        faults.add("months", f"Give a number of months between 1 and {MOST_MONTHS}.")
    held = [text.clean_line(line, 200) for line in form.has.splitlines()]
    profile = Profile(
        country=COUNTRY.read(form.country.upper(), "country", faults),
        level=Choice(LEVELS).read(form.level, "level", faults),
        population_band=Choice(BANDS).read(form.population_band, "population_band", faults),
        urban_rural=Choice(AREAS).read(form.urban_rural, "urban_rural", faults),
        has=tuple(line for line in held if line),
    )
    if len(profile.has) > MOST_HELD:
        faults.add("has", f"Keep it to {MOST_HELD} lines.")
    if faults.found:
        raise Invalid(faults.found)
    return months, profile


async def keep(tx: Transaction, admin: Member, form: KeepingForm) -> None:
    """Set the period and our profile."""
    must(Standing(admin), Permission.KEEP_LIBRARY)
    months, profile = check(form)
    for name, value in (("months", months), ("profile", asdict(profile))):
        values = {"value": json.dumps(value), "at": tx.now}
        await tx.session.execute(
            insert(tx.session, LibrarySetting)
            .values(name=name, **values)
            .on_conflict_do_update(index_elements=["name"], set_=values)
        )
    audit.note(
        tx, admin, "library.changed", tx.settings.origin, f"looked over every {months} months"
    )


async def list_topic(tx: Transaction, admin: Member, label: str) -> str:
    """Put a topic on the list, or back on it; answers its name in addresses."""
    must(Standing(admin), Permission.KEEP_LIBRARY)
    label = text.clean_line(label, 80)
    if not label:
        raise Invalid({"label": "Give the topic a name."})
    slug = next((s for s, known in terms.TOPICS.items() if known == label), text.slug(label))
    await _put_topic(tx, slug, label, listed=True)
    audit.note(tx, admin, "library.topic_listed", slug, label)
    return slug


async def unlist_topic(tx: Transaction, admin: Member, slug: str) -> None:
    """Take a topic off the list; practices that have it keep it."""
    must(Standing(admin), Permission.KEEP_LIBRARY)
    label = (await library(tx.session)).topic_label(slug)
    await _put_topic(tx, slug[:64], label, listed=False)
    audit.note(tx, admin, "library.topic_unlisted", slug[:64], label)


async def _put_topic(tx: Transaction, slug: str, label: str, *, listed: bool) -> None:
    values = {"label": label, "listed": listed, "at": tx.now}
    await tx.session.execute(
        insert(tx.session, PracticeTopic)
        .values(slug=slug, **values)
        .on_conflict_do_update(index_elements=["slug"], set_=values)
    )
