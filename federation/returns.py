# SPDX-License-Identifier: Apache-2.0
"""Received activities that wait for a host, and its return."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from datetime import datetime, timedelta

import structlog

from server.instance import Instance
from storage import inbox
from storage.faults import FAULTS

logger = structlog.get_logger("guildhall.inbox")
MOST_HOSTS = 2_000
MOST_ROWS = 1_000
# Whoever says much and never answers is asked no more often than this.
EVERY = timedelta(seconds=5)


class Returns:
    """Rows that need what a host could not be asked for: tried as soon as it shows itself.

    By themselves they are tried ever more rarely, which says nothing of a host that was restarted
    again and again. `ready` is called once there is something due.
    """

    def __init__(self, instance: Instance, ready: Callable[[], None]) -> None:
        self._instance = instance
        self._ready = ready
        self._rows: OrderedDict[str, set[int]] = OrderedDict()
        self._tried: OrderedDict[str, datetime] = OrderedDict()
        self._tasks: set[asyncio.Task[None]] = set()

    def wait(self, host: str, row: int) -> None:
        """A row waits for this host (`host[:port]`; "" for none)."""
        if not host:
            return
        rows = self._rows.setdefault(host, set())
        if len(rows) < MOST_ROWS:
            rows.add(row)
        while len(self._rows) > MOST_HOSTS:
            self._rows.popitem(last=False)

    def heard(self, host: str) -> None:
        """A sign of life; costs nothing where nobody waits for it."""
        rows = self._rows.pop(host, None)
        if rows is not None:
            task = asyncio.create_task(self._noted(host, rows))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _noted(self, host: str, rows: set[int]) -> None:
        try:
            await self._try_again(host, rows)
        except FAULTS as error:
            # They are tried by their own clock.
            logger.warning("return of a host not noted", host=host, why=str(error))

    async def returned(self, host: str) -> None:
        """It answers: what it sent and what waits for it is tried now, or EVERY after it was."""
        await self._try_again(host, self._rows.pop(host, set()))

    async def _try_again(self, host: str, rows: set[int]) -> None:
        now = self._instance.clock.now()
        last = self._tried.get(host)
        if last is None or last > now + EVERY:
            # Never before, or not by this clock.
            moment = now
        else:
            moment = last if last > now else max(now, last + EVERY)
        self._tried[host] = moment
        self._tried.move_to_end(host)
        while len(self._tried) > MOST_HOSTS:
            self._tried.popitem(last=False)
        async with self._instance.transaction() as tx:
            found = await inbox.try_again(tx.session, host, rows, moment)
        if found:
            self._ready()

    async def stop(self) -> None:
        """Leave off."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
