# SPDX-License-Identifier: Apache-2.0
"""The lanes: every inbox in order, at its own pace."""

import asyncio
from datetime import timedelta

import structlog
from sqlalchemy import ColumnElement, exists, func, not_, select, update
from sqlalchemy.orm import aliased

from federation.delivery.sending import Progress, Sending
from federation.wire import Wire
from server.transaction import Transaction
from storage import log
from storage.log import Lane, Parked
from storage.peers import Peer

logger = structlog.get_logger("guildhall.delivery")
BATCH = 64
WINDOW = 8


class Delivery:
    """Runs the lanes that have something to send; one task a lane, health per origin."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._running: dict[int, asyncio.Task[None]] = {}
        self._windows: dict[str, asyncio.Semaphore] = {}
        self._settled: dict[int, set[int]] = {}

    async def run_due(self) -> float:
        """Start every lane that has something due; answers the seconds until the next is."""
        instance = self._wire.instance
        now = instance.clock.now()
        async with instance.reading() as session:
            last = await log.last_seq(session)
            parked = select(Parked.lane_id).where(Parked.next_try <= now, not_(_is_behind()))
            question = (
                select(Lane, Peer)
                .outerjoin(Peer, Peer.host == Lane.peer)
                .where((Lane.cursor < last) | Lane.id.in_(parked), Peer.paused.is_(None))
            )
            found = (await session.execute(question)).all()
            earliest = select(func.min(Parked.next_try)).where(not_(_is_behind()))
            parked_until = (await session.execute(earliest)).scalar()
        soonest = 60.0
        for lane, peer in found:
            if peer is not None and peer.next_try is not None and peer.next_try > now:
                soonest = min(soonest, (peer.next_try - now).total_seconds())
            elif lane.id not in self._running:
                self._start(lane)
        if parked_until is not None:
            soonest = min(soonest, max(0.5, (parked_until - now).total_seconds()))
        return max(0.05, soonest)

    def _start(self, lane: Lane) -> None:
        task = asyncio.create_task(self._run(lane.id))
        self._running[lane.id] = task

        def ended(finished: asyncio.Task[None]) -> None:
            self._running.pop(lane.id, None)
            if finished.cancelled():
                return
            if finished.exception() is None:
                self._wire.instance.wake()
            else:
                # Begun again with the next round, not at once: it may well fail again.
                logger.error("lane failed", lane=lane.inbox, exc_info=finished.exception())

        task.add_done_callback(ended)

    async def stop(self, seconds: float) -> None:
        """Let what is in flight end, at most this long."""
        if self._running:
            await asyncio.wait(list(self._running.values()), timeout=seconds)
        for task in list(self._running.values()):
            task.cancel()
        await asyncio.gather(*self._running.values(), return_exceptions=True)

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
                await tx.session.execute(
                    update(Parked)
                    .where(Parked.lane_id.in_(select(Lane.id).where(Lane.peer == host)))
                    .values(next_try=now)
                )
        if failing:
            self._wire.instance.wake()

    async def _run(self, lane_id: int) -> None:
        """Send what the lane has, batch after batch, until it is empty or its peer is down."""
        while True:
            async with self._wire.instance.reading() as session:
                lane = await session.get_one(Lane, lane_id)
                peer = await session.get(Peer, lane.peer)
                last = await log.last_seq(session)
                batch = await log.pending(session, lane, after=lane.cursor, limit=BATCH)
                now = self._wire.instance.clock.now()
                parked = await log.due_parked(session, lane_id, now)
                held_back = await log.parked_keys(session, lane_id)
            sending = Sending(self.window(lane.peer), self._wire, lane, peer)
            if parked and not await sending.retry(parked):
                return
            if not batch:
                if lane.cursor < last:
                    await self._move(lane, last)
                if not parked:
                    return
                continue
            progress = Progress([row for row, _ in batch], self._settled.pop(lane_id, set()))
            up = await sending.batch(batch, progress, held_back)
            end = progress.contiguous(lane.cursor)
            if up and len(batch) < BATCH:
                end = max(end, last)
            await self._move(lane, max(end, lane.cursor), sending)
            if not up:
                self._settled[lane_id] = {seq for seq in progress.settled if seq > end}
                return

    async def _move(self, lane: Lane, cursor: int, sending: Sending | None = None) -> None:
        """Write the cursor and what was counted, once a batch."""
        async with self._wire.instance.transaction() as tx:
            row = await tx.session.get_one(Lane, lane.id)
            row.cursor = max(row.cursor, cursor)
            if sending is not None:
                row.delivered += sending.delivered
                peer = await tx.session.get(Peer, lane.peer)
                if peer is not None and sending.delivered:
                    peer.last_delivered = tx.now
                row.refused += sending.refused
                row.last_refusal = sending.last_refusal or row.last_refusal

    def in_flight(self, peer: str) -> int:
        """How many sendings to an origin this process waits for at this moment."""
        held = self._windows.get(peer)
        return 0 if held is None else WINDOW - held._value

    def window(self, peer: str) -> asyncio.Semaphore:
        """How many sendings to an origin are in flight at once."""
        return self._windows.setdefault(peer, asyncio.Semaphore(WINDOW))


def _is_behind() -> ColumnElement[bool]:
    """The condition on `Parked` for entries that wait for an earlier one of their thread."""
    earlier = aliased(Parked)
    return exists().where(
        earlier.lane_id == Parked.lane_id,
        earlier.order_key == Parked.order_key,
        earlier.seq < Parked.seq,
    )


async def retry_now(tx: Transaction, host: str) -> bool:
    """An admin has a peer tried at once; False when nothing is known of it."""
    peer = await tx.session.get(Peer, host)
    if peer is None:
        return False
    peer.next_try = tx.now
    await tx.session.execute(
        update(Parked)
        .where(Parked.lane_id.in_(select(Lane.id).where(Lane.peer == host)))
        .values(next_try=tx.now)
    )
    return True
