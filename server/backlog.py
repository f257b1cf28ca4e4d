# SPDX-License-Identifier: Apache-2.0
"""How much waits for a peer and from it."""

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from server.errors import NotFound
from storage.inbox import InboxRow, InboxState
from storage.log import Lane, LogRow
from storage.peers import Peer


async def backlog(session: AsyncSession, host: str) -> tuple[int, int]:
    """(deliveries outstanding to a peer, activities of it unapplied)."""
    peer = await session.get(Peer, host)
    if peer is None:
        raise NotFound(f"We have never heard of {host}.")
    behind = (
        select(func.count())
        .select_from(Lane)
        .join(LogRow, LogRow.seq > Lane.cursor)
        .where(Lane.peer == host)
    )
    received = (
        select(func.count())
        .select_from(InboxRow)
        .where(
            InboxRow.state == InboxState.WAITING,
            InboxRow.signer.startswith(f"{peer.origin}/", autoescape=True),
        )
    )
    return (
        (await session.execute(behind)).scalar_one(),
        (await session.execute(received)).scalar_one(),
    )
