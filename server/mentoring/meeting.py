# SPDX-License-Identifier: Apache-2.0
"""The page of a pair: all that the two have, for one of them."""

from dataclasses import dataclass
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncSession

from server.errors import NotFound
from server.mentoring import agreements, drafts, notices, pairs, profiles
from server.mentoring.agreements import Terms
from server.transaction import Transaction
from storage.members import Member
from storage.mentoring import (
    Entry,
    EntryKind,
    MentorCard,
    Pairing,
    PairState,
    Programme,
    matches,
    offers,
)
from storage.mentoring import pairs as pairings

MOST_SHOWN = 100


@dataclass(frozen=True)
class Goal:
    """A goal with what was noted on the way, the oldest first."""

    entry: Entry
    check_ins: list[Entry]


@dataclass(frozen=True)
class MeetingPage:
    """A pair as one of the two sees it; `zone` is the reader's.

    Messages before that of the id `earlier` are on another page, unless it is None.
    """

    pairing: Pairing
    programme: Programme | None
    mentor: Member
    mentee: Member
    is_mentor: bool
    zone: str
    terms: Terms | None
    messages: list[Entry]
    earlier: int | None
    sessions: list[Entry]
    goals: list[Goal]
    actions: list[Entry]
    notes: list[Entry]
    feedback: list[Entry]

    @property
    def me(self) -> Member:
        """Whoever reads."""
        return self.mentor if self.is_mentor else self.mentee

    @property
    def other(self) -> Member:
        """The one that the page is shared with."""
        return self.mentee if self.is_mentor else self.mentor

    @property
    def is_live(self) -> bool:
        """Whether the two still meet."""
        return self.pairing.state in pairs.LIVE

    @property
    def is_agreed(self) -> bool:
        return agreements.is_agreed(self.pairing)

    @property
    def waits_for_me(self) -> bool:
        """Whether the other one proposed terms that the reader has not accepted."""
        mine = self.pairing.mentor_agreed if self.is_mentor else self.pairing.mentee_agreed
        return mine < self.pairing.terms_number

    @property
    def last(self) -> int:
        """The newest entry that is shown; a pair that was opened is seen, be it empty or not."""
        shown = [*self.messages, *self.sessions, *self.actions, *self.notes, *self.feedback]
        shown += [entry for goal in self.goals for entry in (goal.entry, *goal.check_ins)]
        return max((entry.id for entry in shown), default=1)

    @property
    def is_fresh(self) -> bool:
        """Whether there is something that the reader had not seen."""
        before = self.pairing.mentor_seen if self.is_mentor else self.pairing.mentee_seen
        return self.last > before

    @property
    def local(self) -> ZoneInfo:
        """The reader's time zone."""
        return ZoneInfo(self.zone)


async def page(
    session: AsyncSession, member: Member, pairing_id: int, before: int | None = None
) -> MeetingPage:
    """The page of a pair, for the two of it and for nobody else; `before`, its older messages."""
    pairing = await pairs.own(session, member, pairing_id)
    programme = None
    if pairing.programme_id is not None:
        programme = await session.get(Programme, pairing.programme_id)
    found = {
        kind: list(await pairings.entries_of(session, pairing.id, member.id, kind, MOST_SHOWN))
        for kind in EntryKind
        if kind not in {EntryKind.REPORT, EntryKind.MESSAGE}
    }
    messages = await pairings.entries_of(
        session, pairing.id, member.id, EntryKind.MESSAGE, MOST_SHOWN + 1, before
    )
    shown = messages[:MOST_SHOWN]
    check_ins: dict[int, list[Entry]] = {}
    for entry in reversed(found[EntryKind.CHECK_IN]):
        check_ins.setdefault(entry.parent_id or 0, []).append(entry)
    return MeetingPage(
        pairing,
        programme,
        await session.get_one(Member, pairing.mentor_id),
        await session.get_one(Member, pairing.mentee_id),
        pairing.mentor_id == member.id,
        await zone_of(session, member),
        agreements.of(pairing),
        list(reversed(shown)),
        shown[-1].id if len(messages) > MOST_SHOWN else None,
        sorted(found[EntryKind.SESSION], key=_start),
        [Goal(goal, check_ins.get(goal.id, [])) for goal in found[EntryKind.GOAL][::-1]],
        found[EntryKind.ACTION][::-1],
        found[EntryKind.NOTE],
        found[EntryKind.FEEDBACK],
    )


def _start(entry: Entry) -> float:
    return entry.starts.timestamp() if entry.starts is not None else 0.0


async def zone_of(session: AsyncSession, member: Member) -> str:
    """The time zone of somebody's card, else of their last request, else UTC."""
    card = await offers.card_of(session, member.id)
    if card is not None:
        return profiles.unpack_offered(card.record).zone
    needs = await matches.needs_of(session, member.id)
    return profiles.unpack_wanted(needs[0].record).zone if needs else "UTC"


async def seen(tx: Transaction, member: Member, page: MeetingPage) -> None:
    """Remember what somebody has read."""
    pairing = await tx.session.get_one(Pairing, page.pairing.id)
    if page.is_mentor:
        pairing.mentor_seen = max(pairing.mentor_seen, page.last)
    else:
        pairing.mentee_seen = max(pairing.mentee_seen, page.last)
    await notices.mark_read(tx, member, notices.page_of(pairing))


@dataclass(frozen=True)
class EntryPage:
    """An entry that its author may change, with the form that shows it."""

    pairing: Pairing
    entry: Entry
    other: Member
    zone: str
    typed: dict[str, str]
    may_remove: bool


async def entry_page(
    session: AsyncSession, member: Member, pairing_id: int, entry_id: int
) -> EntryPage:
    """An entry of the member's own, to be changed; for anybody else it is not there."""
    pairing = await pairs.own(session, member, pairing_id)
    entry = await session.get(Entry, entry_id)
    if entry is None or entry.pairing_id != pairing.id or entry.author_id != member.id:
        raise NotFound
    if entry.is_gone or entry.kind not in drafts.CHANGEABLE:
        raise NotFound
    other = pairing.mentee_id if member.id == pairing.mentor_id else pairing.mentor_id
    zone = await zone_of(session, member)
    return EntryPage(
        pairing, entry, await session.get_one(Member, other), zone,
        drafts.typed_of(entry, zone), entry.kind in drafts.REMOVABLE,
    )  # fmt: skip


@dataclass(frozen=True)
class Certificate:
    """What a certificate says of a pair that has completed what it set out to do."""

    pairing: Pairing
    mentor: Member
    mentee: Member
    programme: Programme | None
    skills: tuple[str, ...]
    sessions: int
    minutes: int


async def certificate(session: AsyncSession, member: Member, pairing_id: int) -> Certificate:
    """The certificate of a completed pair, for the two of it."""
    shown = await page(session, member, pairing_id)
    if shown.pairing.state != PairState.COMPLETED:
        raise NotFound("There is a certificate once you have completed it.")
    card = await session.get_one(MentorCard, shown.pairing.card_id)
    offered = profiles.unpack_offered(card.record)
    sessions, minutes = await pairings.held_sessions(session, pairing_id)
    return Certificate(
        shown.pairing,
        shown.mentor,
        shown.mentee,
        shown.programme,
        tuple(skill.name for skill in offered.skills),
        sessions,
        minutes,
    )
