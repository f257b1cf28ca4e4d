# SPDX-License-Identifier: Apache-2.0
"""Deletions that came before what they delete."""

from sqlalchemy.ext.asyncio import AsyncSession

from server.transaction import Transaction
from storage import inbox
from storage.base import insert
from storage.inbox import InboxRow, InboxState

KIND = "Tombstone"


async def remember(tx: Transaction, signer: str, uri: str) -> None:
    """Whatever `signer` sends under this id from now on was deleted already.

    It stands among what was received, where the same question is asked of every repeat.
    """
    await tx.session.execute(
        insert(tx.session, InboxRow)
        .values(
            id=tx.ids.next(),
            signer=signer,
            activity_id=uri,
            kind=KIND,
            key_id="",
            request_digest="",
            body=None,
            received=tx.now,
            state=InboxState.IGNORED,
            attempts=0,
            next_try=tx.now,
            note="It was deleted before it came.",
        )
        .on_conflict_do_nothing(index_elements=["signer", "activity_id"])
    )


async def stands(session: AsyncSession, signer: str, uri: str) -> bool:
    """Whether `signer` deleted it before it came."""
    return await inbox.kind_of(session, signer, uri) == KIND
