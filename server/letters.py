# SPDX-License-Identifier: Apache-2.0
"""Letters, written with the deed that causes them."""

from collections.abc import Collection
from enum import StrEnum

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from server import text
from server.transaction import Transaction
from storage.letters import Letter, LetterDeclined
from storage.members import Member


class About(StrEnum):
    """What members may have no letters about; the site tells them all the same."""

    EVENTS = "events"
    MENTORING = "mentoring"
    REVIEWS = "reviews"


WORDS: dict[str, str] = {
    About.EVENTS: "Events I signed up for",
    About.MENTORING: "Mentoring",
    About.REVIEWS: "Reviews",
}


def post(
    tx: Transaction, recipient: str, subject: str, body: str, *, about: int | None = None
) -> None:
    """Write a letter; it goes when the transaction has committed.

    Its Message-ID never changes, so that a mail sent twice is recognised. `about` is the post
    that it tells of.
    """
    identifier = tx.ids.next()
    tx.session.add(
        Letter(
            id=identifier,
            post_id=about,
            recipient=recipient,
            subject=text.clean_line(subject, 500),
            text=body,
            message_id=f"<{identifier}@{tx.settings.hostname}>",
            created=tx.now,
            next_try=tx.now,
        )
    )


async def tell(
    tx: Transaction,
    member: Member,
    about: About,
    subject: str,
    body: str,
    *,
    post_id: int | None = None,
) -> None:
    """Write to a member of ours, if they want letters about this, and say how to have none."""
    declined_ = await tx.session.get(LetterDeclined, (member.id, about.value))
    if not member.email or declined_ is not None:
        return
    less = f"\nTo get no such letters: {tx.settings.origin}/notifications#letters\n"
    post(tx, member.email, subject, body + less, about=post_id)


async def declined(session: AsyncSession, member: Member) -> frozenset[str]:
    """What a member wants no letters about."""
    question = select(LetterDeclined.about).where(LetterDeclined.member_id == member.id)
    return frozenset((await session.execute(question)).scalars())


async def choose(tx: Transaction, member: Member, wanted: Collection[str]) -> None:
    """Get letters about these, and about nothing else that can be declined."""
    await tx.session.execute(delete(LetterDeclined).where(LetterDeclined.member_id == member.id))
    for about in About:
        if about.value not in wanted:
            tx.session.add(LetterDeclined(member_id=member.id, about=about.value))
