# SPDX-License-Identifier: Apache-2.0
"""What is said to the servers we know when a process starts."""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial

from sqlalchemy import select

from federation.errors import WireError
from federation.rounds import ask_each
from federation.station import Station
from server import peers
from storage.forums import CopyState, Forum
from storage.peers import Peer


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

    async def hello(host: str, origin: str) -> None:
        await wire.key_document(f"{origin}/instance/forums")
        await wire.answered(host)

    async def once(name: str, asking: Callable[[], Awaitable[object]]) -> None:
        with suppress(WireError):
            await asking()
        wire.greeted.add(name)

    known: dict[str, Callable[[], Awaitable[object]]] = {
        origin: partial(hello, host, origin) for host, origin in agencies
    }
    known |= {uri: partial(wire.actors.forum, uri, fresh=True) for uri in homes.scalars()}
    left = {name: ask for name, ask in known.items() if name not in wire.greeted}
    await ask_each(
        {name: partial(once, name, ask) for name, ask in left.items()}, "greeting failed"
    )
    wire.greeted.clear()
