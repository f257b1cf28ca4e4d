# SPDX-License-Identifier: Apache-2.0
"""The bytes of activities, read at the moment of sending."""

import asyncio
from collections import OrderedDict
from dataclasses import dataclass

from federation.delivery.visibility import ASKED_EVERY
from federation.wire import Wire
from storage import lanes

MOST_HELD = 64
_STANDS = "SELECT 1 FROM activity_bodies WHERE id = CAST(? AS INTEGER) AND body IS NOT NULL"


@dataclass(slots=True)
class _Held:
    """The bytes of one, as they stood at a mark of the database and a time of the loop."""

    body: bytes
    mark: int | None
    read: float


class Bodies:
    """Keeps the last few, since one activity goes to many lanes at once.

    A body is scrubbed by whatever process the deed comes to, perhaps long before anything is told
    of it. So one that is held is believed only while nobody has committed since it was read;
    after that it is looked whether it stands. On PostgreSQL, where that would be a question for
    each sending, it is read again after ASKED_EVERY seconds.
    """

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._glance = wire.instance.database.glance
        self._held: OrderedDict[int, _Held] = OrderedDict()
        self._reading: dict[int, asyncio.Task[bytes | None]] = {}

    def held(self, body_id: int) -> bytes | None:
        """The bytes, where they are at hand and still stand."""
        found = self._held.get(body_id)
        if found is None:
            return None
        if not self._stands(body_id, found):
            del self._held[body_id]
            return None
        return found.body

    def _stands(self, body_id: int, found: _Held) -> bool:
        mark = self._glance.mark()
        if mark is None:
            return 0 <= asyncio.get_running_loop().time() - found.read < ASKED_EVERY
        if mark != found.mark:
            if not self._glance.rows(_STANDS, str(body_id)):
                return False
            found.mark = mark
        return True

    async def body(self, body_id: int) -> bytes | None:
        """The bytes; None after the post in them was deleted."""
        held = self.held(body_id)
        if held is not None:
            return held
        reading = self._reading.get(body_id)
        if reading is None:
            # Many lanes ask for the same at once: one of them reads.
            reading = self._reading[body_id] = asyncio.create_task(self._read(body_id))
            reading.add_done_callback(lambda _: self._reading.pop(body_id, None))
        return await asyncio.shield(reading)

    async def _read(self, body_id: int) -> bytes | None:
        # From before the question: whoever scrubs it meanwhile has it looked at again.
        mark, now = self._glance.mark(), asyncio.get_running_loop().time()
        async with self._wire.instance.reading() as session:
            found = (await lanes.bodies(session, [body_id])).get(body_id)
        if found is None:
            return None
        body = found.encode()
        self._held[body_id] = _Held(body, mark, now)
        while len(self._held) > MOST_HELD:
            self._held.popitem(last=False)
        return body
