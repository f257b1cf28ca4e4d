# SPDX-License-Identifier: Apache-2.0
"""All that is known of one peer, for its page and for the command line."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from sqlalchemy.ext.asyncio import AsyncSession

from server.software import forms_for
from server.traffic.index import Line, line_of, said
from server.traffic.parked import Subject, subjects, verb
from storage import traffic
from storage.peers import Peer
from storage.traffic import Count

MOST = 10_000
MOST_PARKED = 50
MOST_SAID = 5
MOST_OF_PARKED = 2


class Traffic(Protocol):
    """What only the process that sends knows, filled in by the roof."""

    def in_flight(self, host: str) -> int:
        """How many deliveries to a peer are under way at this moment."""
        ...


@dataclass(frozen=True)
class ParkedEntry:
    """One entry that a peer did not take while it took others; `at` is when it was written.

    One that is `behind` another of its thread was not tried itself: it goes after that one.
    """

    verb: str
    subject: Subject | None
    uri: str
    at: datetime
    attempts: int
    next_try: datetime
    error: str
    behind: bool


class About(StrEnum):
    """When a peer said something."""

    UNREACHED = "not reached"
    REFUSED = "refused"
    PARKED = "parked"


@dataclass(frozen=True)
class Said:
    """What came back: the peer's own words, or what we noted where it had none; one line."""

    about: About
    words: str


@dataclass(frozen=True)
class PeerPage:
    """A peer, and how sharing with it fares.

    `in_flight` is None where another process sends. `oldest` is when the first of the
    `outstanding` was written, and `lag` how long ago that is. `parked` holds at most MOST_PARKED
    of `line.parked` entries, the oldest. `unapplied` were received and not yet worked on.
    """

    line: Line
    in_flight: int | None
    outstanding: Count
    oldest: datetime | None
    lag: timedelta | None
    parked: list[ParkedEntry]
    unapplied: Count
    said: list[Said]

    @property
    def peer(self) -> Peer:
        return self.line.peer


async def peer_page(
    session: AsyncSession, host: str, now: datetime, sending: Traffic | None = None
) -> PeerPage:
    """The page of a peer; NotFound when we know none of that name."""
    line = await line_of(session, host, now)
    peer = line.peer
    parked = await _parked(session, peer.host)
    refusals = await traffic.refusals(session, peer.host, MOST_SAID)
    outstanding, oldest = Count(0, more=False), None
    if line.behind:
        forms = forms_for(peer)
        outstanding = await traffic.outstanding(session, peer.host, forms, MOST)
        oldest = await traffic.oldest_outstanding(session, peer.host, forms)
    return PeerPage(
        line=line,
        in_flight=None if sending is None else sending.in_flight(peer.host),
        outstanding=outstanding,
        oldest=oldest,
        lag=None if oldest is None else max(now - oldest, timedelta(0)),
        parked=parked,
        unapplied=await traffic.unapplied(session, peer.origin, MOST),
        said=_said(
            (About.UNREACHED, [peer.last_error]),
            (About.PARKED, [entry.error for entry in parked if not entry.behind][:MOST_OF_PARKED]),
            (About.REFUSED, refusals),
        ),
    )


async def _parked(session: AsyncSession, host: str) -> list[ParkedEntry]:
    rows = await traffic.parked(session, host, MOST_PARKED)
    about = await subjects(session, (row.subject for _, row, _ in rows))
    threads: set[tuple[int, str]] = set()
    entries = []
    for held, row, body in rows:
        thread = (held.lane_id, held.order_key)
        entry = ParkedEntry(
            verb=verb(row, body),
            subject=about.get(row.subject),
            uri=row.subject,
            at=row.at,
            attempts=held.attempts,
            next_try=held.next_try,
            error=said(held.error),
            behind=thread in threads,
        )
        threads.add(thread)
        entries.append(entry)
    return entries


def _said(*errors: tuple[About, list[str]]) -> list[Said]:
    """The first few of these, each once."""
    found: dict[str, Said] = {}
    for about, sentences in errors:
        for words in map(said, sentences):
            if words:
                found.setdefault(words, Said(about, words))
    return list(found.values())[:MOST_SAID]
