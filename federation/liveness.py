# SPDX-License-Identifier: Apache-2.0
"""Signs of life of peers, looked into together, not one by one."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from datetime import datetime, timedelta

import structlog
from sqlalchemy import or_, select

from federation.delivery.lanes import Delivery
from server.instance import Instance
from storage.among import among
from storage.base import UtcDateTime, in_batches
from storage.changes import Rows
from storage.peers import Peer
from storage.plain import Question, ask, given

logger = structlog.get_logger("guildhall.liveness")
MOST_HOSTS = 10_000
PAUSE = 0.2
NOTED_EVERY = timedelta(minutes=5)
_IS_FAILING = "SELECT 1 FROM peers WHERE host = ? AND next_try IS NOT NULL"

_WAITING = Question(
    select(Peer.host).where(
        among(Peer.host, "hosts", Peer.host.type),
        or_(
            Peer.next_try.is_not(None),
            Peer.last_heard.is_(None),
            Peer.last_heard <= given("old", UtcDateTime()),
        ),
    ),
    str,
)


class Liveness:
    """Notes who was heard; who is failing, or was not noted lately, is told to `Delivery`.

    Where the database can be looked at from inside the loop, a failing peer is tried again before
    its request is answered. Elsewhere hosts are gathered in a set while a question is under way,
    and the next, at most PAUSE seconds later, asks about all of them: no sign is passed over.
    """

    def __init__(self, instance: Instance, delivery: Delivery) -> None:
        self._instance = instance
        self._delivery = delivery
        self._noted: OrderedDict[str, datetime] = OrderedDict()
        self._heard: set[str] = set()
        self._looking: asyncio.Task[None] | None = None
        # Called for each sign of life; has to answer at once.
        self.on_heard: Callable[[str], None] = lambda _: None
        # Hosts that were not failing when the database was as this mark of it says.
        self._well: tuple[int, set[str]] = (-1, set())

    async def heard(self, host: str, mark: int | None = None, now: datetime | None = None) -> None:
        """A verified request came from this host, `now` if that is known.

        `mark`: how the database was when it came.
        """
        self.on_heard(host)
        if mark is not None and self._well[0] == mark and host in self._well[1]:
            failing: Rows | None = []
        else:
            failing = self._instance.database.glance.rows(_IS_FAILING, host)
            if mark is not None and failing is not None and not failing:
                if self._well[0] != mark:
                    self._well = (mark, set())
                self._well[1].add(host)
        if failing:
            await self._delivery.heard(host)
        elif failing is None or self._is_to_be_noted(host, now or self._instance.clock.now()):
            self._gather(host)

    def _is_to_be_noted(self, host: str, now: datetime) -> bool:
        last = self._noted.get(host)
        if last is not None and now - last < NOTED_EVERY:
            return False
        self._noted[host] = now
        self._noted.move_to_end(host)
        if len(self._noted) > MOST_HOSTS:
            self._noted.popitem(last=False)
        return True

    def _gather(self, host: str) -> None:
        if len(self._heard) < MOST_HOSTS:
            self._heard.add(host)
        if self._looking is None:
            self._looking = asyncio.create_task(self._look())

    async def _look(self) -> None:
        try:
            while self._heard:
                hosts, self._heard = self._heard, set()
                try:
                    await self._note(sorted(hosts))
                except Exception as error:  # nobody waits for this task: its end would go unseen
                    logger.warning("signs of life not noted", exc_info=error)
                await asyncio.sleep(PAUSE)
        finally:
            self._looking = None

    async def _note(self, hosts: list[str]) -> None:
        old = self._instance.clock.now() - NOTED_EVERY
        for batch in in_batches(hosts):
            asked = {"hosts": batch, "old": old}
            async with self._instance.knowing((_WAITING, asked)) as session:
                waiting = await ask(session, _WAITING, **asked)
            for host in waiting:
                await self._delivery.heard(host)

    async def close(self) -> None:
        """Leave off; a peer that went unnoticed is tried again by its own clock."""
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.gather(self._looking, return_exceptions=True)
