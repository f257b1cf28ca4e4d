# SPDX-License-Identifier: Apache-2.0
"""The lanes: every inbox in order, at its own pace."""

import asyncio
from collections import OrderedDict, deque
from collections.abc import Callable
from datetime import datetime, timedelta

import structlog

from federation.claims import LOOKED_FOR_DEAD_EVERY, is_dead
from federation.crashes import said
from federation.delivery.bodies import Bodies
from federation.delivery.express import Express, First
from federation.delivery.health import Health, Origin
from federation.delivery.leases import Leases
from federation.delivery.sending import Office, is_compared
from federation.delivery.settling import Settling
from federation.delivery.signing import Signing
from federation.delivery.turns import Turn
from federation.delivery.visibility import Visibilities
from federation.delivery.windows import Slots
from federation.followers.telling import Told
from federation.wire import Wire
from storage import lanes, log, traffic
from storage.base import in_batches
from storage.database import notify
from storage.faults import FAULTS, passes
from storage.lanes import Item, Settled, Work
from storage.peers import Peer

logger = structlog.get_logger("guildhall.delivery")
BATCH = 256
TAIL = 1_024
READ_AT_ONCE = 500
CLAIMED_AT_ONCE = 400
MOST_RUNNING = 2_000
LOOKED_FOR_EVERY = timedelta(seconds=30)
MOVED_ALONG_AFTER = 128
SURVEYED_EVERY = 0.25
MOST_FAULTS = 1_000
IDLE = 30.0


class Delivery:
    """Runs the lanes that have something to send; one task a lane, health per origin.

    The log's new rows say which lanes they are for, so that a round costs what there is to send
    and not as much as there are lanes. Now and then the log itself is searched for lanes that
    were left: by a process that died, or after a start.
    """

    def __init__(self, wire: Wire, owner: str) -> None:
        self._wire = wire
        self.owner = owner
        self.health = Health(wire)
        self.slots = Slots()
        self._office = Office(
            wire,
            self.health,
            self.slots,
            Signing(),
            Settling(wire, owner),
            Bodies(wire),
            Told(wire.instance),
            Visibilities(wire.instance),
            Leases(wire.instance, owner),
            self._crashed,
        )
        self._express = Express(self._office, self._run, self._next)
        self._running: dict[int, asyncio.Task[None]] = {}
        self._due: dict[int, None] = {}
        # Let go of, but not yet in the database: claimed now, they would lose that claim again.
        self._leaving: set[int] = set()
        self._tail: deque[Item] = deque(maxlen=TAIL)
        self._read: int | None = None
        self._settled: dict[int, set[int]] = {}
        # Those we worked on before, to whose inboxes we most likely have connections.
        self._familiar: set[int] = set()
        self._looked: datetime | None = None
        self._counted: datetime | None = None
        self._has_others = False
        self._surveyed = -SURVEYED_EVERY
        self._heard = False
        self._moved = 0
        # Called with a fault of ours, once for each lane or activity that it was met at.
        self.on_crash: Callable[[Exception], None] = _log
        # By what each was met at, and what it said; the latest.
        self._faulty: OrderedDict[tuple[str, str], None] = OrderedDict()
        # Called when a lane ends that has more to send, or for which others have waited.
        self.on_ready: Callable[[], None] = wire.instance.wake

    async def run_due(self) -> float:
        """Start every lane that has something due; answers the seconds until the next is."""
        if self._read is None:
            await self._begin()
        await self._read_log()
        loop = asyncio.get_running_loop()
        left = self._surveyed + SURVEYED_EVERY - loop.time()
        if left <= 0 or self._heard:
            self._surveyed, self._heard = loop.time(), False
            left = await self._survey()
        await self._start_due()
        await self._move_along()
        return left

    async def _survey(self) -> float:
        """Look for lanes whose time has come, or who were left; the seconds until the next are.

        A few questions about all peers: in a burst of new rows they are not asked for each.
        """
        now = self._wire.instance.clock.now()
        longest = IDLE
        if await self._others():
            longest = LOOKED_FOR_DEAD_EVERY.total_seconds()
        async with self._wire.instance.reading() as session:
            self.health.paused = await lanes.paused(session)
            found = await lanes.returning(session, now)
            if self._looked is None or not timedelta(0) <= now - self._looked < LOOKED_FOR_EVERY:
                self._looked = now
                found |= await lanes.waiting(session, self.owner, now)
            again = await lanes.next_return(session, now)
            resting = await lanes.resting(session, now)
        if resting:
            async with self._wire.instance.transaction() as tx:
                await lanes.rest(tx.session, tx.now)
        self._due |= dict.fromkeys(sorted(found))
        if again is None:
            return longest
        return min(longest, max(0.05, (again - now).total_seconds()))

    async def _others(self) -> bool:
        """Whether another process has lanes; what one that died has left is free, and found."""
        now = self._wire.instance.clock.now()
        if (
            self._counted is not None
            and timedelta(0) <= now - self._counted < LOOKED_FOR_DEAD_EVERY
        ):
            return self._has_others
        self._counted = now
        async with self._wire.instance.reading() as session:
            others = await lanes.owners(session) - {self.owner}
        dead = {one for one in others if is_dead(one, self.owner)}
        if dead:
            async with self._wire.instance.transaction() as tx:
                for owner in sorted(dead):
                    await lanes.free(tx.session, owner)
            self._looked = None
        self._has_others = others != dead
        return self._has_others

    async def _begin(self) -> None:
        """Start at the end of the log."""
        async with self._wire.instance.reading() as session:
            last = await log.last_seq(session)
            # Whom these are for is found out by a search; later rows are looked at as they come.
            self._tail.extend(await lanes.rows_after(session, last - READ_AT_ONCE, READ_AT_ONCE))
        self._read = self._tail[-1].seq if self._tail else last

    async def _read_log(self) -> None:
        """Take in the log's new rows: what they change, and whom they are for."""
        while True:
            async with self._wire.instance.reading() as session:
                fresh = await lanes.rows_after(session, self._read or 0, READ_AT_ONCE)
                found = await lanes.interested(session, fresh)
            if not fresh:
                return
            self._read = fresh[-1].seq
            self._tail.extend(fresh)
            self._due |= dict.fromkeys(sorted(found))
            if len(fresh) < READ_AT_ONCE:
                return

    async def _start_due(self) -> None:
        running, sent, leaving = self._running, self._express.lanes, self._leaving
        room = MOST_RUNNING - len(running) - len(sent)
        ready = [
            lane
            for lane in self._due
            if lane not in running and lane not in sent and lane not in leaving
        ]
        # Where several processes work, each begins with its own.
        ready.sort(key=lambda lane: lane not in self._familiar)
        ready = ready[: max(0, room)]
        for chunk in in_batches(ready, CLAIMED_AT_ONCE):
            for lane in chunk:
                self._due.pop(lane, None)
            await self._start(list(chunk))

    async def _start(self, chosen: list[int]) -> None:
        """Claim some lanes, read what they have, and set each to work."""
        instance = self._wire.instance
        works = await self._office.leases.claim(chosen)
        self._familiar.update(work.lane for work in works)
        now = instance.clock.now()
        async with instance.reading() as session:
            origins = await self.health.read(session, {work.host for work in works})
            # What waits for a peer that is away or paused is not read for each new row.
            there = [work for work in works if work.host in origins]
            await lanes.fill(session, there, list(self._tail), now, BATCH)
            told = {
                (item.signer, work.host)
                for work in there
                for item in work.items
                if is_compared(origins[work.host], item)
            }
            await self._office.told.read(session, told)
        await self._express.make_ready(works)
        for work in works:
            origin = origins.get(work.host)
            if origin is None:
                self._put_back(work, work.cursor)
            elif not work.items and not work.held:
                self._put_back(work, work.cursor if work.more else work.until)
            elif work.lane in self._settled or not self._express.put(work, origin):
                self._run(work, origin)

    def _put_back(self, work: Work, cursor: int) -> None:
        self._leaving.add(work.lane)

        def written() -> None:
            self._leaving.discard(work.lane)
            self._next()

        self._office.settling.note(Settled(work.lane, work.host, cursor, release=True), written)

    def _run(self, work: Work, origin: Origin, first: First = None) -> None:
        """Give a lane a turn; `first` is what came of a try that was made already."""
        settled = self._settled.pop(work.lane, set())
        turn = Turn(self._office, work, origin, settled, first)
        task = asyncio.create_task(turn.run())
        self._running[work.lane] = task

        def ended(finished: asyncio.Task[None]) -> None:
            self._running.pop(work.lane, None)
            if finished.cancelled():
                return
            error = finished.exception()
            if error is not None:
                # Found again when the log is searched, not at once: it may well fail again.
                logger.error("lane failed", lane=work.inbox, exc_info=error)
                if isinstance(error, Exception):
                    self._crashed(work.inbox, error)
                self._put_back(work, work.cursor)
                return
            if turn.stopped:
                self._settled[work.lane] = {n for n in turn.settled if n > work.cursor}
            elif work.more or work.held:
                self._due[work.lane] = None
            if self._due or turn.stopped or turn.is_late:
                # Whatever is tried again later, it is now known when.
                self.on_ready()

        task.add_done_callback(ended)

    def _crashed(self, at: str, error: Exception) -> None:
        """Tell of a fault of ours; what is met again whenever it is tried again is no new one."""
        # Of a database that is away the loops tell.
        if passes(error):
            return
        fault = at, said(error)
        is_new = fault not in self._faulty
        self._faulty[fault] = None
        self._faulty.move_to_end(fault)
        if len(self._faulty) > MOST_FAULTS:
            self._faulty.popitem(last=False)
        if is_new:
            self.on_crash(error)

    def _next(self) -> None:
        """A lane was let go of: whoever waited for that, or for room, may go on."""
        if self._due:
            self.on_ready()

    async def _move_along(self) -> None:
        """Let idle lanes come along with the log, so that what they get next is near at hand."""
        read = self._read or 0
        if read - self._moved < MOVED_ALONG_AFTER:
            return
        self._moved = read
        async with self._wire.instance.transaction() as tx:
            await lanes.move_along(tx.session, read)

    async def renew(self) -> None:
        """Keep what we work on; called more often than leases run out."""
        await self._office.leases.renew(lambda: {*self._running, *self._express.lanes})

    async def stop(self, seconds: float) -> None:
        """Let what is in flight end, at most this long, and let go of every lane."""
        loop = asyncio.get_running_loop()
        end = loop.time() + seconds
        if self._running:
            await asyncio.wait(list(self._running.values()), timeout=seconds)
        await self._express.stop(max(0.0, end - loop.time()))
        for task in list(self._running.values()):
            task.cancel()
        await asyncio.gather(*self._running.values(), return_exceptions=True)
        await self._office.settling.close(seconds)
        if self._read is None:
            return
        try:
            async with self._wire.instance.transaction() as tx:
                await lanes.free(tx.session, self.owner)
        except FAULTS as error:
            # The leases run out by themselves.
            logger.warning("lanes not let go of", why=str(error))

    async def heard(self, host: str) -> None:
        """A sign of life from a peer: it is tried again at once."""
        async with self._wire.instance.reading() as session:
            peer = await session.get(Peer, host)
        now = self._wire.instance.clock.now()
        if peer is None:
            return
        failing = peer.next_try is not None
        if (
            not failing
            and peer.last_heard is not None
            and now - peer.last_heard < timedelta(minutes=5)
        ):
            return
        async with self._wire.instance.transaction() as tx:
            row = await tx.session.get_one(Peer, host)
            row.last_heard = now
            if row.next_try is not None:
                row.next_try = now
                await traffic.try_parked(tx.session, host, now)
                await notify(tx.session)
            elif row.paused is None:
                # Nothing waits for it by which it could show that it is there again.
                row.failures, row.failing_since, row.last_error = 0, None, ""
        if failing:
            self._heard = True
            self._wire.instance.wake()

    def in_flight(self, host: str) -> int:
        """How many sendings to an origin this process waits for at this moment."""
        return self.health.in_flight(host)


def _log(error: Exception) -> None:
    logger.error("fault of ours", exc_info=error)
