# SPDX-License-Identifier: Apache-2.0
"""One batch on its way over one lane."""

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta
from http import HTTPStatus

import structlog
from sqlalchemy import delete

from federation.delivery.profiles import LONGEST_WAIT, takes, wait_after
from federation.errors import StatusError, WireError
from federation.fetch import Response, retry_after
from federation.wire import Wire
from server import peers
from server.transaction import Transaction
from storage.base import insert
from storage.log import Lane, LogRow, Parked
from storage.peers import Peer

logger = structlog.get_logger("guildhall.delivery")
PARKED_FOR = timedelta(days=30)
AGAIN = {401, 403, 408, 429}
OUTAGE = {429, 502, 503, 504}
TRIES_OF_ONE = 3


@dataclass(frozen=True)
class Outcome:
    """How one sending ended: done, final refusal, for itself later, or the peer is down."""

    kind: str
    detail: str = ""
    wait: float | None = None


DONE, REFUSED, LATER, DOWN = "done", "refused", "later", "down"


@dataclass
class Progress:
    """What of a batch is dealt with; the cursor never passes a gap."""

    rows: list[LogRow]
    settled: set[int] = field(default_factory=set)

    def contiguous(self, cursor: int) -> int:
        for row in self.rows:
            if row.seq not in self.settled:
                break
            cursor = row.seq
        return cursor


class Sending:
    """One batch on its way over one lane."""

    def __init__(
        self, window: asyncio.Semaphore, wire: Wire, lane: Lane, peer: Peer | None
    ) -> None:
        self._window = window
        self._wire = wire
        self._lane = lane
        self._peer = peer
        self._down = False
        self.delivered = 0
        self.refused = 0
        self.last_refusal = ""

    async def batch(
        self, batch: list[tuple[LogRow, str | None]], progress: Progress, held_back: set[str]
    ) -> bool:
        """Send a batch, in order within each thread; answers whether the peer is up."""
        chains: dict[str, list[tuple[LogRow, str | None]]] = {}
        for row, body in batch:
            chains.setdefault(row.order_key, []).append((row, body))
        async with asyncio.TaskGroup() as group:
            # Were one to fail for a fault of ours, none may go on beside the lane's next run.
            for key, rows in chains.items():
                group.create_task(self._chain(rows, progress, key in held_back))
        return not self._down

    async def _chain(
        self, rows: list[tuple[LogRow, str | None]], progress: Progress, parked: bool
    ) -> None:
        for row, body in rows:
            if row.seq in progress.settled:
                continue
            if parked:
                await self._park(row, "Waits behind an earlier entry of its thread.")
                progress.settled.add(row.seq)
                continue
            async with self._window:
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
            if status not in OUTAGE and self._is_alive():
                # The peer answers others, or has failed at this one again and again.
                self.last_refusal = detail[:500]
                return Outcome(LATER, detail)
            return await self._failed(detail, wait)
        if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
            return Outcome(LATER, f"It leads elsewhere: {detail}")
        await self._succeeded()
        if status in AGAIN:
            self.last_refusal = detail[:500]
            return Outcome(LATER, detail)
        return self._refuse(detail)

    def _is_alive(self) -> bool:
        tried = self._peer is not None and self._peer.failures >= TRIES_OF_ONE
        return self.delivered > 0 or tried

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
