# SPDX-License-Identifier: Apache-2.0
"""How deliveries to an origin fare: what its lanes share."""

from collections import OrderedDict
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import timedelta
from typing import cast

import structlog
from sqlalchemy import Table, Text, select
from sqlalchemy.ext.asyncio import AsyncSession

from federation.delivery.waits import LONGEST_WAIT, PROBED_EVERY, wait_after
from federation.delivery.windows import Window
from federation.wire import Wire
from server import audit, peers
from server.software import Profile, profile_of
from storage import lanes
from storage.among import among
from storage.peers import Peer
from storage.plain import Question, as_it_is, ask

logger = structlog.get_logger("guildhall.delivery")
KEPT_FOR = timedelta(days=30)
MOST_HELD = 20_000
_PEERS = cast(Table, Peer.__table__)
_QUESTION = Question(
    select(
        _PEERS.c.host,
        _PEERS.c.software,
        _PEERS.c.has_groups,
        _PEERS.c.speaks_rfc9421,
        _PEERS.c.failures,
        _PEERS.c.next_try,
        _PEERS.c.paused,
    ).where(among(_PEERS.c.host, "hosts", Text())),
    as_it_is,
)


@dataclass
class Origin:
    """One origin as this process knows it; `down` until the next try is due."""

    host: str
    window: Window = field(default_factory=Window)
    software: str = ""
    has_groups: bool = False
    speaks_rfc9421: bool = False
    failures: int = 0
    was_late: bool = False
    down: bool = False
    # How much was taken there, and how many entries were set aside since the last of it.
    taken: int = 0
    aside: int = 0

    @property
    def is_guildhall(self) -> bool:
        return self.software == peers.GUILDHALL

    @property
    def is_asked_in_rfc9421(self) -> bool:
        """Which signature it is sent; of Guildhall both are known, and the draft's costs half."""
        return self.speaks_rfc9421 and not self.is_guildhall

    @property
    def is_well(self) -> bool:
        """Whether nothing has failed there of late."""
        return not (self.down or self.failures or self.was_late)

    @property
    def is_doubted(self) -> bool:
        """Whether it has failed, and nothing was taken there since."""
        return self.failures > 0 or self.aside > 0

    @property
    def profile(self) -> Profile:
        return profile_of(self.software, has_groups=self.has_groups)


class Health:
    """The origins that are delivered to, and what is written down of them."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self.paused: set[str] = set()
        self._origins: OrderedDict[str, Origin] = OrderedDict()

    def of(self, host: str) -> Origin:
        """The origin with this host; the longest unused make room for new ones."""
        origin = self._origins.get(host)
        if origin is None:
            origin = self._origins[host] = Origin(host)
        else:
            self._origins.move_to_end(host)
        while len(self._origins) > MOST_HELD:
            self._origins.popitem(last=False)
        return origin

    async def read(self, session: AsyncSession, hosts: Collection[str]) -> dict[str, Origin]:
        """The origins of these hosts as their rows now say; those not due are left out."""
        now = self._wire.instance.clock.now()
        found = {host: self.of(host) for host in hosts}
        rows = await ask(session, _QUESTION, hosts=list(hosts))
        for host, software, has_groups, modern, failures, next_try, paused in rows:
            if paused is not None or (next_try is not None and next_try > now):
                del found[host]
                continue
            origin = found[host]
            origin.software, origin.has_groups = software, has_groups
            origin.speaks_rfc9421 = modern
            origin.failures, origin.was_late = failures, next_try is not None
            origin.down = False
            if failures:
                origin.window.probe()
        return found

    def in_flight(self, host: str) -> int:
        origin = self._origins.get(host)
        return 0 if origin is None else origin.window.in_flight

    def fared_well(self, origin: Origin) -> bool:
        """It answers; whether nothing of that is to be written down."""
        origin.window.succeeded()
        origin.taken += 1
        origin.aside = 0
        return not origin.failures and not origin.was_late

    async def succeeded(self, origin: Origin) -> None:
        """It answers; what it was late with is forgotten."""
        if self.fared_well(origin):
            return
        origin.failures, origin.was_late = 0, False
        async with self._wire.instance.transaction() as tx:
            peer = await tx.session.get(Peer, origin.host)
            if peer is not None:
                peer.failures, peer.failing_since, peer.next_try = 0, None, None
                peer.last_error, peer.last_delivered = "", tx.now

    async def failed(self, origin: Origin, detail: str, wait: float | None) -> None:
        """It is down: all its lanes wait, at least `wait` seconds where it asked for that.

        What has waited longer than KEPT_FOR is given up; the peer repairs that by digest.
        """
        if origin.down:
            return
        origin.down = True
        origin.window.failed()
        async with self._wire.instance.transaction() as tx:
            peer = await tx.session.get(Peer, origin.host)
            if peer is None:
                return
            peer.failures += 1
            peer.failing_since = peer.failing_since or tx.now
            seconds = max(wait or 0.0, wait_after(peer.failures, tx.randomness, PROBED_EVERY))
            peer.next_try = tx.now + timedelta(seconds=min(seconds, LONGEST_WAIT))
            peer.last_error = detail[:500]
            # What was set aside is tried with it: perhaps it failed for the same reason.
            await lanes.due_by(tx.session, origin.host, peer.next_try)
            if tx.now - peer.failing_since > KEPT_FOR:
                for inbox in await lanes.give_up(
                    tx.session, origin.host, tx.now - KEPT_FOR, tx.now
                ):
                    logger.warning("deliveries given up", inbox=inbox, after=str(KEPT_FOR))
                    audit.note(tx, origin.host, "peer.given_up", inbox, detail)

    async def learned(self, origin: Origin, *, rfc9421: bool) -> None:
        """It took the one kind of signature only, whatever it says of itself."""
        origin.speaks_rfc9421 = rfc9421
        async with self._wire.instance.transaction() as tx:
            peer = await tx.session.get(Peer, origin.host)
            if peer is not None:
                peer.speaks_rfc9421 = rfc9421
