# SPDX-License-Identifier: Apache-2.0
"""The agencies we share with, as pages list them."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from server.peers import decide, rules
from server.settings import Federation
from storage.peers import Peer

A_PAGE = 100


@dataclass(frozen=True)
class Agencies:
    """Some of the peers that policy lets in, by host; `after` is where the next ones begin."""

    peers: list[Peer]
    after: str | None


async def page(
    session: AsyncSession, mode: Federation, now: datetime, *, after: str = ""
) -> Agencies:
    """The peers whom policy lets in, A_PAGE at a time."""
    in_force = await rules(session)
    found: list[Peer] = []
    while len(found) <= A_PAGE:
        question = select(Peer).where(Peer.host > after).order_by(Peer.host).limit(A_PAGE * 5)
        read = list((await session.execute(question)).scalars())
        found += [peer for peer in read if decide(mode, in_force, peer.host, now).allowed]
        if len(read) < A_PAGE * 5:
            break
        after = read[-1].host
    more = len(found) > A_PAGE
    shown = found[:A_PAGE]
    return Agencies(shown, shown[-1].host if more else None)


async def known(session: AsyncSession, host: str) -> Peer | None:
    """What we know of a host."""
    return await session.get(Peer, host)


async def with_port(session: AsyncSession, host: str) -> str:
    """The host with the port of the one peer known under its name, where it was left out."""
    if ":" in host:
        return host
    question = (
        select(Peer.host)
        .where(or_(Peer.host == host, Peer.host.startswith(f"{host}:", autoescape=True)))
        .limit(2)
    )
    named = list((await session.execute(question)).scalars())
    return named[0] if len(named) == 1 else host
