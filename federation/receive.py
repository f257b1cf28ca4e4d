# SPDX-License-Identifier: Apache-2.0
"""Working on what was received, in order for each sender."""

import asyncio
from datetime import timedelta

import structlog
from sqlalchemy.exc import IntegrityError

from federation.actors import Actors
from federation.errors import WireError
from federation.incoming import Ignored, Incoming, settle
from federation.registry import handle
from federation.urls import host_of_uri
from federation.verification import Verifier
from federation.vocabulary.activities import parse_activity
from federation.vocabulary.errors import Malformed
from federation.vocabulary.reader import read
from federation.wire import Wire
from server.errors import Refusal
from server.facts import ActivityRefused
from storage import inbox
from storage.inbox import InboxRow, InboxState

logger = structlog.get_logger("guildhall.inbox")
HOSTS_AT_ONCE = 8
MOST_ATTEMPTS = 10
ANSWERED = frozenset({"Create", "Update", "Like"})


class Receiver:
    """Applies received activities; a slow host delays its own only."""

    def __init__(self, wire: Wire, actors: Actors, verifier: Verifier) -> None:
        self._wire = wire
        self.actors = actors
        self.verifier = verifier

    async def run_due(self) -> int:
        """Work on everything that is due; answers how many rows that was."""
        instance = self._wire.instance
        async with instance.reading() as session:
            rows = await inbox.waiting(session, instance.clock.now())
        by_host: dict[str, list[InboxRow]] = {}
        for row in rows:
            by_host.setdefault(host_of_uri(row.signer), []).append(row)
        room = asyncio.Semaphore(HOSTS_AT_ONCE)

        async def in_order(waiting: list[InboxRow]) -> None:
            async with room:
                for row in waiting:
                    await self._work(row)

        await asyncio.gather(*(in_order(waiting) for waiting in by_host.values()))
        return len(rows)

    async def _work(self, row: InboxRow) -> None:
        """One row, to one of four ends: applied, ignored, refused, or tried again."""
        incoming = Incoming(
            self._wire, self.actors, self.verifier, row.body or "", row.key_id, row.id
        )
        try:
            activity = parse_activity(read((row.body or "").encode()))
            await handle(incoming, activity)
        except Ignored as reason:
            await self._settle(row, InboxState.IGNORED, str(reason))
        except Refusal as refusal:
            await self._refuse(incoming, row, refusal)
        except Malformed as error:
            await self._settle(row, InboxState.IGNORED, str(error))
        except WireError as error:
            if error.permanent:
                await self._settle(row, InboxState.REFUSED, str(error))
            else:
                await self._again(row, str(error))
        except IntegrityError:
            # Another row brought the same thing at the same moment: look again.
            await self._again(row, "The same was being stored already.")
        except Exception as error:  # the outermost loop: one bad row must not stop the rest
            logger.error("activity failed", id=row.activity_id, kind=row.kind, exc_info=error)
            await self._again(row, f"{type(error).__name__}: {error}")
        else:
            await self._settle(row, InboxState.APPLIED, "")

    async def _settle(self, row: InboxRow, state: InboxState, note: str) -> None:
        if state is not InboxState.APPLIED:
            logger.info("activity not applied", id=row.activity_id, kind=row.kind, why=note)
        async with self._wire.instance.transaction() as tx:
            await settle(tx, row.id, state, note)

    async def _refuse(self, incoming: Incoming, row: InboxRow, refusal: Refusal) -> None:
        """Our forum's rules say no: its author is told so, with the reason."""
        async with self._wire.instance.transaction() as tx:
            await settle(tx, row.id, InboxState.REFUSED, refusal.sentence)
            forum, member = incoming.forum, incoming.member
            if forum is not None and member is not None and row.kind in ANSWERED:
                tx.record(ActivityRefused(forum.id, member.id, row.activity_id, refusal.sentence))

    async def _again(self, row: InboxRow, note: str) -> None:
        async with self._wire.instance.transaction() as tx:
            held = await tx.session.get_one(InboxRow, row.id)
            held.attempts += 1
            held.note = note[:500]
            if held.attempts >= MOST_ATTEMPTS:
                held.state = InboxState.REFUSED
                held.body = None
                return
            held.next_try = tx.now + timedelta(seconds=min(3_600.0, 2.0**held.attempts))
