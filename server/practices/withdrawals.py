# SPDX-License-Identifier: Apache-2.0
"""What stewards withdraw from their forum, though another agency wrote it.

The word is the forum's, said in a reply below the practice (`gh:withdraws`), and only its home
gives it or takes it back. The author's home repeats it in the practice's own document, for those
who hold what was made of it and never see the forum.
"""

from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from server.facts import PostDeleted, PracticeWarned
from server.practices import notices
from server.practices.notices import Notice, Warned
from server.practices.standing import reckon_uri
from server.transaction import Transaction
from storage.posts import Post
from storage.practices import PracticeWithdrawal


@dataclass(frozen=True)
class Said:
    """A reply's word that the practice with the id `of` is withdrawn from its forum."""

    of: str
    notice: Notice


async def apply(
    tx: Transaction, about: Warned, notice: Notice | None, at: datetime, note: str = ""
) -> bool:
    """What the forum of a practice says of it from `at` on; None takes it back.

    Older news than what is held changes nothing; answers whether anything changed.
    """
    row = await tx.session.get(PracticeWithdrawal, about.uri)
    if row is None and notice is None:
        return False
    if row is not None and (at < row.at or not _differs(row, notice)):
        return False
    row = row or PracticeWithdrawal(uri=about.uri, note="", stated=False)
    if notice is not None:
        row.words, row.given, row.forum = notice.words, min(notice.given, tx.now), notice.forum
        row.note = note
    row.title, row.url, row.agency = about.title, about.url, about.agency
    row.active, row.at = notice is not None, at
    tx.session.add(row)
    await _heard(tx, row, about.by)
    return True


def _differs(row: PracticeWithdrawal, notice: Notice | None) -> bool:
    return row.active != (notice is not None) or (notice is not None and row.words != notice.words)


async def stated(tx: Transaction, about: Warned, *, stands: bool) -> None:
    """The author's home says, in the practice itself, that it is withdrawn, or no more so.

    Who holds the forum goes by the forum; those it points to the practice are told again.
    """
    row = await tx.session.get(PracticeWithdrawal, about.uri)
    if row is not None and row.stated != stands:
        row.stated = stands
        if row.active == stands:
            await _heard(tx, row, about.by)


async def forget(tx: Transaction, fact: PostDeleted) -> None:
    """The reply that said so is gone: the practice stands again in its forum."""
    post = await tx.session.get_one(Post, fact.post)
    question = select(PracticeWithdrawal).where(
        PracticeWithdrawal.note == post.uri, PracticeWithdrawal.active
    )
    row = (await tx.session.execute(question)).scalars().first()
    if row is not None:
        # As old as it was: what the forum says next may have been written before we heard of this.
        row.active = False
        await _heard(tx, row, fact.by or post.author_id)


async def _heard(tx: Transaction, row: PracticeWithdrawal, by: int) -> None:
    await tx.session.flush()
    await reckon_uri(tx, row.uri)
    tx.record(PracticeWarned(row.uri, by, int(tx.now.timestamp() * 1_000)))


async def of_notes(session: AsyncSession, posts: dict[int, str]) -> dict[int, Said]:
    """What replies say of practices, by their id; `posts` are their uris by id."""
    if not posts:
        return {}
    question = select(PracticeWithdrawal).where(
        PracticeWithdrawal.note.in_(posts.values()), PracticeWithdrawal.active
    )
    rows = (await session.execute(question)).scalars()
    found = {row.note: Said(row.uri, notices.read(row)) for row in rows}
    return {number: found[uri] for number, uri in posts.items() if uri in found}


def by_forum(said: Said, title: str) -> Notice:
    """The notice as the forum of this title gives it."""
    return replace(said.notice, forum=title)
