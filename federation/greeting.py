# SPDX-License-Identifier: Apache-2.0
"""What is said to the servers we know when a process starts."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial

import structlog
from sqlalchemy import select

from federation.errors import WireError
from federation.station import Station
from server import peers
from storage.forums import CopyState, Forum
from storage.peers import Peer

logger = structlog.get_logger("guildhall.worker")
AT_ONCE = 8


async def greet(wire: Station) -> None:
    """Say hello to the agencies we know, and look at the forums of theirs that we hold.

    A signed request is a sign of life, so a peer that waits for us tries again at once; so
    is its answer, and what waits here for the peer need not wait any longer. Who does not answer
    stops nobody; the first fault of our own is raised once all were greeted, and the next call
    greets only those that met one.
    """
    async with wire.instance.reading() as session:
        agencies = await session.execute(
            select(Peer.host, Peer.origin).where(Peer.software == peers.GUILDHALL)
        )
        homes = await session.execute(
            select(Forum.uri).where(Forum.peer.is_not(None), Forum.copy_state != CopyState.KNOWN)
        )
    room = asyncio.Semaphore(AT_ONCE)

    async def politely(uri: str, asking: Callable[[], Awaitable[object]]) -> None:
        if uri in wire.greeted:
            return
        async with room:
            with suppress(WireError):
                await asking()
        wire.greeted.add(uri)

    async def hello(host: str, origin: str) -> None:
        await wire.key_document(f"{origin}/instance/forums")
        await wire.answered(host)

    ends = await asyncio.gather(
        *(politely(origin, partial(hello, host, origin)) for host, origin in agencies),
        *(politely(uri, partial(wire.actors.forum, uri, fresh=True)) for uri in homes.scalars()),
        return_exceptions=True,
    )
    faults = [end for end in ends if isinstance(end, BaseException)]
    for fault in faults[1:]:
        logger.error("greeting failed", exc_info=fault)
    if faults:
        raise faults[0]
    wire.greeted.clear()
