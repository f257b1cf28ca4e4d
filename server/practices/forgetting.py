# SPDX-License-Identifier: Apache-2.0
"""Leaving nothing of a deleted practice, and of drafts that are done."""

from collections.abc import Iterable

from sqlalchemy import delete, select, update

from server.facts import PostDeleted
from server.practices import withdrawals
from server.practices.standing import reckon_uri
from server.transaction import Transaction
from storage.posts import Post
from storage.practices import (
    ChangeOffer,
    Practice,
    PracticeDraft,
    PracticeDraftPerson,
    PracticeFacet,
    PracticeNotice,
    PracticeThread,
    PracticeVersion,
    PracticeWithdrawal,
)
from storage.replications import Announcing, Replication
from storage.reviews import ReviewStatement
from storage.versions import COUNTED


async def forget(tx: Transaction, fact: PostDeleted) -> None:
    """Leave nothing of a deleted practice: its record, its versions, drafts of more of them."""
    begun = select(PracticeDraft.id).where(PracticeDraft.post_id == fact.post)
    await drop_drafts(tx, (await tx.session.execute(begun)).scalars())
    for column in (PracticeDraft.source_id, PracticeDraft.thread_id):
        await tx.session.execute(
            update(PracticeDraft).where(column == fact.post).values({column.key: None})
        )
    post = await tx.session.get_one(Post, fact.post)
    for notice in (PracticeNotice, PracticeWithdrawal):
        await tx.session.execute(delete(notice).where(notice.uri == post.uri))
    for table in (PracticeVersion, PracticeFacet, Practice, Announcing, ChangeOffer):
        forgotten = delete(table).where(table.post_id == fact.post)
        await tx.session.execute(forgotten, execution_options=COUNTED)
    await withdrawals.forget(tx, fact)
    said = await tx.session.get(ReviewStatement, fact.post)
    if said is not None:
        await tx.session.delete(said)
        await tx.session.flush()
        await reckon_uri(tx, said.of)
    report = await tx.session.get(Replication, fact.post)
    if report is not None:
        await tx.session.delete(report)
        await tx.session.flush()
        await reckon_uri(tx, report.of)
    await tx.session.execute(
        delete(PracticeThread).where(
            (PracticeThread.practice_id == fact.post) | (PracticeThread.thread_id == fact.post)
        ),
        execution_options=COUNTED,
    )


async def drop_drafts(tx: Transaction, numbers: Iterable[int]) -> None:
    """Forget drafts, asking nobody."""
    found = list(numbers)
    for table, column in (
        (PracticeDraftPerson, PracticeDraftPerson.draft_id),
        (PracticeDraft, PracticeDraft.id),
    ):
        await tx.session.execute(delete(table).where(column.in_(found)))
