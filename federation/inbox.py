# SPDX-License-Identifier: Apache-2.0
"""The way in: a delivery is checked, stored durably, and answered."""

from collections import deque
from dataclasses import dataclass
from datetime import datetime, timedelta

from federation import authority
from federation.actors import Actors
from federation.errors import WireError
from federation.liveness import Liveness
from federation.signatures.request import Request
from federation.urls import host_of_uri
from federation.verification import Unverified, Verified, Verifier
from federation.vocabulary.activities import Activity, parse_activity
from federation.vocabulary.errors import Malformed
from federation.vocabulary.reader import read
from federation.wire import Wire
from server import peers
from storage import inbox, keys, members
from storage.inbox import InboxRow, InboxState

LARGEST = 1_000_000
KNOCKS_A_MINUTE = 120


@dataclass(frozen=True)
class Answer:
    """What the sender is told: a status and one plain sentence."""

    status: int
    sentence: str
    retry_after: int | None = None


ACCEPTED = Answer(202, "Accepted.")


class Inbox:
    """Takes deliveries; nothing of them is acted on here."""

    def __init__(self, wire: Wire, actors: Actors, verifier: Verifier, liveness: Liveness) -> None:
        self._wire = wire
        self._actors = actors
        self._verifier = verifier
        self._liveness = liveness
        self._knocks: deque[datetime] = deque()

    async def accept(self, request: Request) -> Answer:
        """Check a delivery in the order that costs a stranger most and us least.

        Size, strict JSON, policy on the host it claims, signature, policy on the host that is
        verified, whether it was seen, then one durable row. A 202 means that it will be worked on.
        """
        body = request.body or b""
        if len(body) > LARGEST:
            return Answer(413, "The activity is larger than 1 MB.")
        try:
            activity = parse_activity(read(body, max_bytes=LARGEST))
        except Malformed as error:
            return Answer(400, str(error))
        try:
            claimed = self._verifier.claimed_host(request)
            refused = await self._policy(claimed)
            if refused is not None:
                return refused
            if await self._is_farewell_of_a_stranger(activity):
                return ACCEPTED
            verified = await self._verifier.request(request)
        except Unverified as error:
            return Answer(error.status, error.sentence, error.retry_after)
        return await self._verified(activity, verified, body)

    async def _verified(self, activity: Activity, verified: Verified, body: bytes) -> Answer:
        if verified.host != host_of_uri(activity.actor):
            return Answer(401, "The activity's actor is not who signed it.")
        refused = await self._policy(verified.host)
        if refused is not None:
            return refused
        try:
            authority.must_be_own_words(verified.actor, activity)
        except WireError as error:
            return Answer(401, str(error))
        self._liveness.heard(verified.host)
        return await self._store(activity, verified, body)

    async def _policy(self, host: str) -> Answer | None:
        """The refusal of a host that is not let in; its knock is counted, nothing else."""
        decision = await self._wire.judge(host)
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

    async def _is_farewell_of_a_stranger(self, activity: Activity) -> bool:
        """A Delete of an actor nobody here knows: taken without asking for its key."""
        if activity.type != "Delete" or getattr(activity.object, "id", "") != activity.actor:
            return False
        async with self._wire.instance.reading() as session:
            return await members.by_uri(
                session, activity.actor
            ) is None and not await keys.of_owner(session, activity.actor)

    async def _store(self, activity: Activity, verified: Verified, body: bytes) -> Answer:
        instance = self._wire.instance
        now = instance.clock.now()
        fresh = await instance.database.writer.append(
            InboxRow,
            {
                "id": instance.ids.next(),
                "signer": verified.actor,
                "activity_id": activity.id,
                "kind": activity.type[:64],
                "key_id": verified.key_id,
                "request_digest": verified.digest,
                "body": body.decode(),
                "received": now,
                "state": InboxState.WAITING,
                "attempts": 0,
                "next_try": now,
                "note": "",
            },
            unique=("signer", "activity_id"),
        )
        if fresh:
            instance.wake()
            return ACCEPTED
        async with instance.reading() as session:
            held = await inbox.by_activity(session, verified.actor, activity.id)
        if held is not None and held.request_digest == verified.digest:
            return Answer(409, "This very request was received before; nothing was done again.")
        return Answer(202, "Received before.")
