# SPDX-License-Identifier: Apache-2.0
"""What mentors, mentees and stewards are told, on the site and by letter."""

from datetime import timedelta
from enum import StrEnum

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from server import letters
from server.transaction import Transaction
from storage.base import UtcDateTime
from storage.members import Member, MemberState
from storage.mentoring import (
    EntryKind,
    Match,
    MentorCard,
    MentoringNotice,
    Pairing,
    ProgrammeSteward,
)
from storage.plain import given

PAGE = 30
KEPT = timedelta(days=180)
# Written once, for it is asked every few minutes.
_READ_LONG_AGO = (
    delete(MentoringNotice)
    .where(MentoringNotice.read < given("before", UtcDateTime()))
    .execution_options(synchronize_session=False)
)


class Notice(StrEnum):
    """What happened."""

    ASKED = "asked"
    PROPOSED = "proposed"
    ACCEPTED = "accepted"
    MET = "met"
    DECLINED = "declined"
    EXPIRED = "expired"
    TERMS = "terms"
    AGREED = "agreed"
    CROSSED = "crossed"
    SESSION = "session"
    SESSION_CHANGED = "session_changed"
    MESSAGE = "message"
    WRITTEN = "written"
    FEEDBACK = "feedback"
    FEEDBACK_DUE = "feedback_due"
    PAUSED = "paused"
    RESUMED = "resumed"
    PARTED = "parted"
    COMPLETED = "completed"
    REPORTED = "reported"


WORDS: dict[str, str] = {
    Notice.ASKED: "{} asks you to mentor them",
    Notice.PROPOSED: "A steward proposes {} as your mentor",
    Notice.ACCEPTED: "{} is your mentor now",
    Notice.MET: "{} is who asked you, and you mentor them now",
    Notice.DECLINED: "{} cannot mentor you",
    Notice.EXPIRED: "{} has not answered in time",
    Notice.TERMS: "{} proposes what the two of you agree on",
    Notice.AGREED: "{} agrees with what you proposed",
    Notice.CROSSED: "{} proposed something at the same moment: yours is among your notes",
    Notice.SESSION: "{} planned a session with you",
    Notice.SESSION_CHANGED: "{} changed a session with you",
    Notice.MESSAGE: "{} wrote to you",
    Notice.WRITTEN: "{} wrote something down for the two of you",
    Notice.FEEDBACK: "{} gave you feedback",
    Notice.FEEDBACK_DUE: "How did it go with {}? Say whether you met, and what helped",
    Notice.PAUSED: "{} pauses your meetings for a while",
    Notice.RESUMED: "{} goes on with your meetings",
    Notice.PARTED: "{} has ended it",
    Notice.COMPLETED: "You have completed it with {}: say how helpful it was",
    Notice.REPORTED: "Somebody tells the stewards that something is not right",
}
NOBODY = "Somebody"
SUBJECT = "News in mentoring"
# Told on the site alone.
QUIET = frozenset({Notice.WRITTEN, Notice.PAUSED, Notice.RESUMED, Notice.AGREED})
OF_ENTRIES: dict[EntryKind, Notice] = {
    EntryKind.MESSAGE: Notice.MESSAGE,
    EntryKind.SESSION: Notice.SESSION,
    EntryKind.FEEDBACK: Notice.FEEDBACK,
}


def sentence(kind: str, who: str) -> str:
    """What a notice says."""
    return WORDS[kind].format(who or NOBODY)


async def tell(tx: Transaction, member_id: int | None, kind: Notice, who: str, path: str) -> None:
    """Tell a member of ours; nobody of another agency, whose own instance does that.

    What they have not read yet is not told again, but stands first: there is one letter for it.
    A letter says who it is about and where to look, and nothing that anybody wrote.
    """
    member = await tx.session.get(Member, member_id) if member_id is not None else None
    if member is None or not member.is_local or member.state != MemberState.ACTIVE:
        return
    waits = update(MentoringNotice).where(
        MentoringNotice.member_id == member.id,
        MentoringNotice.read.is_(None),
        MentoringNotice.kind == kind.value,
        MentoringNotice.path == path,
    )
    found = await tx.session.execute(waits.values(created=tx.now, who=who))
    if found.rowcount:  # type: ignore[attr-defined]
        return
    tx.session.add(
        MentoringNotice(
            id=tx.ids.next(), member_id=member.id, kind=kind.value, who=who, path=path,
            created=tx.now,
        )
    )  # fmt: skip
    if kind not in QUIET:
        words = f"{sentence(kind, who)}.\n\nIt stands here, for you:\n{tx.settings.origin}{path}\n"
        await letters.tell(tx, member, letters.About.MENTORING, SUBJECT, words)


async def tell_mentor(tx: Transaction, match: Match, who: str) -> None:
    """A mentor of ours is told that somebody (`who`, "" without a name) asks them."""
    await tell(tx, match.mentor_id, Notice.ASKED, who, page_of_ask(match))


def page_of_ask(match: Match) -> str:
    """Where a mentor answers."""
    return f"/mentoring/asks/{match.id}"


async def tell_mentee(tx: Transaction, match: Match, kind: Notice) -> None:
    """A mentee of ours is told what came of a match, with their request."""
    card = await tx.session.get_one(MentorCard, match.card_id)
    path = f"/mentoring/requests/{match.need_id}"
    await tell(tx, match.mentee_id, kind, card.name, path)


async def tell_other(tx: Transaction, pairing: Pairing, by: Member, kind: Notice) -> None:
    """Tell the other one of a pair what `by` did."""
    other = pairing.mentee_id if by.id == pairing.mentor_id else pairing.mentor_id
    await tell(tx, other, kind, by.name, page_of(pairing))


async def tell_both(tx: Transaction, pairing: Pairing, kind: Notice) -> None:
    """Tell each of a pair, by the name of the other."""
    people = [
        await tx.session.get_one(Member, number)
        for number in (pairing.mentor_id, pairing.mentee_id)
    ]
    for one, other in (people, people[::-1]):
        await tell(tx, one.id, kind, other.name, page_of(pairing))


async def tell_stewards(tx: Transaction, pairing: Pairing, about: int) -> None:
    """Tell those who look after the programme, but not whom it is about, that they have a report.

    A pair that was made from elsewhere may be of no programme here: then there is nobody to tell.
    """
    question = select(ProgrammeSteward.member_id).where(
        ProgrammeSteward.programme_id == pairing.programme_id, ProgrammeSteward.member_id != about
    )
    for number in (await tx.session.execute(question)).scalars().all():
        path = f"/mentoring/programmes/{pairing.programme_id}/desk"
        await tell(tx, number, Notice.REPORTED, "", path)


def page_of(pairing: Pairing) -> str:
    """Where a pair meets."""
    return f"/mentoring/pairs/{pairing.id}"


async def forget(tx: Transaction, member_id: int | None, path: str) -> None:
    """What stood at this path is no longer asked of somebody."""
    await tx.session.execute(
        delete(MentoringNotice).where(
            MentoringNotice.member_id == member_id,
            MentoringNotice.read.is_(None),
            MentoringNotice.path == path,
        )
    )


async def latest(session: AsyncSession, member: Member) -> list[MentoringNotice]:
    """The last PAGE notices of a member, newest first."""
    question = (
        select(MentoringNotice)
        .where(MentoringNotice.member_id == member.id)
        .order_by(MentoringNotice.id.desc())
        .limit(PAGE)
    )
    return list((await session.execute(question)).scalars())


async def mark_read(tx: Transaction, member: Member, path: str | None = None) -> None:
    """Mark all as read, or those about the page of this path."""
    question = update(MentoringNotice).where(
        MentoringNotice.member_id == member.id, MentoringNotice.read.is_(None)
    )
    if path is not None:
        question = question.where(MentoringNotice.path == path)
    await tx.session.execute(question.values(read=tx.now))


async def tidy(tx: Transaction) -> None:
    """Forget what was read long ago."""
    await tx.session.execute(_READ_LONG_AGO, {"before": tx.now - KEPT})
