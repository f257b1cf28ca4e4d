# SPDX-License-Identifier: Apache-2.0
"""One lane's work on its way."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus

import structlog

from federation.delivery.bodies import Bodies
from federation.delivery.health import KEPT_FOR, Health, Origin
from federation.delivery.profiles import takes, wait_after
from federation.delivery.settling import Settling
from federation.delivery.signing import Signing
from federation.delivery.windows import Slots
from federation.errors import StatusError, WireError
from federation.fetch import Response, retry_after
from federation.wire import Wire
from server import audit
from server.transaction import Transaction
from storage import lanes
from storage.base import insert
from storage.forums import FEDERATED, Visibility
from storage.lanes import Held, Item, Settled, Work
from storage.log import Form, Lane, Parked

logger = structlog.get_logger("guildhall.delivery")
AGAIN = {401, 403, 408, 429}
OUTAGE = {429, 502, 503, 504}
TRIES_OF_ONE = 3
DEADLINE = 30.0
DONE, REFUSED, LATER, DOWN = "done", "refused", "later", "down"


@dataclass(frozen=True)
class Outcome:
    """How one sending ended: done, final refusal, for itself later, or the peer is down."""

    kind: str
    detail: str = ""


@dataclass
class Office:
    """What all sendings of this process share; nothing is sent after `until` unless renewed."""

    wire: Wire
    health: Health
    slots: Slots
    signing: Signing
    settling: Settling
    bodies: Bodies
    until: datetime

    def is_ours(self) -> bool:
        """Whether our leases still run."""
        return self.wire.instance.clock.now() < self.until


class Sending:
    """One lane's work: in order within each thread, never far beyond what is written down."""

    def __init__(
        self,
        office: Office,
        work: Work,
        origin: Origin,
        visibility: Mapping[str, str],
        settled: set[int],
    ) -> None:
        self._office = office
        self._work = work
        self._origin = origin
        self._visibility = visibility
        self.settled = settled
        self._noted = 0
        self._writing = False
        self._moved = asyncio.Event()
        self._delivered = 0
        self._refused = 0
        self._last_refusal = ""
        self._alive = False
        self._stopped = False

    async def run(self) -> None:
        """Send what there is; at the end the cursor is written and the lane let go of."""
        work = self._work
        self._write_down()
        for held in work.held:
            if not await self._retry(held):
                break
        chains: dict[str, list[int]] = {}
        for position, item in enumerate(work.items):
            chains.setdefault(item.order_key, []).append(position)
        async with asyncio.TaskGroup() as group:
            # Were one to fail for a fault of ours, none may go on beside the lane's next run.
            for key, positions in chains.items():
                group.create_task(self._chain(positions, key in work.behind))
        cursor = self._contiguous()
        if not self._stopped and not work.more and self._done() == len(work.items):
            cursor = max(cursor, work.until)
        await self._note(cursor, release=True)

    @property
    def stopped(self) -> bool:
        """Whether something was left, because the peer is down or our lease ran out."""
        return self._stopped

    def _done(self) -> int:
        """How many items from the front are dealt with: the cursor never passes a gap."""
        count = 0
        for item in self._work.items:
            if item.seq not in self.settled:
                break
            count += 1
        return count

    def _contiguous(self) -> int:
        done = self._done()
        return self._work.items[done - 1].seq if done else self._work.cursor

    def _note(self, cursor: int, *, release: bool = False) -> "asyncio.Future[None]":
        noted = Settled(
            self._work.lane,
            self._origin.host,
            cursor,
            self._delivered,
            self._refused,
            self._last_refusal[:500],
            release,
        )
        self._delivered = self._refused = 0
        self._last_refusal = ""
        return self._office.settling.put(noted)

    async def _within_reach(self, position: int) -> None:
        """Wait until so much before is written down that a crash repeats at most a window."""
        while position >= self._noted + self._origin.window.size and not self._stopped:
            self._moved.clear()
            self._write_down()
            await self._moved.wait()

    def _settle(self, item: Item) -> None:
        """This one is dealt with."""
        self.settled.add(item.seq)
        self._write_down()

    def _write_down(self) -> None:
        """Write the cursor as far as there is no gap; the end is written with the lane itself."""
        done = self._done()
        if self._writing or done <= self._noted or done == len(self._work.items):
            return
        self._writing = True

        def written(_: object) -> None:
            self._writing = False
            self._noted = done
            self._moved.set()
            self._write_down()

        self._note(self._work.items[done - 1].seq).add_done_callback(written)

    def _stop(self) -> None:
        self._stopped = True
        self._moved.set()

    async def _chain(self, positions: list[int], behind: bool) -> None:
        """The rows of one thread, one after the other."""
        for position in positions:
            item = self._work.items[position]
            if item.seq in self.settled:
                continue
            if behind:
                await self._park(item, "Waits behind an earlier entry of its thread.")
                self._settle(item)
                continue
            await self._within_reach(position)
            async with self._origin.window.place():
                if self._stopped or self._origin.down or not self._office.is_ours():
                    self._stop()
                    return
                outcome = await self._send(item)
            if outcome.kind == DOWN:
                self._stop()
                return
            if outcome.kind == LATER:
                await self._park(item, outcome.detail)
                behind = True
            self._settle(item)

    async def _retry(self, held: Held) -> bool:
        """Try a parked entry again; answers whether the peer is up."""
        async with self._origin.window.place():
            if self._origin.down or not self._office.is_ours():
                self._stop()
                return False
            outcome = await self._send(held.item)
        if outcome.kind == DOWN:
            self._stop()
            return False
        lane = self._work.lane
        async with self._office.wire.instance.transaction() as tx:
            late = outcome.kind == LATER
            if late and tx.now - held.item.at > KEPT_FOR:
                await self._give_up(tx, held.item, outcome.detail)
                late = False
            if not late:
                await lanes.unpark(tx.session, lane, [held.item.seq])
                return True
            again = await tx.session.get(Parked, (lane, held.item.seq))
            if again is not None:
                again.attempts += 1
                again.error = outcome.detail[:500]
                seconds = wait_after(again.attempts, tx.randomness)
                again.next_try = tx.now + timedelta(seconds=seconds)
        return True

    async def _give_up(self, tx: Transaction, item: Item, detail: str) -> None:
        """An entry that failed by itself for too long: its peer repairs that by digest."""
        lane = await tx.session.get_one(Lane, self._work.lane)
        lane.catch_up = tx.now
        logger.warning("delivery given up", inbox=lane.inbox, activity=item.activity_id)
        audit.note(tx, self._origin.host, "peer.given_up", item.activity_id, detail)

    async def _send(self, item: Item) -> Outcome:
        """Send one entry, if it still may go and the peer understands it."""
        if not takes(self._origin.software, item.form):
            return Outcome(DONE)
        body = await self._office.bodies.body(item.body_id)
        if body is None:
            return Outcome(DONE)
        if not await self._may_go(item):
            return Outcome(REFUSED, "policy")
        try:
            async with self._office.slots.place():
                response = await self._post(item, body)
        except LookupError:
            return self._refuse("The actor who signs this is gone.")
        except StatusError as error:
            return await self._judge(error.status, str(error), error.retry_after)
        except WireError as error:
            if error.permanent:
                return self._refuse(str(error))
            return await self._down(str(error), None)
        if 200 <= response.status < 300 or response.status == HTTPStatus.CONFLICT:
            # A conflict says that this very request has come before: a repeat after a crash.
            self._delivered += 1
            await self._answered()
            return Outcome(DONE)
        said = response.body[:300].decode("utf-8", "replace").strip()
        return await self._judge(
            response.status, f"{response.status} {said}", retry_after(response.headers)
        )

    async def _post(self, item: Item, body: bytes) -> Response:
        """Draft signature first; RFC 9421 once where the first is not understood."""
        door, inbox = self._office.wire.door, self._work.inbox
        modern = self._origin.speaks_rfc9421
        response = await door.post(
            inbox, body=body, sign=await self._signer(item, rfc9421=modern), deadline=DEADLINE
        )
        if response.status in {400, 401} and not modern:
            response = await door.post(
                inbox, body=body, sign=await self._signer(item, rfc9421=True), deadline=DEADLINE
            )
            if response.status < HTTPStatus.MULTIPLE_CHOICES:
                await self._office.health.learned_rfc9421(self._origin)
        return response

    async def _signer(
        self, item: Item, *, rfc9421: bool
    ) -> Callable[[str, str, bytes | None], Awaitable[Mapping[str, str]]]:
        prepare = await self._office.wire.preparer(item.signer, rfc9421=rfc9421)

        async def headers(method: str, url: str, body: bytes | None) -> Mapping[str, str]:
            return await self._office.signing.headers(prepare(method, url, body))

        return headers

    async def _may_go(self, item: Item) -> bool:
        """Policy and visibility are asked again at the moment of sending."""
        decision = await self._office.wire.judge(self._origin.host)
        if not decision.allowed:
            return False
        closed = item.closed
        if item.form != Form.DIRECT:
            visibility = self._visibility.get(item.audience)
            if visibility is not None and visibility not in FEDERATED:
                return False
            closed = closed or visibility == Visibility.AGENCIES
        return not closed or (decision.explicit and self._origin.is_guildhall)

    async def _judge(self, status: int, detail: str, wait: float | None) -> Outcome:
        if status == HTTPStatus.TOO_MANY_REQUESTS or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            if status not in OUTAGE and self._answers_others():
                # The peer answers others, or has failed at this one again and again.
                self._last_refusal = detail
                return Outcome(LATER, detail)
            return await self._down(detail, wait)
        if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
            return Outcome(LATER, f"It leads elsewhere: {detail}")
        await self._answered()
        if status in AGAIN:
            self._last_refusal = detail
            return Outcome(LATER, detail)
        return self._refuse(detail)

    def _answers_others(self) -> bool:
        return self._alive or self._origin.failures >= TRIES_OF_ONE

    def _refuse(self, detail: str) -> Outcome:
        self._refused += 1
        self._last_refusal = detail
        logger.warning("delivery refused", inbox=self._work.inbox, detail=detail[:200])
        return Outcome(REFUSED, detail)

    async def _answered(self) -> None:
        self._alive = True
        await self._office.health.succeeded(self._origin)

    async def _down(self, detail: str, wait: float | None) -> Outcome:
        """The peer is down: the whole lane waits, nothing is parked."""
        await self._office.health.failed(self._origin, detail, wait)
        return Outcome(DOWN, detail)

    async def _park(self, item: Item, detail: str) -> None:
        async with self._office.wire.instance.transaction() as tx:
            await tx.session.execute(
                insert(tx.session, Parked)
                .values(
                    lane_id=self._work.lane,
                    seq=item.seq,
                    order_key=item.order_key,
                    attempts=1,
                    next_try=tx.now + timedelta(seconds=wait_after(1, tx.randomness)),
                    error=detail[:500],
                )
                .on_conflict_do_nothing(index_elements=["lane_id", "seq"])
            )
