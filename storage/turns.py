# SPDX-License-Identifier: Apache-2.0
"""Processes that write to one SQLite file, in the order in which they came."""

import asyncio
import fcntl
import os
from contextlib import suppress

# Seconds between two looks; as long as a short commit takes.
LOOKS = 0.001
# Seconds after which one does without: whoever has the turn may have been stopped.
PATIENCE = 1.0


class Turns:
    """The turn to write, held by one process, and the place behind it.

    SQLite gives its lock to whoever looks at the right moment. Who writes again and again finds
    it free each time, and keeps it from one who looks every tenth of a second. Here who waits
    holds the place behind, so that who had the turn gets it again only after them. It is a
    courtesy and no more: SQLite's lock alone keeps writers apart. Both are locks of open files
    (flock), which end with a process however that ends.
    """

    def __init__(self, path: str | None) -> None:
        # None for what no other process writes to.
        is_shared = path and path != ":memory:"
        self._paths = (f"{path}-turn", f"{path}-next") if is_shared else ()
        self._files: list[int] = []
        self._is_next = False

    async def __aenter__(self) -> None:
        if not self._is_there():
            return
        loop = asyncio.get_running_loop()
        until = loop.time() + PATIENCE
        try:
            while loop.time() < until:
                if self._has_it(*self._files):
                    break
                await asyncio.sleep(LOOKS)
        finally:
            if self._is_next:
                fcntl.flock(self._files[-1], fcntl.LOCK_UN)
            self._is_next = False

    async def __aexit__(self, *_raised: object) -> None:
        # Where it was not had, there is nothing to give up.
        if self._files:
            fcntl.flock(self._files[0], fcntl.LOCK_UN)

    def _is_there(self) -> bool:
        """Whether there are files to lock; a folder that takes none is written to without."""
        if not self._files:
            with suppress(OSError):
                for path in self._paths:
                    # To read suffices for a lock: whoever made them, all may.
                    self._files.append(os.open(path, os.O_RDONLY | os.O_CREAT, 0o644))
            if len(self._files) < len(self._paths):
                self.close()
        return bool(self._files)

    def _has_it(self, turn: int, following: int) -> bool:
        self._is_next = self._is_next or _lock(following)
        return self._is_next and _lock(turn)

    def close(self) -> None:
        """Leave the files; they are opened again with the next turn."""
        while self._files:
            os.close(self._files.pop())


def _lock(file: int) -> bool:
    """Lock an open file unless somebody has it."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
