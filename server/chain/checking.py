# SPDX-License-Identifier: Apache-2.0
"""Whether the record is what was sealed, line by line."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import structlog
from sqlalchemy import exists, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from server.audit import ERASED, last_check
from server.chain import ends
from server.chain.ends import Noted, day
from server.instance import Instance
from storage.audit import AuditCheck, AuditEntry, AuditSeal, digest, genesis, seal

logger = structlog.get_logger("guildhall.record")
# The worker asks for it daily; nobody need look again soon after an administrator did.
RECENTLY = timedelta(hours=12)
# Their hashes are computed in the event loop, twenty microseconds for each.
AT_ONCE = 100
# Before any place that somebody may have written into the table.
FIRST = -(1 << 63)


class Link(NamedTuple):
    """A line with its seal; `id` is 0 where there is only the seal."""

    place: int
    digest: str
    hash: str
    id: int
    at: datetime
    verb: str
    actor: str
    subject: str
    detail: str
    salt: str
    erased: datetime | None


@dataclass(frozen=True)
class Verdict:
    """How many lines there are and the last one's hash, or the first that does not fit and why."""

    place: int
    hash: str
    broken: int | None = None
    fault: str = ""

    @property
    def is_whole(self) -> bool:
        return self.broken is None


@dataclass
class Walk:
    """Where a walk along the chain has come to."""

    last: str
    place: int = 0
    noted: dict[int, list[Noted]] = field(default_factory=dict)
    erased: set[str] = field(default_factory=set)

    @classmethod
    def along(cls, origin: str, noted: Iterable[Noted]) -> "Walk":
        """To begin with; each line that was noted has to be met on the way."""
        walk = cls(genesis(origin))
        for one in noted:
            if one.place:
                walk.noted.setdefault(one.place, []).append(one)
        return walk

    def step(self, link: Link) -> str:
        """Go on by one line; what does not fit, in a sentence, or nothing."""
        self.place += 1
        if link.place != self.place:
            return f"Line {self.place} is missing."
        if not link.id:
            return f"Line {self.place} is missing, and only its seal is there."
        if link.erased is not None:
            self.erased.add(str(self.place))
        elif _words(link) != link.digest:
            return f"Line {self.place} was changed: it does not say what was sealed."
        if link.verb == ERASED:
            self.erased.discard(link.subject)
        self.last = self._after(link, self.last)
        if self.last != link.hash and self.place == 1:
            # Begun before there was anybody, and sealed to nobody's name.
            self.last = self._after(link, genesis(""))
        if self.last != link.hash:
            return f"Line {self.place} does not follow from what was before it."
        for one in self.noted.pop(self.place, ()):
            if one.hash != self.last:
                return (
                    f"Line {self.place} is not the one that was there {one.when}: it, or one before"
                    " it, was changed."
                )
        return ""

    def _after(self, link: Link, previous: str) -> str:
        return seal(self.place, link.id, link.at, link.verb, link.digest, previous)

    def end(self) -> tuple[int, str] | None:
        """What is still missing after the last line, if anything."""
        if self.erased:
            place = min(map(int, self.erased))
            return place, f"Line {place} was erased, and no later line says so."
        if self.noted:
            place = min(self.noted)
            return self.place + 1, (
                f"The record ends with line {self.place}, and line {place} was there"
                f" {self.noted[place][0].when}."
            )
        return None


async def verify(session: AsyncSession, origin: str, noted: Sequence[Noted] = ()) -> Verdict:
    """Compute every hash anew; `noted` are ends of the record that were seen before."""
    walk = Walk.along(origin, [*await _seen(session), *noted])
    async for link in links(session):
        if fault := walk.step(link):
            return Verdict(walk.place, walk.last, walk.place, fault)
    if found := walk.end():
        return Verdict(walk.place, walk.last, *found)
    unsealed = ~exists().where(AuditSeal.entry_id == AuditEntry.id)
    question = select(AuditEntry.at).where(unsealed).order_by(AuditEntry.id).limit(1)
    slipped_in = (await session.execute(question)).scalar_one_or_none()
    if slipped_in is not None:
        fault = f"A line of {day(slipped_in)} was slipped in: it was never sealed."
        return Verdict(walk.place, walk.last, walk.place + 1, fault)
    return Verdict(walk.place, walk.last)


async def _seen(session: AsyncSession) -> list[Noted]:
    """How the record ended at earlier checks that found nothing."""
    question = select(AuditCheck).where(AuditCheck.broken.is_(None))
    return [
        Noted(one.place, one.hash, f"when it was checked on {day(one.at)}")
        for one in (await session.execute(question)).scalars()
    ]


def _words(link: Link) -> str:
    return digest(actor=link.actor, subject=link.subject, detail=link.detail, salt=link.salt)


async def links_after(session: AsyncSession, place: int) -> list[Link]:
    """The next seals after a place, each with the line it is of, a hundred at a time."""
    line, sealed = AuditEntry, AuditSeal
    columns: tuple[Any, ...] = (
        *(sealed.place, sealed.digest, sealed.hash, func.coalesce(line.id, 0), line.at, line.verb),
        *(line.actor, line.subject, line.detail, line.salt, line.erased),
    )
    question = (
        select(*columns)
        .outerjoin_from(AuditSeal, AuditEntry, AuditEntry.id == AuditSeal.entry_id)
        .where(AuditSeal.place > place)
        .order_by(AuditSeal.place)
        .limit(AT_ONCE)
    )
    return [Link(*row) for row in (await session.execute(question)).all()]


async def links(session: AsyncSession) -> AsyncIterator[Link]:
    """Every seal by its place."""
    found = await links_after(session, FIRST)
    while found:
        for link in found:
            yield link
        found = await links_after(session, found[-1].place)


async def check(instance: Instance) -> AuditCheck:
    """Look at the whole record, and keep what was found, beside the database as well."""
    origin, state = instance.settings.origin, instance.settings.state
    noted = await asyncio.to_thread(ends.noted, state)
    async with instance.reading() as session:
        verdict = await verify(session, origin, noted)
    async with instance.transaction() as tx:
        made = AuditCheck(
            id=tx.ids.next(),
            at=tx.now,
            place=verdict.place,
            hash=verdict.hash,
            broken=verdict.broken,
            fault=verdict.fault,
        )
        tx.session.add(made)
    if verdict.is_whole:
        logger.info("record is whole", lines=verdict.place, hash=verdict.hash)
        await asyncio.to_thread(ends.note, state, made.at, verdict.place, verdict.hash)
    else:
        logger.error("record is broken", line=verdict.broken, fault=verdict.fault)
    return made


async def check_daily(instance: Instance) -> None:
    """The same, unless somebody did lately."""
    async with instance.reading() as session:
        last = await last_check(session)
    if last is None or instance.clock.now() - last.at > RECENTLY:
        await check(instance)
