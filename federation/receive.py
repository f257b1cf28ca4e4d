# SPDX-License-Identifier: Apache-2.0
"""Working on what was received, in order for each sender."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from datetime import datetime, timedelta

import structlog
from sqlalchemy.exc import IntegrityError

from federation.actors import Actors
from federation.claims import Claims
from federation.errors import Unreachable, WireError
from federation.fetch.allowance import Allowance, limited
from federation.incoming import Ignored, Incoming, settle
from federation.registry import handle
from federation.returns import Returns
from federation.urls import host_of_uri
from federation.verification import Verifier
from federation.vocabulary.activities import parse_activity
from federation.vocabulary.errors import Malformed
from federation.vocabulary.reader import read
from federation.vocabulary.terms import POST_TYPES
from federation.wire import Wire
from server import audit, postponed
from server.errors import Refusal
from server.facts import ActivityRefused
from server.transaction import Transaction
from storage import inbox
from storage.inbox import InboxRow, InboxState

logger = structlog.get_logger("guildhall.inbox")
HOSTS_AT_ONCE = 64
PATIENCE = 0.5
ROWS_AT_ONCE = 200
LEFT_FOR = timedelta(seconds=5)
PATIENT_FOR = timedelta(days=3)
LONGEST_WAIT = 6 * 3_600.0
MOST_ALLOWANCES = 10_000
LOOKS = 3
ANSWERED = frozenset({"Create", "Update", "Like"})
STEERING = frozenset({"Add", "Block", "Delete", "Lock", "Remove", "Undo", "Update"})


class Receiver:
    """Applies received activities; a slow host delays its own only."""

    def __init__(self, wire: Wire, actors: Actors, verifier: Verifier, claims: Claims) -> None:
        self._wire = wire
        self.actors = actors
        self.verifier = verifier
        self._claims = claims
        self._busy: dict[str, asyncio.Task[None]] = {}
        # Hosts that are left alone until then: another process has them, or working on them failed.
        self._left: dict[str, datetime] = {}
        self._allowances: OrderedDict[int, Allowance] = OrderedDict()
        self._returns = Returns(wire.instance, self._is_ready)
        # Called when a host is through, of which more may wait.
        self.on_ready: Callable[[], None] = wire.instance.wake
        # Called with what stopped the work on a host that nobody waits for any more.
        self.on_crash: Callable[[Exception], None] = _log

    def _is_ready(self) -> None:
        self.on_ready()

    @property
    def in_hand(self) -> list[str]:
        """Hosts that are being worked on; what is committed of theirs may not be all there is."""
        return sorted(self._busy)

    def heard(self, host: str) -> None:
        """A sign of life from a host: what could not be had from it is asked for again."""
        self._returns.heard(host)

    async def returned(self, host: str) -> None:
        """The same of a host that has answered us, whatever was noted of it."""
        await self._returns.returned(host)

    async def run_due(self) -> int:
        """Start on what is due, in order for each host; answers how many rows that was.

        Quick hosts are waited for; one that makes us wait longer than PATIENCE goes on by
        itself, and its next rows are taken up once it is through.
        """
        by_host: dict[str, list[InboxRow]] = {}
        for row in await self._due():
            by_host.setdefault(host_of_uri(row.signer), []).append(row)
        chosen = dict(list(by_host.items())[: HOSTS_AT_ONCE - len(self._busy)])
        # Of several processes one works on a host, or its activities would be applied out of order.
        ours = await self._claims.take(f"inbox:{host}" for host in chosen)
        until = self._wire.instance.clock.now() + LEFT_FOR
        self._left |= {host: until for host in chosen if f"inbox:{host}" not in ours}
        taken = {host: rows for host, rows in chosen.items() if f"inbox:{host}" in ours}
        tasks = [self._start(host, rows) for host, rows in taken.items()]
        if tasks:
            finished, slow = await asyncio.wait(tasks, timeout=PATIENCE)
            for task in slow:
                task.add_done_callback(self._ended_by_itself)
            for task in finished:
                task.result()
        return sum(map(len, taken.values()))

    async def _due(self) -> list[InboxRow]:
        """The oldest rows whose time has come, of hosts that are not being worked on."""
        now = self._wire.instance.clock.now()
        self._left = {host: until for host, until in self._left.items() if until > now}
        left = {*self._busy, *self._left}
        async with self._wire.instance.reading() as session:
            rows = await inbox.due(session, now, ROWS_AT_ONCE, left)
        return [row for row in rows if host_of_uri(row.signer) not in left]

    def _start(self, host: str, rows: list[InboxRow]) -> asyncio.Task[None]:
        def ended(task: asyncio.Task[None]) -> None:
            self._busy.pop(host, None)
            if not task.cancelled() and task.exception() is None:
                self.on_ready()

        task = asyncio.create_task(self._in_order(host, rows), name=host)
        self._busy[host] = task
        task.add_done_callback(ended)
        return task

    def _ended_by_itself(self, task: asyncio.Task[None]) -> None:
        """What stopped it would go unseen, and it is begun anew, but not at once."""
        if not task.cancelled() and isinstance(error := task.exception(), Exception):
            self._left[task.get_name()] = self._wire.instance.clock.now() + LEFT_FOR
            self.on_crash(error)

    async def _in_order(self, host: str, rows: list[InboxRow]) -> None:
        """Work on a host's rows; what is about a post that waits itself waits behind it.

        It is then due when that one is: whoever wrote it, a Like never overtakes a Create.
        """
        now = self._wire.instance.clock.now()
        async with self._wire.instance.reading() as session:
            earlier = await inbox.not_yet_due(session, host, rows[-1].id, now)
        due = {row.id for row in rows}
        late: dict[str, datetime] = {}
        for row in sorted([*rows, *(row for row in earlier if row.id not in due)], key=_by_id):
            about, answers = subjects(row.body or "")
            again: datetime | None = row.next_try
            if row.id in due:
                behind = max((late[uri] for uri in (about | answers) & late.keys()), default=None)
                again = await (self._behind(row, behind) if behind else self._work(row))
            if again is not None:
                # What it answers does not wait for it: it may well be what is waited for.
                late |= dict.fromkeys(about, again)

    async def _behind(self, row: InboxRow, until: datetime) -> datetime | None:
        """Have a row wait for an earlier one about the same post; None where it was settled."""
        told = await self._told(row)
        async with self._wire.instance.transaction() as tx:
            if await self._is_removed(tx, row, told):
                return None
            (await tx.session.get_one(InboxRow, row.id)).next_try = until
        return until

    @staticmethod
    async def _told(row: InboxRow) -> set[str]:
        """What a row holds the words of; it may be of a million bytes."""
        return await asyncio.to_thread(postponed.told, row.body or "")

    @staticmethod
    async def _is_removed(tx: Transaction, row: InboxRow, told: set[str]) -> bool:
        """Settle a row that is to wait with the words of a post that was removed meanwhile.

        While it was being worked on it was left out when the post went.
        """
        if not told or not await postponed.is_about_removed(tx, told):
            return False
        await settle(tx, row.id, InboxState.IGNORED, postponed.NOTE)
        return True

    async def renew(self) -> None:
        """Keep the hosts that we work on; called more often than leases run out."""
        await self._claims.take(f"inbox:{host}" for host in self._busy)

    async def stop(self) -> None:
        """Leave off; what was not finished is still waiting, and is begun again."""
        await self._returns.stop()
        tasks = list(self._busy.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _work(self, row: InboxRow) -> datetime | None:
        """One row, to one of four ends: applied, ignored, refused, or tried again then."""
        allowance = self._allowances.pop(row.id, None) or Allowance()
        allowance.renew()
        again = await self._look(row, allowance)
        if again is not None:
            self._allowances[row.id] = allowance
            while len(self._allowances) > MOST_ALLOWANCES:
                self._allowances.popitem(last=False)
        return again

    async def _look(self, row: InboxRow, allowance: Allowance) -> datetime | None:
        """The same, at once anew where something else has just stored what it brings as well.

        Whoever was first has committed by then, so there is nothing to wait for.
        """
        for _ in range(LOOKS):
            try:
                return await self._try(row, allowance)
            except IntegrityError as error:
                logger.info("was stored already", id=row.activity_id, why=str(error.orig))
        return await self._again(row, "The same was being stored already.")

    async def _try(self, row: InboxRow, allowance: Allowance) -> datetime | None:
        incoming = Incoming(
            self._wire, self.actors, self.verifier, row.body or "", row.key_id, row.id, row.received
        )
        try:
            with limited(allowance):
                # Policy may have changed since it was taken.
                await self._wire.must_be_allowed(row.signer)
                activity = parse_activity(read((row.body or "").encode()))
                await handle(incoming, activity)
        except Ignored as reason:
            await self._settle(row, InboxState.IGNORED, str(reason))
        except Refusal as refusal:
            await self._refuse(incoming, row, refusal)
        except Malformed as error:
            await self._settle(row, InboxState.IGNORED, str(error))
        except WireError as error:
            if not error.permanent:
                return await self._later(row, error)
            await self._settle(row, InboxState.REFUSED, str(error))
        except IntegrityError:
            # No fault of the row's: `_look` looks again.
            raise
        except Exception as error:  # the outermost loop: one bad row must not stop the rest
            logger.error("activity failed", id=row.activity_id, kind=row.kind, exc_info=error)
            return await self._again(row, f"{type(error).__name__}: {error}")
        else:
            if not incoming.is_settled:
                await self._settle(row, InboxState.APPLIED, "")
        return None

    async def _settle(self, row: InboxRow, state: InboxState, note: str) -> None:
        if state is not InboxState.APPLIED:
            logger.info("activity not applied", id=row.activity_id, kind=row.kind, why=note)
        async with self._wire.instance.transaction() as tx:
            await settle(tx, row.id, state, note)
            self._audit(tx, row, state, note)

    @staticmethod
    def _audit(tx: Transaction, row: InboxRow, state: InboxState, note: str) -> None:
        """Whoever tries to steer what is not theirs leaves a line in the record."""
        if state is InboxState.REFUSED and row.kind in STEERING:
            audit.note(tx, row.signer, "activity.refused", row.activity_id, f"{row.kind}: {note}")

    async def _refuse(self, incoming: Incoming, row: InboxRow, refusal: Refusal) -> None:
        """Our forum's rules say no: its author is told so, with the reason."""
        async with self._wire.instance.transaction() as tx:
            await settle(tx, row.id, InboxState.REFUSED, refusal.sentence)
            self._audit(tx, row, InboxState.REFUSED, refusal.sentence)
            forum, member = incoming.forum, incoming.member
            if forum is not None and member is not None and row.kind in ANSWERED:
                tx.record(ActivityRefused(forum, member, row.activity_id, refusal.sentence))

    async def _later(self, row: InboxRow, error: WireError) -> datetime | None:
        """Try a row once more, at the latest when a host that was away shows itself."""
        again = await self._again(row, str(error))
        if again is not None and isinstance(error, Unreachable):
            self._returns.wait(error.host, row.id)
        return again

    async def _again(self, row: InboxRow, note: str) -> datetime | None:
        """Try a row once more, and when; None where it was given up, or is about what is gone."""
        told = await self._told(row)
        async with self._wire.instance.transaction() as tx:
            if await self._is_removed(tx, row, told):
                return None
            held = await tx.session.get_one(InboxRow, row.id)
            held.attempts += 1
            held.note = note[:500]
            if tx.now - held.received > PATIENT_FOR:
                await settle(tx, row.id, InboxState.REFUSED, f"Given up after three days: {note}")
                audit.note(tx, row.signer, "activity.given_up", row.activity_id, note)
                return None
            wait = min(LONGEST_WAIT, 2.0 ** min(held.attempts, 20))
            held.next_try = tx.now + timedelta(seconds=wait)
            return held.next_try


def _log(error: Exception) -> None:
    logger.error("work on a host failed", exc_info=error)


def _by_id(row: InboxRow) -> int:
    return row.id


def subjects(body: str) -> tuple[set[str], set[str]]:
    """The posts that a received activity is about, at any depth, and those that these answer."""
    found: set[str] = set()
    answered: set[str] = set()
    try:
        waiting: list[object] = [read(body.encode())]
    except Malformed:
        return found, answered
    while waiting:
        document = waiting.pop()
        if isinstance(document, str):
            found.add(document)
        elif isinstance(document, dict):
            kind = document.get("type")
            if isinstance(kind, str) and kind in POST_TYPES:
                for name, kept in (("id", found), ("inReplyTo", answered)):
                    if isinstance(value := document.get(name), str):
                        kept.add(value)
            elif "object" in document:
                waiting.append(document["object"])
        elif isinstance(document, list):
            waiting.extend(document[:50])
    return found, answered
