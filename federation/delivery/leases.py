# SPDX-License-Identifier: Apache-2.0
"""The lanes this process has for itself, and until when it has each."""

from collections.abc import Callable, Collection, Sequence
from datetime import datetime

import structlog

from federation.claims import LEASE
from server.instance import Instance
from storage import lanes
from storage.lanes import Work

logger = structlog.get_logger("guildhall.delivery")


class Leases:
    """What the database last said is ours; nothing is sent for a lane beyond that.

    A process that stood still for longer than a lease finds that others have its lanes: these
    are theirs from then on, whatever has been begun for them here.
    """

    def __init__(self, instance: Instance, owner: str) -> None:
        self._instance = instance
        self.owner = owner
        self._ends: dict[int, datetime] = {}

    def holds(self, lane: int, now: datetime | None = None) -> bool:
        """Whether a lane's lease still runs."""
        end = self._ends.get(lane)
        return end is not None and (now or self._instance.clock.now()) < end

    async def claim(self, chosen: Sequence[int]) -> list[Work]:
        """Take those of the chosen lanes that nobody else has."""
        async with self._instance.transaction() as tx:
            until = tx.now + LEASE
            works = await lanes.claim(tx.session, chosen, self.owner, tx.now, until)
        self._ends |= dict.fromkeys((work.lane for work in works), until)
        return works

    async def renew(self, working: Callable[[], Collection[int]]) -> None:
        """Keep what is worked on, as far as it is still ours; the rest is left to run out.

        `working` answers which lanes that is at the moment.
        """
        asked = {lane: self._ends[lane] for lane in working() if lane in self._ends}
        if not asked:
            return
        async with self._instance.transaction() as tx:
            until = tx.now + LEASE
            kept = await lanes.renew(tx.session, self.owner, sorted(asked), until)
        # One that was let go of and claimed again meanwhile is ours by that claim.
        gone = [
            lane for lane, end in asked.items() if lane not in kept and self._ends.get(lane) == end
        ]
        for lane in gone:
            del self._ends[lane]
        # The others were let go of while we waited for the database.
        lost = set(gone).intersection(working())
        if lost:
            logger.warning("lanes lost to another process", count=len(lost))
        now = self._instance.clock.now()
        self._ends = {
            lane: max(end, until) if lane in kept else end
            for lane, end in self._ends.items()
            if lane in kept or end > now
        }
