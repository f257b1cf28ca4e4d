# SPDX-License-Identifier: Apache-2.0
"""What the home of a practice states of its reviews, and everybody reads.

A statement is a reply of a steward's under the practice, which readers who know no reviews
understand as it stands; what it counts travels with it (`gh:reviewed`).
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from server.posts import editing, writing
from server.posts.drafts import ReplyDraft
from server.practices import standing
from server.records.parts import Part, member
from server.records.patterns import ADDRESS
from server.records.values import Number
from server.reviews.course import Seat
from server.reviews.rubric import ACCEPT
from server.transaction import Transaction
from storage.members import Member
from storage.posts import Post, PostState
from storage.reviews import Review, ReviewSeat, ReviewStatement

MOST = 1_000


@dataclass(frozen=True)
class Statement(Part):
    """How many reviewers of how many agencies accepted which version, and how many did not."""

    of: str = member(ADDRESS)
    version: int | None = member(Number(1, whole=True), 1)
    reviewers: int | None = member(Number(0, whole=True), 0)
    agencies: int | None = member(Number(0, whole=True), 0)
    against: int | None = member(Number(0, whole=True), 0)


def count(post: Post, review: Review, seats: list[ReviewSeat]) -> Statement:
    """What is to be stated of an accepted review."""
    given = [seat for seat in seats if seat.state == Seat.ANSWERED]
    accepting = [seat for seat in given if seat.recommendation == ACCEPT]
    return Statement(
        of=post.uri,
        version=review.version,
        reviewers=len(accepting),
        agencies=len({seat.peer for seat in accepting}),
        against=len(given) - len(accepting),
    )


def sentence(said: Statement, at: datetime) -> str:
    """A statement for everybody to read."""
    people = "1 reviewer" if said.reviewers == 1 else f"{said.reviewers} reviewers"
    bodies = "1 agency" if said.agencies == 1 else f"{said.agencies} agencies"
    return (
        f"Peer review: version {said.version} of this practice was reviewed and accepted on"
        f" {at:%-d %B %Y}. {people} of {bodies} recommended it."
    )


async def make(
    tx: Transaction, steward: Member, post: Post, review: Review, said: Statement
) -> None:
    """Tell followers that a practice was accepted; what was told of it before goes."""
    await take_back(tx, steward, post)
    words = sentence(said, tx.now)
    note = await writing.apply_reply(tx, steward, ReplyDraft(words, post.id, post.language))
    review.told_id = note.id
    await apply(tx, note, said, tx.now)


async def take_back(tx: Transaction, steward: Member, post: Post) -> None:
    """State no longer that a practice is reviewed."""
    question = (
        select(Post)
        .join(ReviewStatement, ReviewStatement.post_id == Post.id)
        .where(
            ReviewStatement.of == post.uri, Post.state == PostState.LIVE,
            Post.forum_id == post.forum_id,
        )
        .limit(MOST)
    )  # fmt: skip
    for note in (await tx.session.execute(question)).scalars().all():
        await editing.apply_removal(tx, note, steward, "It is no longer so.")


async def apply(tx: Transaction, note: Post, said: Statement, at: datetime) -> None:
    """The statement of a reply as it then is; the ladder hears of it."""
    held = await tx.session.get(ReviewStatement, note.id)
    row = held or ReviewStatement(post_id=note.id)
    row.of, row.version, row.at = said.of, said.version or 1, min(at, tx.now)
    row.reviewers, row.agencies = said.reviewers or 0, said.agencies or 0
    row.against = said.against or 0
    tx.session.add(row)
    await tx.session.flush()
    await standing.reckon_uri(tx, said.of)


async def of_posts(session: AsyncSession, ids: list[int]) -> dict[int, Statement]:
    """What the replies among posts state, by their id."""
    if not ids:
        return {}
    question = select(ReviewStatement).where(ReviewStatement.post_id.in_(ids))
    return {
        row.post_id: Statement(
            of=row.of, version=row.version, reviewers=row.reviewers, agencies=row.agencies,
            against=row.against,
        )
        for row in (await session.execute(question)).scalars()
    }  # fmt: skip
