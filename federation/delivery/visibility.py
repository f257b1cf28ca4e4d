# SPDX-License-Identifier: Apache-2.0
"""Who may read our forums, asked at the moment of sending."""

import asyncio
from collections.abc import Collection, Mapping

from server.instance import Instance
from storage import forums

# Where it must be asked for (PostgreSQL), an answer counts for so many seconds.
ASKED_EVERY = 0.05
_ONE = "SELECT visibility FROM forums WHERE uri = ? AND peer IS NULL"


class Visibilities:
    """What is held was read after the last commit, or at most ASKED_EVERY ago on PostgreSQL."""

    def __init__(self, instance: Instance) -> None:
        self._instance = instance
        self._held: dict[str, str | None] = {}
        self._mark: int | None = None
        self._asked = -ASKED_EVERY
        self._asking = asyncio.Lock()

    async def of(self, audiences: Collection[str]) -> Mapping[str, str | None]:
        """The visibility of each of these; None for what is no forum of ours."""
        mark, now = self._instance.database.glance.mark(), asyncio.get_running_loop().time()
        is_late = not 0 <= now - self._asked < ASKED_EVERY
        if mark != self._mark or (mark is None and is_late):
            self._held, self._mark, self._asked = {}, mark, now
        # Kept here: whoever finds a newer mark meanwhile begins with nothing.
        held = self._held
        missing = [audience for audience in audiences if audience not in held]
        for audience in missing if mark is not None else ():
            rows = self._instance.database.glance.rows(_ONE, audience)
            if rows is not None:
                held[audience] = rows[0][0] if rows else None
        if any(audience not in held for audience in missing):
            # All who need an answer at this moment share one question.
            async with self._asking:
                await self._ask([audience for audience in missing if audience not in held], held)
        return held

    async def _ask(self, missing: Collection[str], held: dict[str, str | None]) -> None:
        if missing:
            async with self._instance.reading() as session:
                found = await forums.visibilities(session, missing)
            held.update({audience: found.get(audience) for audience in missing})
