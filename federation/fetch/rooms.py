# SPDX-License-Identifier: Apache-2.0
"""A room with so many places, for as many as may do something at once."""

import asyncio
from collections import deque
from collections.abc import Callable


class Room:
    """So many places; whoever comes first is let in first."""

    __slots__ = ("_waiting", "places", "taken")

    def __init__(self, places: int) -> None:
        self.places = places
        self.taken = 0
        # Each is called when there is a place, and says whether it is still there to take it.
        self._waiting: deque[Callable[[], bool]] = deque()

    def enter_at_once(self) -> bool:
        """Take a place if there is one that nobody waits for."""
        if self.taken < self.places and not self._waiting:
            self.taken += 1
            return True
        return False

    async def enter(self) -> None:
        """Wait for a place."""
        if self.enter_at_once():
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def let_in() -> bool:
            if turn.done():
                return False
            turn.set_result(None)
            return True

        self.queue(let_in)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                # The place was given to us at the very moment we left.
                self.leave()
            raise

    def queue(self, let_in: Callable[[], bool]) -> None:
        """Have `let_in` called once there is a place; it answers whether it takes that."""
        self._waiting.append(let_in)

    async def __aenter__(self) -> None:
        await self.enter()

    async def __aexit__(self, *_: object) -> None:
        self.leave()

    def leave(self) -> None:
        """Give the place back."""
        self.taken -= 1
        self.admit()

    def admit(self) -> None:
        """Let in whom there is room for now."""
        while self._waiting and self.taken < self.places:
            # Taken before it is told, since whoever is told may ask for another at once.
            self.taken += 1
            if not self._waiting.popleft()():
                self.taken -= 1
