# SPDX-License-Identifier: Apache-2.0
"""The worker: supervised loops that tell, receive, deliver and tidy."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import timedelta
from functools import partial

from sqlalchemy import delete

from federation import descriptions
from federation.claims import RENEWED_EVERY
from federation.crashes import Crashes
from federation.greeting import greet
from federation.outbox.tell import AT_ONCE, tell_waiting
from federation.station import Station
from server import filters, mail, mutes, pushes, rotation, sweeping, uploads
from server.apps import clients, refreshes
from server.calendar import tending
from server.chain import checking
from server.members import sign_in
from server.mentoring import asks
from server.mentoring import tending as mentoring
from server.moderation import blocks
from server.posts import counting as polls
from server.posts import once
from server.resources import pieces
from server.settings import Federation
from server.vetting import schedule as reviews
from storage.facts import FactRow

IDLE = 30.0
DRAIN = 10.0
AGAIN_AFTER, AGAIN_AT_MOST = 2.0, 60.0
FACTS_KEPT = timedelta(days=7)
TIDY_EVERY = timedelta(hours=1)
TEND_EVERY = timedelta(minutes=5)
# What has run out can wait while a server comes up; people and peers do not.
KEPT_AFTER = timedelta(minutes=1)
VERSION_EVERY = 0.2
# What loops wait for after the beginning of a round, so that in a burst each takes what has
# gathered; after a pause the first begins at once. Telling and sending cost a dozen questions a
# round, whether it is for one post or for a hundred.
GATHERED_FOR = {"tell": 0.1, "deliver": 0.1, "repair": 0.5, "mentors": 1.0, "stamps": 1.0}
# Both read what telling has just written: begun with it, they would only begin twice.
AFTER_TELLING = ("deliver", "repair")
KEEPING = "keeping"
PULLING = "mentors"
VISITING = "visits"
VISITS_EVERY = 300.0
SWEEPING = "sweeping"
SWEEPS_EVERY = timedelta(days=1)
STAMPS = "stamps"
DESCRIBING = "describing"
# One round of a loop: how many seconds until the next, None when there is none.
Work = Callable[[], Awaitable[float | None]]


class Worker:
    """Runs beside the pages, or in a process of its own."""

    def __init__(self, wire: Station) -> None:
        self._wire = wire
        self._wakes = {
            name: asyncio.Event()
            for name in ("tell", "receive", "deliver", "repair", "mentors", "stamps")
        }
        self._tasks: list[asyncio.Task[None]] = []
        self.crashes = Crashes(wire.instance, wire.claims.owner)
        self._version: int | None = None
        self._marked: int | None = None
        self._stop_listening: Callable[[], Awaitable[None]] | None = None
        self._carrier = mail.carrier(wire.instance.settings)
        self._claims = wire.claims
        now = wire.instance.clock.now()
        self._tends = self._tidies = now + KEPT_AFTER
        self._sweeps = now + TIDY_EVERY

    @property
    def healthy(self) -> bool:
        """False after three crashes within a minute."""
        return self.crashes.are_few

    async def start(self) -> None:
        """Begin; needs a wire that is open."""
        instance = self._wire.instance
        instance.on_wake(self.wake)
        loops: dict[str, Work] = {
            "tell": self._tell,
            "keep": self._keep,
            "sweep": self._sweep,
        }
        if instance.settings.federates is not Federation.OFF:
            loops |= {
                "receive": self._receive,
                "deliver": self._deliver,
                "renew": self._renew,
                "repair": self._repair,
                "mentors": self._mentors,
                "visits": self._visit,
                "stamps": self._stamps,
                "greet": self._greet,
                "describe": self._describe,
            }
            # What concerns one loop only wakes that one; a commit with facts wakes all of them.
            self._wire.inbox.on_stored = self._wakes["receive"].set
            self._wire.receiver.on_ready = self._wakes["receive"].set
            self._wire.delivery.on_ready = self._wakes["deliver"].set
            self._wire.receiver.on_crash = partial(self.crashes.note, "receive")
            self._wire.delivery.on_crash = partial(self.crashes.tell, "deliver")
        if instance.database.is_sqlite:
            loops["watch"] = self._watch
        for name, work in loops.items():
            self._tasks.append(asyncio.create_task(self._supervise(name, work)))
        if not instance.database.is_sqlite:
            self._stop_listening = await instance.database.listen(instance.wake)

    async def stop(self) -> None:
        """End: what is in flight gets DRAIN seconds."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._wire.receiver.stop()
        await self._wire.delivery.stop(DRAIN)
        await self._claims.release_all()
        if self._stop_listening is not None:
            await self._stop_listening()

    def wake(self) -> None:
        """There is new work; what follows from telling begins once it was told."""
        for name, event in self._wakes.items():
            if name not in AFTER_TELLING:
                event.set()

    async def _supervise(self, name: str, work: Work) -> None:
        """Run a loop until it has no next round; after a crash again, more slowly each time."""
        failures = 0
        event = self._wakes.get(name, asyncio.Event())
        loop = asyncio.get_running_loop()
        while not _is_told_to_end():
            event.clear()
            begun = loop.time()
            try:
                wait = await work()
                failures = 0
            except asyncio.CancelledError:
                raise
            except Exception as error:  # the outermost loop of the worker
                failures += 1
                wait = min(AGAIN_AT_MOST, AGAIN_AFTER * 2.0 ** (failures - 1))
                self.crashes.note(name, error)
                if not _is_told_to_end():
                    await asyncio.sleep(wait)
            if _is_told_to_end() or wait is None:
                return
            # Not `wait_for`: before Python 3.12 it loses an end that comes in the moment of a wake.
            with suppress(TimeoutError):
                async with asyncio.timeout(wait):
                    await event.wait()
            left = begun + GATHERED_FOR.get(name, 0.0) - loop.time()
            if left > 0:
                await asyncio.sleep(left)

    async def _tell(self) -> float:
        told = AT_ONCE
        while told == AT_ONCE:
            try:
                told = await tell_waiting(self._wire)
            finally:
                for name in AFTER_TELLING:
                    self._wakes[name].set()
        return IDLE

    async def _receive(self) -> float:
        while await self._wire.receiver.run_due():
            self._wakes["tell"].set()
        return 2.0

    async def _deliver(self) -> float:
        return await self._wire.delivery.run_due()

    async def _renew(self) -> float:
        await self._wire.delivery.renew()
        await self._wire.receiver.renew()
        return RENEWED_EVERY

    async def _repair(self) -> float:
        return await self._wire.repair.run_due()

    async def _mentors(self) -> float:
        """The cards of mentors elsewhere: one process fetches them for all."""
        if not await self._wire.mentors.are_wanted() or not await self._claims.take([PULLING]):
            return IDLE
        return await self._wire.mentors.run_due()

    async def _visit(self) -> float:
        """The links of our resources: one process visits them for all."""
        found = await self._wire.visits.due()
        if found and await self._claims.take([VISITING]):
            await self._wire.visits.run(found)
        return VISITS_EVERY

    async def _sweep(self) -> float:
        """What is left of files, and the record: one looks, an hour after it began, then daily."""
        now = self._wire.instance.clock.now()
        if now >= self._sweeps and await self._claims.take([SWEEPING]):
            self._sweeps = now + SWEEPS_EVERY
            await checking.check_daily(self._wire.instance)
            await sweeping.sweep(self._wire.instance)
        return TIDY_EVERY.total_seconds()

    async def _stamps(self) -> float:
        """The stamps of quotes that could not be had: one process asks for all."""
        if not await self._wire.stamps.are_wanted() or not await self._claims.take([STAMPS]):
            return IDLE
        return await self._wire.stamps.run_due()

    async def _keep(self) -> float:
        """Letters, notices for phones, what has run out: one process does it for all."""
        instance = self._wire.instance
        await self.crashes.write()
        if not await self._claims.take([KEEPING]):
            return 2.0
        await mail.send_waiting(instance, self._carrier)
        if await self._wire.pushes.are_wanted():
            await self._wire.pushes.run_due()
        now = instance.clock.now()
        if now >= self._tends:
            self._tends = now + TEND_EVERY
            await tending.tend(instance)
            await mentoring.tend(instance)
            async with instance.transaction() as tx:
                await mutes.tidy(tx)
                await filters.tidy(tx)
                await polls.tend(tx)
                await reviews.tend(tx)
        if now >= self._tidies:
            self._tidies = now + TIDY_EVERY
            async with instance.transaction() as tx:
                await sign_in.tidy(tx)
                await blocks.end_expired(tx)
                await refreshes.tidy(tx)
                await clients.tidy(tx)
                await pushes.tidy(tx)
                await uploads.tidy(tx)
                await once.tidy(tx)
                await pieces.tidy(tx)
                await asks.expire(tx)
                await rotation.forget_old(tx, now, instance.settings.origin)
                await tx.session.execute(delete(FactRow).where(FactRow.done < now - FACTS_KEPT))
        return 2.0

    async def _greet(self) -> None:
        await greet(self._wire)

    async def _describe(self) -> float:
        """What peers run: one process asks for all."""
        if await self._claims.take([DESCRIBING]):
            await self._wire.descriptions.run_due()
        return descriptions.ROUND

    async def _watch(self) -> float:
        """Notice what other processes commit to the same SQLite file."""
        database = self._wire.instance.database
        # Only where anybody has committed it is asked whether that was another process.
        mark = database.glance.mark()
        if mark is None or mark != self._marked:
            version, self._marked = await database.data_version(), mark
            if self._version not in {None, version}:
                self._wire.instance.wake()
            self._version = version
        return VERSION_EVERY


def _is_told_to_end() -> bool:
    """Whether this task was cancelled, even where what it waited for has lost the cancellation.

    A database that fails while it is being left makes an error of its own out of it.
    """
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
