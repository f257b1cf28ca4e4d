# SPDX-License-Identifier: Apache-2.0
"""What people are told about reviews, on the site and by letter."""

from collections.abc import Iterable
from enum import StrEnum

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from server import letters
from server.transaction import Transaction
from storage.forums import ForumSteward
from storage.members import Member, MemberState
from storage.plain import Put, Question, ask, given
from storage.reviews import ReviewNotice

PAGE = 30


class Notice(StrEnum):
    """What happened."""

    SUBMITTED = "submitted"
    OFFERED = "offered"
    ASKED = "asked"
    HANDED_BACK = "handed_back"
    DUE = "due"
    TOOK = "took"
    REFUSED = "refused"
    ANSWERED = "answered"
    LAPSED = "lapsed"
    RELEASED = "released"
    DECIDED = "decided"
    OUTCOME = "outcome"
    PUBLISHED = "published"
    WITHDRAWN = "withdrawn"


WORDS: dict[str, str] = {
    Notice.SUBMITTED: "Its author asks for a review of “{}”",
    Notice.OFFERED: "Our agency is asked to review “{}”",
    Notice.ASKED: "You are asked to review “{}”",
    Notice.HANDED_BACK: "Whom you asked cannot review “{}”",
    Notice.DUE: "Your review of “{}” is due soon",
    Notice.TOOK: "A reviewer accepted to review “{}”",
    Notice.REFUSED: "A reviewer declined to review “{}”",
    Notice.ANSWERED: "There is a review of “{}” to read",
    Notice.LAPSED: "A reviewer let the day go by for “{}”",
    Notice.RELEASED: "Your review of “{}” is no longer asked for",
    Notice.DECIDED: "The review of “{}” is decided",
    Notice.OUTCOME: "What you reviewed is decided: “{}”",
    Notice.PUBLISHED: "What you reviewed is published: “{}”",
    Notice.WITHDRAWN: "The review of “{}” was withdrawn",
}


# The same for all: admins may read letters, and are not to learn from them who reviews what.
SUBJECT = "News about a review"
LETTER = "There is news about a review that you take part in. It is told on the site:"


def sentence(kind: str, title: str) -> str:
    """What a notice says."""
    return WORDS[kind].format(title)


async def tell(tx: Transaction, member: Member | None, kind: Notice, title: str, path: str) -> None:
    """Tell a member of ours, on the site and by letter."""
    if member is None or not member.is_local or member.state != MemberState.ACTIVE:
        return
    tx.session.add(
        ReviewNotice(
            id=tx.ids.next(), member_id=member.id, kind=kind.value, title=title[:500], path=path,
            created=tx.now,
        )
    )  # fmt: skip
    body = f"{LETTER}\n{tx.settings.origin}/reviews\n"
    await letters.tell(tx, member, letters.About.REVIEWS, SUBJECT, body)


async def tell_all(
    tx: Transaction, people: Iterable[Member], kind: Notice, title: str, path: str
) -> None:
    """Tell several."""
    for member in people:
        await tell(tx, member, kind, title, path)


async def stewards(tx: Transaction, forum: int) -> list[Member]:
    """The stewards of a forum who are members here."""
    question = (
        select(Member)
        .join(ForumSteward, ForumSteward.member_id == Member.id)
        .where(ForumSteward.forum_id == forum, Member.peer.is_(None))
        .order_by(Member.id)
        .limit(50)
    )
    return list((await tx.session.execute(question)).scalars())


async def admins(tx: Transaction) -> list[Member]:
    """Those who may name a reviewer of our agency."""
    question = (
        select(Member).where(Member.is_admin, Member.peer.is_(None)).order_by(Member.id).limit(50)
    )
    return list((await tx.session.execute(question)).scalars())


# Every page of a member asks it.
_UNREAD = Question(
    select(func.count()).where(ReviewNotice.member_id == given("me"), ReviewNotice.read.is_(None)),
    int,
)


def ahead(member: int) -> Put:
    """What `unread_count` asks."""
    return _UNREAD, {"me": member}


async def unread_count(session: AsyncSession, member: Member) -> int:
    """How many of these a member has not read."""
    return (await ask(session, _UNREAD, me=member.id))[0]


async def latest(session: AsyncSession, member: Member) -> list[ReviewNotice]:
    """The last PAGE of them, newest first."""
    question = (
        select(ReviewNotice)
        .where(ReviewNotice.member_id == member.id)
        .order_by(ReviewNotice.id.desc())
        .limit(PAGE)
    )
    return list((await session.execute(question)).scalars())


async def mark_read(tx: Transaction, member: Member, path: str | None = None) -> None:
    """Mark all as read, or those about the page of this path."""
    question = update(ReviewNotice).where(
        ReviewNotice.member_id == member.id, ReviewNotice.read.is_(None)
    )
    if path is not None:
        question = question.where(ReviewNotice.path == path)
    await tx.session.execute(question.values(read=tx.now))


async def follow(tx: Transaction, member: int, old: str, new: str) -> None:
    """What a member was told about one page leads to another from now on."""
    question = update(ReviewNotice).where(
        ReviewNotice.member_id == member, ReviewNotice.path == old
    )
    await tx.session.execute(question.values(path=new))
