# SPDX-License-Identifier: Apache-2.0
"""A poll goes with its thread."""

from sqlalchemy import delete

from server.facts import PostDeleted
from server.transaction import Transaction
from storage.polls import Poll, PollOption, PollVote


async def forget(tx: Transaction, fact: PostDeleted) -> None:
    for table in (PollVote, PollOption, Poll):
        await tx.session.execute(delete(table).where(table.post_id == fact.post))
