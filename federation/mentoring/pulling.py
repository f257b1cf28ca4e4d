# SPDX-License-Identifier: Apache-2.0
"""Fetching the mentor cards of listed agencies while a programme is open.

Nothing about a need goes out with it: every agency is asked for the same list, whether or not
anybody here looks for a mentor; only how soon depends on that.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus

import structlog
from sqlalchemy import func, select

from federation.actors import Actors
from federation.errors import StatusError, WireError
from federation.mentoring import serving, wire
from federation.mentoring.serving import MOST_CARDS
from federation.vocabulary.collections import parse_collection
from federation.vocabulary.errors import Malformed
from federation.wire import Wire
from server import peers
from server.mentoring import cards
from storage.mentoring import Need, NeedState, Pull, offers
from storage.peers import Peer, PolicyRule, Verdict

logger = structlog.get_logger("guildhall.mentoring")
EVERY = timedelta(hours=1)
# Of those who gave nothing: they may have had no programme open, or not known us yet.
SOONER = timedelta(minutes=10)
AGAIN_AFTER = timedelta(seconds=30)
IDLE = 600.0
AT_ONCE = 200


@dataclass(frozen=True)
class _Due:
    """An agency to be asked."""

    host: str
    origin: str
    agency: str


class Pulling:
    """Asks each agency once an hour, and soon after somebody here has opened a request.

    One that gave no card is asked every ten minutes.
    """

    def __init__(self, wire: Wire, actors: Actors) -> None:
        self._wire = wire
        self._actors = actors

    async def are_wanted(self) -> bool:
        """Whether a programme that looks beyond this agency is open."""
        async with self._wire.instance.reading() as session:
            return bool(await offers.open_programmes(session, with_agencies=True))

    async def run_due(self) -> float:
        """Ask those that are due, one after the other; answers the seconds until the next."""
        instance = self._wire.instance
        async with instance.reading() as session:
            rules = await peers.rules(session)
        await self._meet(rules)
        async with instance.reading() as session:
            newest = select(func.max(Need.updated)).where(Need.state == NeedState.OPEN)
            wanted = (await session.execute(newest)).scalar_one_or_none()
        now, mode = instance.clock.now(), instance.settings.federates
        next_due = now + EVERY
        async for peer, pull in self._agencies():
            if not peers.decide(mode, rules, peer.host, now).explicit:
                continue
            when = _when(pull, wanted)
            if when is None or when <= now:
                await self._pull(_Due(peer.host, peer.origin, peer.name))
            else:
                next_due = min(next_due, when)
        return min(IDLE, max(1.0, (next_due - now).total_seconds()))

    async def _agencies(self) -> AsyncIterator[tuple[Peer, Pull | None]]:
        """Every peer that runs Guildhall, and when it was last asked, some hundreds at a time."""
        last = ""
        while True:
            question = (
                select(Peer, Pull)
                .outerjoin(Pull, Pull.host == Peer.host)
                .where(Peer.software == peers.GUILDHALL, Peer.host > last)
                .order_by(Peer.host)
                .limit(AT_ONCE)
            )
            async with self._wire.instance.reading() as session:
                found = (await session.execute(question)).all()
            for peer, pull in found:
                yield peer, pull
            if len(found) < AT_ONCE:
                return
            last = found[-1][0].host

    async def _meet(self, rules: list[PolicyRule]) -> None:
        """Learn what those run whom a rule names and nobody has met yet."""
        named = {
            rule.pattern
            for rule in rules
            if rule.verdict == Verdict.ALLOW and "*" not in rule.pattern
        }
        question, last = select(Peer.host).order_by(Peer.host).limit(AT_ONCE), ""
        async with self._wire.instance.reading() as session:
            while named and (
                hosts := (await session.execute(question.where(Peer.host > last))).scalars().all()
            ):
                named.difference_update(map(peers.bare_host, hosts))
                last = hosts[-1]
        for pattern in sorted(named):
            await self._actors.meet(pattern)

    async def _pull(self, due: _Due) -> None:
        held, error = 0, ""
        # What is wanted while they answer is not in their answer.
        asked = self._wire.instance.clock.now()
        arrived: list[cards.Arrived] | None = None
        try:
            arrived = await self._asked(due)
        except StatusError as refusal:
            if refusal.status == HTTPStatus.NOT_FOUND:
                # They have no programme open for others.
                arrived = []
            else:
                error = str(refusal)
        except (WireError, Malformed) as failure:
            error = str(failure)
        async with self._wire.instance.transaction() as tx:
            if arrived is not None:
                held = await cards.hold(tx, due.host, due.agency, arrived)
            row = await tx.session.get(Pull, due.host)
            if row is None:
                row = Pull(host=due.host, held=0)
                tx.session.add(row)
            row.asked, row.error = asked, error[:500]
            if arrived is not None:
                row.held = held

    async def _asked(self, due: _Due) -> list[cards.Arrived]:
        document = await self._wire.key_document(serving.address(f"{due.origin}/instance"))
        found = []
        for item in parse_collection(document.data).items[:MOST_CARDS]:
            try:
                found.append(wire.arrived(item, due.origin))
            except Malformed as error:
                logger.info("card not taken", host=due.host, why=str(error))
        return found


def _when(pull: Pull | None, wanted: datetime | None) -> datetime | None:
    """When an agency is to be asked next; None for at once."""
    if pull is None:
        return None
    if wanted is not None and wanted > pull.asked:
        return pull.asked + AGAIN_AFTER
    return pull.asked + (EVERY if pull.held else SOONER)
