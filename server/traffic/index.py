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
from server.peers import GUILDHALL
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
    REFUSING = "refusing"


@dataclass(frozen=True)
class Line:
    """A peer with what its lanes have done; `behind` when one is not at the end of the log.

    `refusing` of its `inboxes`, those still used, have refused all they were sent, the first
    `refusing_since`.
    Whatever process sends, it has `in_hand` of them now. `given_up` is when what waited had
    waited too long, unless it was made good.
    """

    peer: Peer
    delivered: int
    refused: int
    last_refusal: str
    parked: int
    behind: bool
    given_up: datetime | None
    inboxes: int
    refusing: int
    refusing_since: datetime | None
    in_hand: int

    @property
    def compares(self) -> bool:
        """Whether its software makes good by itself what was given up."""
        return self.peer.software == GUILDHALL

    @property
    def catch_up(self) -> datetime | None:
        """When something was given up that is still to be made good.

        What does not compare gets nothing of it again: once it takes what is new, that is over.
        """
        last = self.peer.last_delivered
        is_over = not self.compares and self.given_up and last and last > self.given_up
        return None if is_over else self.given_up

    @property
    def said(self) -> str:
        """The last error, in the peer's own words where it had any: one line."""
        return said(self.peer.last_error)

    @property
    def refused_with(self) -> str:
        """What it said when it refused, as one line."""
        return said(self.last_refusal)


@dataclass(frozen=True)
class PeerList:
    """One page of peers; `after` is the host that the next page begins behind, if there is one."""

    lines: list[Line]
    after: str | None
    failing: int
    paused: int
    refusing: int


def said(error: str) -> str:
    """What came back, as one line that neither hides nor reorders anything."""
    return text.clean_line(error, LONGEST_SAID)


async def peer_list(
    session: AsyncSession, now: datetime, *, find: str = "", show: Show = Show.ALL, after: str = ""
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
    elif show is Show.REFUSING:
        conditions.append(traffic.is_refusing(now))
    if after:
        conditions.append(Peer.host > after)
    question = traffic.known(*conditions, limit=PAGE + 1)
    found = list((await session.execute(question)).scalars())
    refusing = select(func.count()).select_from(Peer).where(traffic.is_refusing(now))
    counts = await session.execute(
        select(
            func.count(Peer.failing_since), func.count(Peer.paused), refusing.scalar_subquery()
        ).select_from(Peer)
    )
    shown = found[:PAGE]
    lines = await _lines(session, now, shown, [peer.host for peer in shown])
    return PeerList(lines, shown[-1].host if len(found) > PAGE else None, *counts.one())


async def every_line(session: AsyncSession, now: datetime) -> list[Line]:
    """Every peer, by host, in as many queries as for one."""
    every = list((await session.execute(traffic.known())).scalars())
    return await _lines(session, now, every, None)


async def line_of(session: AsyncSession, host: str, now: datetime) -> Line:
    """One peer's line; NotFound when we know none of that name."""
    peer = await session.get(Peer, host.strip().lower())
    if peer is None:
        raise NotFound(f"We have never heard of {host}.")
    return (await _lines(session, now, [peer], [peer.host]))[0]


async def _lines(
    session: AsyncSession, now: datetime, peers: list[Peer], hosts: Sequence[str] | None
) -> list[Line]:
    sums = await traffic.sums(session, now, hosts)
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
            given_up=found.catch_up,
            inboxes=found.lanes,
            refusing=found.refusing,
            refusing_since=found.refusing_since,
            in_hand=found.in_hand,
        )

    return [of(peer) for peer in peers]
