# SPDX-License-Identifier: Apache-2.0
"""The lanes: every inbox delivered to in order, at its own pace."""

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta
from http import HTTPStatus

import structlog
from sqlalchemy import delete, select, update

from federation.errors import StatusError, WireError
from federation.fetch import Response, retry_after
from federation.wire import Wire
from server import peers
from server.randomness import Randomness
from server.transaction import Transaction
from storage import log
from storage.base import insert
from storage.log import Form, Lane, LogRow, Parked
from storage.peers import Peer

logger = structlog.get_logger("guildhall.delivery")

BATCH = 64
WINDOW = 8
SHORTEST_WAIT, LONGEST_WAIT = 5.0, 6 * 3600.0
PARKED_FOR = timedelta(days=30)
AGAIN = {401, 403, 408, 429}
BOOSTED = frozenset(
    {"mastodon", "glitch", "hometown", "gotosocial", "pleroma", "akkoma", "misskey"}
)
WRAPPED_ONLY = frozenset({"lemmy", "piefed", "mbin", "friendica"})


def takes(software: str, form: str) -> bool:
    """Whether software of this name understands a form (INTEROP: the profile per follower)."""
    if form == Form.BOOST:
        return software != peers.GUILDHALL and software not in WRAPPED_ONLY
    if form == Form.WRAPPED:
        return software not in BOOSTED
    return True


def wait_after(failures: int, randomness: Randomness) -> float:
    """Seconds until the next try: 5 s doubling up to 6 h, with a quarter of jitter."""
    wait = min(LONGEST_WAIT, SHORTEST_WAIT * 2.0 ** min(failures - 1, 20))
    return wait * (0.875 + 0.25 * randomness.fraction())


@dataclass(frozen=True)
class Outcome:
    """How one sending ended: done, final refusal, for itself later, or the peer is down."""

    kind: str
    detail: str = ""
    wait: float | None = None


DONE, REFUSED, LATER, DOWN = "done", "refused", "later", "down"


@dataclass
class _Progress:
    """What of a batch is dealt with; the cursor never passes a gap."""

    rows: list[LogRow]
    settled: set[int] = field(default_factory=set)

    def contiguous(self, cursor: int) -> int:
        for row in self.rows:
            if row.seq not in self.settled:
                break
            cursor = row.seq
        return cursor


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
            parked = select(Parked.lane_id).where(Parked.next_try <= now)
            question = (
                select(Lane, Peer)
                .outerjoin(Peer, Peer.host == Lane.peer)
                .where((Lane.cursor < last) | Lane.id.in_(parked))
            )
            found = (await session.execute(question)).all()
            waits = [
                (
                    await session.execute(
                        select(Parked.next_try).order_by(Parked.next_try).limit(1)
                    )
                ).scalar()
            ]
        soonest = 60.0
        for lane, peer in found:
            if peer is not None and peer.next_try is not None and peer.next_try > now:
                soonest = min(soonest, (peer.next_try - now).total_seconds())
            elif lane.id not in self._running:
                self._start(lane)
        if waits[0] is not None:
            soonest = min(soonest, max(0.5, (waits[0] - now).total_seconds()))
        return max(0.05, soonest)

    def _start(self, lane: Lane) -> None:
        task = asyncio.create_task(self._run(lane.id))
        self._running[lane.id] = task

        def ended(finished: asyncio.Task[None]) -> None:
            self._running.pop(lane.id, None)
            if not finished.cancelled() and finished.exception() is not None:
                logger.error("lane failed", lane=lane.inbox, exc_info=finished.exception())
            self._wire.instance.wake()

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
            sending = _Sending(self, self._wire, lane, peer)
            if parked and not await sending.retry(parked):
                return
            if not batch:
                if lane.cursor < last:
                    await self._move(lane, last)
                if not parked:
                    return
                continue
            progress = _Progress([row for row, _ in batch], self._settled.pop(lane_id, set()))
            up = await sending.batch(batch, progress, held_back)
            end = progress.contiguous(lane.cursor)
            if up and len(batch) < BATCH:
                end = max(end, last)
            await self._move(lane, max(end, lane.cursor), sending)
            if not up:
                self._settled[lane_id] = {seq for seq in progress.settled if seq > end}
                return

    async def _move(self, lane: Lane, cursor: int, sending: "_Sending | None" = None) -> None:
        """Write the cursor and what was counted, once a batch."""
        async with self._wire.instance.transaction() as tx:
            row = await tx.session.get_one(Lane, lane.id)
            row.cursor = max(row.cursor, cursor)
            if sending is not None:
                row.delivered += sending.delivered
                row.refused += sending.refused
                row.last_refusal = sending.last_refusal or row.last_refusal

    def window(self, peer: str) -> asyncio.Semaphore:
        """How many sendings to an origin are in flight at once."""
        return self._windows.setdefault(peer, asyncio.Semaphore(WINDOW))


class _Sending:
    """One batch on its way over one lane."""

    def __init__(self, delivery: Delivery, wire: Wire, lane: Lane, peer: Peer | None) -> None:
        self._delivery = delivery
        self._wire = wire
        self._lane = lane
        self._peer = peer
        self._down = False
        self.delivered = 0
        self.refused = 0
        self.last_refusal = ""

    async def batch(
        self, batch: list[tuple[LogRow, str | None]], progress: _Progress, held_back: set[str]
    ) -> bool:
        """Send a batch, in order within each thread; answers whether the peer is up."""
        chains: dict[str, list[tuple[LogRow, str | None]]] = {}
        for row, body in batch:
            chains.setdefault(row.order_key, []).append((row, body))
        await asyncio.gather(
            *(self._chain(rows, progress, key in held_back) for key, rows in chains.items())
        )
        return not self._down

    async def _chain(
        self, rows: list[tuple[LogRow, str | None]], progress: _Progress, parked: bool
    ) -> None:
        for row, body in rows:
            if row.seq in progress.settled:
                continue
            if parked:
                await self._park(row, "Waits behind an earlier entry of its thread.")
                progress.settled.add(row.seq)
                continue
            async with self._delivery.window(self._lane.peer):
                if self._down:
                    return
                outcome = await self.send(row, body)
            if outcome.kind == DOWN:
                return
            if outcome.kind == LATER:
                await self._park(row, outcome.detail)
                parked = True
            progress.settled.add(row.seq)

    async def retry(self, parked: list[tuple[Parked, LogRow, str | None]]) -> bool:
        """Try parked entries again; answers whether the peer is up."""
        for held, row, body in parked:
            outcome = await self.send(row, body)
            if outcome.kind == DOWN:
                return False
            async with self._wire.instance.transaction() as tx:
                old = outcome.kind == LATER and tx.now - row.at > PARKED_FOR
                if outcome.kind != LATER or old:
                    await tx.session.execute(
                        delete(Parked).where(Parked.lane_id == held.lane_id, Parked.seq == held.seq)
                    )
                else:
                    again = await tx.session.get_one(Parked, (held.lane_id, held.seq))
                    again.attempts += 1
                    again.error = outcome.detail[:500]
                    again.next_try = tx.now + timedelta(
                        seconds=wait_after(again.attempts, tx.randomness)
                    )
        return True

    async def send(self, row: LogRow, body: str | None) -> Outcome:
        """Send one entry, if it still may go and the peer understands it."""
        if body is None or not takes(self._peer.software if self._peer else "", row.form):
            return Outcome(DONE)
        if not await self._may_go(row):
            return Outcome(REFUSED, "policy")
        try:
            response = await self._post(row, body.encode())
        except LookupError:
            return self._refuse("The actor who signs this is gone.")
        except StatusError as error:
            return await self._judge(error.status, str(error), error.retry_after)
        except WireError as error:
            if error.permanent:
                return self._refuse(str(error))
            return await self._failed(str(error), None)
        if 200 <= response.status < 300:
            await self._succeeded()
            return Outcome(DONE)
        said = response.body[:300].decode("utf-8", "replace").strip()
        return await self._judge(
            response.status, f"{response.status} {said}", retry_after(response.headers)
        )

    async def _post(self, row: LogRow, body: bytes) -> Response:
        """Draft signature first; RFC 9421 once where the first is not understood."""
        door, inbox = self._wire.door, self._lane.inbox
        modern = self._peer is not None and self._peer.speaks_rfc9421
        sign = await self._wire.signer(row.signer, rfc9421=modern)
        response = await door.post(inbox, body=body, sign=sign)
        if response.status in {400, 401} and not modern:
            sign = await self._wire.signer(row.signer, rfc9421=True)
            response = await door.post(inbox, body=body, sign=sign)
            if response.status < HTTPStatus.MULTIPLE_CHOICES:
                async with self._wire.instance.transaction() as tx:
                    peer = await tx.session.get(Peer, self._lane.peer)
                    if peer is not None:
                        peer.speaks_rfc9421 = True
        return response

    async def _may_go(self, row: LogRow) -> bool:
        """Policy and visibility are asked again at the moment of sending."""
        instance = self._wire.instance
        mode = instance.settings.federates
        async with instance.reading() as session:
            now = instance.clock.now()
            if row.closed:
                return await peers.is_agency(session, mode, self._lane.peer, now)
            return (await peers.judge(session, mode, self._lane.peer, now)).allowed

    async def _judge(self, status: int, detail: str, wait: float | None) -> Outcome:
        if status == HTTPStatus.TOO_MANY_REQUESTS or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            return await self._failed(detail, wait)
        await self._succeeded()
        if status in AGAIN:
            self.last_refusal = detail[:500]
            return Outcome(LATER, detail)
        return self._refuse(detail)

    def _refuse(self, detail: str) -> Outcome:
        self.refused += 1
        self.last_refusal = detail[:500]
        logger.warning("delivery refused", inbox=self._lane.inbox, detail=detail[:200])
        return Outcome(REFUSED, detail)

    async def _succeeded(self) -> None:
        self.delivered += 1
        if self._peer is not None and (self._peer.failures or self._peer.next_try is not None):
            self._peer.failures, self._peer.next_try = 0, None
            async with self._wire.instance.transaction() as tx:
                await _settle(tx, self._lane.peer)

    async def _failed(self, detail: str, wait: float | None) -> Outcome:
        """The peer is down: the whole lane waits, nothing is parked."""
        if self._down:
            return Outcome(DOWN, detail)
        self._down = True
        async with self._wire.instance.transaction() as tx:
            peer = await tx.session.get(Peer, self._lane.peer)
            if peer is not None:
                peer.failures += 1
                peer.failing_since = peer.failing_since or tx.now
                seconds = max(wait or 0.0, wait_after(peer.failures, tx.randomness))
                peer.next_try = tx.now + timedelta(seconds=min(seconds, LONGEST_WAIT))
                peer.last_error = detail[:500]
        return Outcome(DOWN, detail)

    async def _park(self, row: LogRow, detail: str) -> None:
        async with self._wire.instance.transaction() as tx:
            await tx.session.execute(
                insert(tx.session, Parked)
                .values(
                    lane_id=self._lane.id,
                    seq=row.seq,
                    order_key=row.order_key,
                    attempts=1,
                    next_try=tx.now + timedelta(seconds=wait_after(1, tx.randomness)),
                    error=detail[:500],
                )
                .on_conflict_do_nothing(index_elements=["lane_id", "seq"])
            )


async def _settle(tx: Transaction, host: str) -> None:
    """The peer answers again."""
    peer = await tx.session.get(Peer, host)
    if peer is not None:
        peer.failures, peer.failing_since, peer.next_try = 0, None, None
        peer.last_error, peer.last_delivered = "", tx.now


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
