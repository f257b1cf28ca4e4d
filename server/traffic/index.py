# SPDX-License-Identifier: Apache-2.0
"""The list of peers, by host, with how each of them fares."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from server import text
from server.errors import NotFound
from storage import traffic
from storage.log import last_seq
from storage.peers import Peer
from storage.traffic import Sums

PAGE = 50
LONGEST_SEARCH = 255
LONGEST_SAID = 300


class Show(StrEnum):
    """Which peers a list shows."""

    ALL = "all"
    FAILING = "failing"
    PAUSED = "paused"


@dataclass(frozen=True)
class Line:
    """A peer with what its lanes have done; `behind` when one is not at the end of the log."""

    peer: Peer
    delivered: int
    refused: int
    last_refusal: str
    parked: int
    behind: bool
    catch_up: datetime | None

    @property
    def said(self) -> str:
        """The last error, in the peer's own words where it had any: one line."""
        return said(self.peer.last_error)


@dataclass(frozen=True)
class PeerList:
    """One page of peers; `after` is the host that the next page begins behind, if there is one."""

    lines: list[Line]
    after: str | None
    failing: int
    paused: int


def said(error: str) -> str:
    """What came back, as one line that neither hides nor reorders anything."""
    return text.clean_line(error, LONGEST_SAID)


async def peer_list(
    session: AsyncSession, *, find: str = "", show: Show = Show.ALL, after: str = ""
) -> PeerList:
    """Up to PAGE peers whose host holds `find`, behind the host `after`; always five queries."""
    conditions: list[ColumnElement[bool]] = []
    wanted = find.strip().lower()[:LONGEST_SEARCH]
    if wanted:
        conditions.append(Peer.host.contains(wanted, autoescape=True))
    if show is Show.FAILING:
        conditions.append(Peer.failing_since.is_not(None))
    elif show is Show.PAUSED:
        conditions.append(Peer.paused.is_not(None))
    if after:
        conditions.append(Peer.host > after)
    question = traffic.known(*conditions, limit=PAGE + 1)
    found = list((await session.execute(question)).scalars())
    counts = await session.execute(
        select(func.count(Peer.failing_since), func.count(Peer.paused)).select_from(Peer)
    )
    failing, paused = counts.one()
    shown = found[:PAGE]
    lines = await _lines(session, shown, [peer.host for peer in shown])
    return PeerList(lines, shown[-1].host if len(found) > PAGE else None, failing, paused)


async def every_line(session: AsyncSession) -> list[Line]:
    """Every peer, by host, in as many queries as for one."""
    return await _lines(session, list((await session.execute(traffic.known())).scalars()), None)


async def line_of(session: AsyncSession, host: str) -> Line:
    """One peer's line; NotFound when we know none of that name."""
    peer = await session.get(Peer, host.strip().lower())
    if peer is None:
        raise NotFound(f"We have never heard of {host}.")
    return (await _lines(session, [peer], [peer.host]))[0]


async def _lines(
    session: AsyncSession, peers: list[Peer], hosts: Sequence[str] | None
) -> list[Line]:
    sums = await traffic.sums(session, hosts)
    parked = await traffic.parked_counts(session, hosts)
    newest = await last_seq(session)

    def of(peer: Peer) -> Line:
        found = sums.get(peer.host, Sums())
        return Line(
            peer,
            delivered=found.delivered,
            refused=found.refused,
            last_refusal=found.last_refusal,
            parked=parked.get(peer.host, 0),
            behind=found.cursor is not None and found.cursor < newest,
            catch_up=found.catch_up,
        )

    return [of(peer) for peer in peers]
