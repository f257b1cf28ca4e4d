# SPDX-License-Identifier: Apache-2.0
"""How much may be under way: to one origin, and altogether."""

import asyncio
from collections.abc import Callable

from federation.fetch.rooms import Room

FIRST, FEWEST, MOST = 8, 1, 16
SUCCESSES_FOR_ONE_MORE = 50
QUICK = 128
SLOW = 1_024
EARLY = 0.001
SLOW_AFTER = 1.0


class Window:
    """How many sendings to one origin are in flight at once.

    Begins at 8; half after a failure, one more for every 50 successes, from 1 to 16. Of a peer
    that was down one is tried first, then the rest.
    """

    def __init__(self) -> None:
        self._room = Room(FIRST)
        self._size = FIRST
        self._successes = 0

    @property
    def size(self) -> int:
        """How many may be in flight."""
        return self._room.places

    @property
    def in_flight(self) -> int:
        return self._room.taken

    def place(self) -> Room:
        """One of the places, as long as the block runs."""
        return self._room

    def probe(self) -> None:
        """Let one go first, until it has succeeded."""
        self._room.places = 1

    def succeeded(self) -> None:
        self._successes += 1
        if self._successes >= SUCCESSES_FOR_ONE_MORE and self._size < MOST:
            self._successes = 0
            self._size += 1
        if self._room.places != self._size:
            self._room.places = self._size
            self._room.admit()

    def failed(self) -> None:
        self._successes = 0
        if self._room.places == self._size:
            self._size = max(FEWEST, self._size // 2)
            self._room.places = self._size


class Slots:
    """How many sendings of all lanes are under way at once.

    Whoever is kept waiting longer than SLOW_AFTER seconds goes on in a waiting room of its own,
    so that hung peers take next to nothing from healthy ones. Once that room is full too, they
    hold what they have.
    """

    def __init__(self, quick: int = QUICK, slow: int = SLOW) -> None:
        self._quick = Room(quick)
        self._most_slow = slow
        self.slow = 0
        # The quick in the order in which they came, and one clock for all of them.
        self._since: dict[Slot, float] = {}
        self._timer: asyncio.TimerHandle | None = None

    @property
    def quick(self) -> int:
        """How many hold a place among the quick."""
        return self._quick.taken

    def place(self) -> "Slot":
        """A place, as long as the block runs."""
        return Slot(self)

    async def enter(self, slot: "Slot") -> None:
        """Wait for a place among the quick."""
        await self._quick.enter()
        self._entered(slot)

    def queue(self, slot: "Slot", let_in: Callable[[], None]) -> None:
        """Have `let_in` called once there is a place among the quick, perhaps at once."""
        if self._quick.enter_at_once():
            self._entered(slot)
            let_in()
            return

        def take() -> bool:
            self._entered(slot)
            let_in()
            return True

        self._quick.queue(take)

    def _entered(self, slot: "Slot") -> None:
        loop = asyncio.get_running_loop()
        self._since[slot] = loop.time()
        if self._timer is None:
            self._timer = loop.call_later(SLOW_AFTER, self._look)

    def _look(self) -> None:
        """Whoever is late goes to the slow, if there is room; the next are looked at in time."""
        loop = asyncio.get_running_loop()
        # A timer may come a little early: looking again in the same moment would help nobody.
        late = loop.time() - SLOW_AFTER + EARLY
        self._timer = None
        for slot, since in list(self._since.items()):
            if since > late:
                self._timer = loop.call_at(since + SLOW_AFTER, self._look)
                return
            del self._since[slot]
            if self.slow < self._most_slow:
                slot.is_slow = True
                self.slow += 1
                self._quick.leave()

    def leave(self, slot: "Slot") -> None:
        """Give the place back."""
        self._since.pop(slot, None)
        if slot.is_slow:
            self.slow -= 1
        else:
            self._quick.leave()


class Slot:
    """A sending's place, among the quick for SLOW_AFTER seconds."""

    __slots__ = ("_slots", "is_slow")

    def __init__(self, slots: Slots) -> None:
        self._slots = slots
        self.is_slow = False

    async def __aenter__(self) -> None:
        await self._slots.enter(self)

    async def __aexit__(self, *_: object) -> None:
        self._slots.leave(self)
