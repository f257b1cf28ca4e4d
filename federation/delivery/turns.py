# SPDX-License-Identifier: Apache-2.0
"""One turn of a lane: what it has to send, in order."""

import asyncio
from collections.abc import Coroutine
from datetime import timedelta
from typing import Any

import structlog

from federation.delivery.doubts import MOST_HELD, Doubt, Doubts
from federation.delivery.health import KEPT_FOR, Origin
from federation.delivery.sending import DOUBTFUL, DOWN, LATER, Courier, Office, Outcome
from federation.delivery.waits import wait_after
from federation.errors import WireError
from federation.fetch import Response
from server import audit
from server.software import takes
from server.transaction import Transaction
from storage import lanes
from storage.base import insert
from storage.faults import passes
from storage.lanes import Held, Item, Settled, Work
from storage.log import Lane, Parked

logger = structlog.get_logger("guildhall.delivery")
# However old an entry is, its peer is asked so often while it is there: for a few hours.
FEWEST_TRIES = 12
AWAY_AFTER = timedelta(days=1)
BEHIND = "Waits behind an earlier entry of its thread."
FAULT = "A fault of ours kept this from being sent: the server's log says which."
_BEHIND = Outcome(DOUBTFUL, BEHIND)


class Turn:
    """One lane's work: in order within each thread, never far beyond what is written down."""

    def __init__(
        self,
        office: Office,
        work: Work,
        origin: Origin,
        settled: set[int],
        first: Response | WireError | None = None,
    ) -> None:
        self._office = office
        self._work = work
        self._origin = origin
        self._doubts = Doubts(origin, not work.behind, self._go_on)
        self._courier = Courier(office, work, origin, self._doubts.taken, first)
        self.settled = settled
        self._noted = 0
        self._writing = False
        self._moved = asyncio.Event()
        # The positions that wait until they are within reach, and up to which they are let go.
        self._beyond: set[int] = set()
        self._let = 0
        self._stopped = False
        self.is_late = False

    async def run(self) -> None:
        """Send what there is; at the end the cursor is written and the lane let go of."""
        work = self._work
        self._write_down()
        chains: dict[str, list[int]] = {}
        for position, item in enumerate(work.items):
            chains.setdefault(item.order_key, []).append(position)
        # Each is of another thread, and the window says how many go together.
        # Of what failed before, few are tried while nothing shows that the peer is back.
        held = work.held[:MOST_HELD] if self._origin.failures else work.held
        going = [self._retry(one) for one in held]
        going += [self._chain(positions, key in work.behind) for key, positions in chains.items()]
        self._doubts.going = len(going)
        if len(going) == 1:
            await self._go(going[0])
        else:
            async with asyncio.TaskGroup() as group:
                # Were one to fail for a fault of ours, none may go on beside the lane's next run.
                for one in going:
                    group.create_task(self._go(one))
        cursor = self._contiguous()
        if not self._stopped and not work.more and self._done() == len(work.items):
            cursor = max(cursor, work.until)
        await self._note(cursor, release=True)

    async def _go(self, one: Coroutine[Any, Any, None]) -> None:
        await one
        self._doubts.rest()

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
        courier = self._courier
        noted = Settled(
            self._work.lane,
            self._origin.host,
            cursor,
            courier.delivered,
            courier.refused,
            courier.last_refusal[:500],
            release,
        )
        courier.delivered = courier.refused = 0
        courier.last_refusal = ""
        return self._office.settling.put(noted)

    async def _within_reach(self, position: int) -> None:
        """Wait until so much before is written down that a crash repeats at most a window."""
        while not self._stopped:
            if position < max(self._noted + self._origin.window.size, self._let):
                return
            self._moved.clear()
            self._write_down()
            self._office.settling.hurry()
            self._beyond.add(position)
            self._doubts.rest()
            await self._moved.wait()

    def _wake(self) -> None:
        """Those that wait until they are within reach look again."""
        self._doubts.going += len(self._beyond)
        self._beyond.clear()
        self._moved.set()

    def _go_on(self) -> bool:
        """Whether another entry is or will be tried: the next one beyond reach if need be."""
        if not self._beyond:
            return False
        if self._writing:
            return True
        self._let = min(self._beyond) + 1
        self._wake()
        return True

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
            self._wake()
            self._write_down()

        self._note(self._work.items[done - 1].seq).add_done_callback(written)

    def _stop(self) -> None:
        self._stopped = self._doubts.stopped = True
        self._wake()

    async def _chain(self, positions: list[int], behind: bool) -> None:
        """The rows of one thread, one after the other."""
        for index, position in enumerate(positions):
            item = self._work.items[position]
            if item.seq in self.settled:
                continue
            if not takes(self._origin.profile, item.form):
                self._settle(item)
                continue
            is_last = index == len(positions) - 1
            if behind:
                if not self._origin.is_doubted or await self._is_aside(
                    _BEHIND, is_sent=False, is_last=is_last
                ):
                    await self._park_all(positions[index:])
                return
            await self._within_reach(position)
            outcome = await self._send(item)
            if outcome.kind == DOUBTFUL and not await self._is_aside(outcome, is_last=is_last):
                return
            if outcome.kind == DOWN:
                self._stop()
                return
            if outcome.kind in {LATER, DOUBTFUL}:
                if not await self._park([(item, outcome.detail)]):
                    return
                behind = True
            self._settle(item)

    async def _send(self, item: Item) -> Outcome:
        """Send one entry in its place among all to this peer, if it still may go."""
        async with self._origin.window.place():
            if self._stopped or not self._may_send():
                return Outcome(DOWN)
            try:
                return await self._courier.send(item)
            except Exception as error:  # a fault of ours with one keeps nothing from the others
                if passes(error):
                    raise
                where = {"inbox": self._work.inbox, "activity": item.activity_id}
                logger.error("delivery failed", **where, exc_info=error)
                self._office.crashed(item.activity_id, error)
                return Outcome(LATER, FAULT)

    async def _is_aside(
        self,
        outcome: Outcome,
        *,
        is_held: bool = False,
        is_sent: bool = True,
        is_last: bool = False,
    ) -> bool:
        """Whether this is set aside, or else the peer is failing: once that is known."""
        doubt = Doubt(is_held, is_sent, outcome.is_broken, is_last)
        if await self._doubts.is_aside(doubt):
            if outcome.is_broken:
                self._origin.window.failed()
            return True
        # A turn that was ended says nothing of the peer.
        if not self._stopped and self._may_send():
            if is_sent:
                await self._courier.down(outcome.detail)
            elif not self._doubts.was_asked:
                # It was asked nothing. What is set aside before this is tried in the next turn.
                await self._have_tried()
        self._stop()
        return False

    async def _have_tried(self) -> None:
        """What is set aside for this peer is due now."""
        async with self._office.wire.instance.transaction() as tx:
            await lanes.due_by(tx.session, self._origin.host, tx.now)

    async def _park_all(self, positions: list[int]) -> None:
        """What follows in a thread of which something is parked, in one commit."""
        items = [self._work.items[position] for position in positions]
        items = [item for item in items if item.seq not in self.settled]
        taken = [item for item in items if takes(self._origin.profile, item.form)]
        if await self._park([(item, BEHIND) for item in taken]):
            for item in items:
                self._settle(item)

    def _may_send(self) -> bool:
        """Whether the peer is up and not paused, and the lane still ours."""
        office, host = self._office, self._origin.host
        if self._origin.down or host in office.health.paused:
            return False
        return office.leases.holds(self._work.lane)

    async def _retry(self, held: Held) -> None:
        """Try a parked entry again."""
        outcome = await self._send(held.item)
        if outcome.kind == DOUBTFUL and not await self._is_aside(outcome, is_held=True):
            return
        if outcome.kind == DOWN:
            self._stop()
            return
        lane = self._work.lane
        async with self._office.wire.instance.transaction() as tx:
            if outcome.kind not in {LATER, DOUBTFUL}:
                await lanes.unpark(tx.session, lane, [held.item.seq])
                return
            if not await self._is_still_ours(tx):
                return
            self.is_late = True
            again = await tx.session.get(Parked, (lane, held.item.seq))
            if again is None:
                return
            # Due for longer than any wait: its peer was away, and is asked as if anew.
            was_away = tx.now - again.next_try > AWAY_AFTER
            again.attempts = 1 if was_away else again.attempts + 1
            if tx.now - held.item.at > KEPT_FOR and again.attempts > FEWEST_TRIES:
                await self._give_up(tx, held.item, outcome.detail)
                await lanes.unpark(tx.session, lane, [held.item.seq])
                return
            again.error = outcome.detail[:500]
            seconds = wait_after(again.attempts, tx.randomness)
            again.next_try = tx.now + timedelta(seconds=seconds)

    async def _give_up(self, tx: Transaction, item: Item, detail: str) -> None:
        """An entry that failed by itself for too long: its peer repairs that by digest."""
        lane = await tx.session.get_one(Lane, self._work.lane)
        lane.catch_up = tx.now
        logger.warning("delivery given up", inbox=lane.inbox, activity=item.activity_id)
        audit.note(tx, self._origin.host, "peer.given_up", item.activity_id, detail)

    async def _is_still_ours(self, tx: Transaction) -> bool:
        """Whether the lane is ours until the commit; what else is known of it stops here."""
        if await lanes.holds(tx.session, self._office.leases.owner, self._work.lane):
            return True
        self._stop()
        return False

    async def _park(self, entries: list[tuple[Item, str]]) -> bool:
        """Set entries aside, each with the reason; False where the lane is another's by now."""
        if not entries:
            return True
        self.is_late = True
        async with self._office.wire.instance.transaction() as tx:
            if not await self._is_still_ours(tx):
                return False
            rows = [
                {
                    "lane_id": self._work.lane,
                    "seq": item.seq,
                    "order_key": item.order_key,
                    "attempts": 1,
                    "next_try": tx.now + timedelta(seconds=wait_after(1, tx.randomness)),
                    "error": detail[:500],
                }
                for item, detail in entries
            ]
            statement = insert(tx.session, Parked)
            await tx.session.execute(
                statement.on_conflict_do_nothing(index_elements=["lane_id", "seq"]), rows
            )
        return True
