# SPDX-License-Identifier: Apache-2.0
"""The way in: a delivery is checked, stored durably, and answered."""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog

from federation import authority
from federation.errors import WireError
from federation.followers import claims
from federation.followers.hearing import Heard
from federation.liveness import Liveness
from federation.signatures.request import Request
from federation.throttle import Throttle
from federation.urls import host_of_uri
from federation.verification import Unverified, Verified, Verifier
from federation.vocabulary.activities import Envelope, parse_envelope
from federation.vocabulary.errors import Malformed
from federation.vocabulary.reader import read
from federation.wire import Wire
from server import peers
from storage import inbox, keys, members
from storage.appends import NotStored
from storage.faults import FAULTS
from storage.inbox import InboxRow, InboxState

logger = structlog.get_logger("guildhall.inbox")
LARGEST = 1_000_000
KNOCKS_A_MINUTE = 120
MOST_BYTES_WAITING = 64_000_000
IDS_TRIED = 2
FOLLOWERS = claims.NAME.lower()
UNIQUE = ("signer", "activity_id")


@dataclass(frozen=True)
class Answer:
    """What the sender is told: a status and one plain sentence."""

    status: int
    sentence: str
    retry_after: int | None = None


ACCEPTED = Answer(202, "Accepted.")
BUSY = Answer(503, "Nothing can be taken in at this moment: come again.", 10)


class Inbox:
    """Takes deliveries; nothing of them is acted on here."""

    def __init__(
        self, wire: Wire, verifier: Verifier, liveness: Liveness, followers: Heard
    ) -> None:
        self._wire = wire
        self._verifier = verifier
        self._liveness = liveness
        self.followers = followers
        settings = wire.instance.settings
        self._throttle = Throttle(settings.inbox_rate, settings.inbox_burst)
        self._most_waiting = settings.inbox_waiting
        self._bytes = 0
        self._knocks: deque[datetime] = deque()
        self._mark: int | None = None
        # Called when there is something new to work on.
        self.on_stored: Callable[[], None] = wire.instance.wake

    async def accept(self, request: Request) -> Answer:
        """Check a delivery in the order that costs a stranger most and us least.

        Size, strict JSON, policy on the host it claims, signature, policy on the host that is
        verified, whether it was seen, then one durable row. A 202 means that it will be worked
        on; a 503 that nothing was kept and the sender should come again.
        """
        body = request.body or b""
        if len(body) > LARGEST:
            return Answer(413, "The activity is larger than 1 MB.")
        if self._is_full(len(body)):
            return BUSY
        try:
            envelope = parse_envelope(read(body, max_bytes=LARGEST))
        except Malformed as error:
            return Answer(400, str(error))
        try:
            return await self._checked(request, envelope, body)
        except Unverified as error:
            return Answer(error.status, error.sentence, error.retry_after)
        except FAULTS as error:
            logger.warning("nothing can be taken in", why=str(error))
            return BUSY

    def _is_full(self, size: int) -> bool:
        """Whether so much waits for its commit that more would only wait in vain."""
        writer = self._wire.instance.database.writer
        return (
            writer.waiting >= self._most_waiting
            or writer.is_stuck
            or self._bytes + size > MOST_BYTES_WAITING
        )

    async def _checked(self, request: Request, envelope: Envelope, body: bytes) -> Answer:
        claimed = self._verifier.claimed_host(request)
        now = self._wire.instance.clock.now()
        mark = self._moment()
        refused = await self._policy(claimed, now, mark)
        if refused is not None:
            return refused
        # Only what was verified empties a bucket, so nobody can have another host refused.
        if wait := self._throttle.wait(claimed, now):
            return _too_fast(wait)
        if envelope.is_farewell:
            if await self._is_stranger(envelope.actor):
                return ACCEPTED
            mark = None
        verified = await self._verifier.request(request, now)
        if verified.host != host_of_uri(envelope.actor):
            return Answer(401, "The activity's actor is not who signed it.")
        if verified.host != claimed or verified.was_asked_for:
            # Time has passed, or it is somebody else: asked anew.
            now = self._wire.instance.clock.now()
            refused = await self._policy(verified.host, now)
            if refused is not None:
                return refused
        try:
            authority.must_be_own_words(verified.actor, envelope)
        except WireError as error:
            return Answer(401, str(error))
        await self._liveness.heard(verified.host, None if verified.was_asked_for else mark, now)
        self._hear_of_followers(request, verified)
        if wait := self._throttle.spend(verified.host, now):
            return _too_fast(wait)
        self._bytes += len(body)
        try:
            return await self._store(envelope, verified, body, now)
        finally:
            self._bytes -= len(body)

    def _hear_of_followers(self, request: Request, verified: Verified) -> None:
        """Note what the sender says of its followers here (FEP-8fcf), where that was signed."""
        if FOLLOWERS in verified.covered:
            for value in request.lines(FOLLOWERS)[:1]:
                self.followers.heard(verified.actor, value)

    def _moment(self) -> int | None:
        """A mark of the database as it was once all that is looked at in this turn had come.

        Deliveries come together, and one look at the file tells for all of them whether a rule
        has changed before they came. It is forgotten before anything that comes later is seen,
        and so is whatever was committed after it.
        """
        if self._mark is None:
            asyncio.get_running_loop().call_soon(self._forget_mark)
            self._mark = self._wire.instance.database.glance.mark()
        return self._mark

    def _forget_mark(self) -> None:
        self._mark = None

    async def _policy(self, host: str, now: datetime, mark: int | None = None) -> Answer | None:
        """The refusal of a host that is not let in; its knock is counted, nothing else."""
        decision = await self._wire.rulebook.judge(host, now, mark)
        if decision.allowed:
            return None
        if self._may_note_knock():
            async with self._wire.instance.transaction() as tx:
                await peers.knock(tx, host)
        return Answer(403, "This instance takes deliveries from listed agencies only.")

    def _may_note_knock(self) -> bool:
        """At most KNOCKS_A_MINUTE are written: a claim costs nothing and proves nothing."""
        now = self._wire.instance.clock.now()
        while self._knocks and now - self._knocks[0] > timedelta(minutes=1):
            self._knocks.popleft()
        if len(self._knocks) >= KNOCKS_A_MINUTE:
            return False
        self._knocks.append(now)
        return True

    async def _is_stranger(self, actor: str) -> bool:
        """An actor nobody here knows: their farewell is taken without asking for a key."""
        async with self._wire.instance.reading() as session:
            return await members.by_uri(session, actor) is None and not await keys.of_owner(
                session, actor
            )

    async def _store(
        self, envelope: Envelope, verified: Verified, body: bytes, now: datetime
    ) -> Answer:
        instance = self._wire.instance
        row = {
            "id": 0,
            "signer": verified.actor,
            "activity_id": envelope.id,
            "kind": envelope.type[:64],
            "key_id": verified.key_id,
            "request_digest": verified.digest,
            "body": body.decode(),
            "received": now,
            "state": InboxState.WAITING,
            "attempts": 0,
            "next_try": now,
            "note": "",
        }
        if await self._append(row):
            self.on_stored()
            return ACCEPTED
        async with instance.reading() as session:
            held = await inbox.by_activity(session, verified.actor, envelope.id)
        if held is not None and held.request_digest == verified.digest:
            return Answer(409, "This very request was received before; nothing was done again.")
        return Answer(202, "Received before.")

    async def _append(self, row: dict[str, Any]) -> bool:
        """Whether the row is new; another id is tried where two processes made the same."""
        ids, append = self._wire.instance.ids, self._wire.instance.database.writer.append
        for _ in range(IDS_TRIED):
            row["id"] = ids.next()
            try:
                return await append(InboxRow, row, unique=UNIQUE)
            except NotStored:
                continue
        row["id"] = ids.next()
        return await append(InboxRow, row, unique=UNIQUE)


def _too_fast(wait: int) -> Answer:
    return Answer(429, "Your host delivers faster than this instance takes.", wait)
