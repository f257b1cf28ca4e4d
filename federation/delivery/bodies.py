# SPDX-License-Identifier: Apache-2.0
"""The bytes of activities, read at the moment of sending."""

import asyncio
from collections import OrderedDict

from federation.wire import Wire
from storage import lanes

MOST_HELD = 64


class Bodies:
    """Keeps the last few, since one activity goes to many lanes at once.

    What was scrubbed is forgotten here as soon as the log tells of it.
    """

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._held: OrderedDict[int, tuple[str, bytes]] = OrderedDict()
        self._reading: dict[int, asyncio.Task[bytes | None]] = {}
        # What has changed while something was being read, which may be what it was before.
        self._changed: set[str] = set()

    def held(self, body_id: int) -> bytes | None:
        """The bytes, where they are at hand."""
        found = self._held.get(body_id)
        return None if found is None else found[1]

    async def body(self, body_id: int) -> bytes | None:
        """The bytes; None after the post in them was deleted."""
        held = self._held.get(body_id)
        if held is not None:
            return held[1]
        reading = self._reading.get(body_id)
        if reading is None:
            # Many lanes ask for the same at once: one of them reads.
            reading = self._reading[body_id] = asyncio.create_task(self._read(body_id))
            reading.add_done_callback(lambda _: self._was_read(body_id))
        return await asyncio.shield(reading)

    async def _read(self, body_id: int) -> bytes | None:
        async with self._wire.instance.reading() as session:
            found = (await lanes.bodies(session, [body_id])).get(body_id)
        if found is None or found[1] is None:
            return None
        body = found[1].encode()
        if found[0] in self._changed:
            return body
        self._held[body_id] = (found[0], body)
        while len(self._held) > MOST_HELD:
            self._held.popitem(last=False)
        return body

    def _was_read(self, body_id: int) -> None:
        self._reading.pop(body_id, None)
        if not self._reading:
            self._changed.clear()

    def forget(self, subjects: set[str]) -> None:
        """These have changed: what is held of them, or being read, may be out of date."""
        if self._reading:
            self._changed |= subjects
        for body_id in [n for n, (subject, _) in self._held.items() if subject in subjects]:
            del self._held[body_id]
