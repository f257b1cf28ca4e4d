# SPDX-License-Identifier: Apache-2.0
"""Who we are among the processes that share one database."""

import asyncio
import os
import platform
from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime, timedelta

from server.instance import Instance
from server.randomness import Randomness
from storage import leases
from storage.faults import FAULTS

LEASE = timedelta(seconds=30)
RENEWED_EVERY = 10.0
# While somebody else has what we want. The last commit of a process that was killed may come
# after its successor has looked: the database goes on by itself for a moment.
LOOKED_FOR_DEAD_EVERY = timedelta(seconds=3)


def owner_name(randomness: Randomness) -> str:
    """A name no other process has, `host/process/chance`: at most 64 characters."""
    return f"{platform.node()[:30]}/{os.getpid()}/{randomness.bits(64):016x}"


def is_dead(owner: str, mine: str) -> bool:
    """Whether the process of this name is surely gone, so that its leases need not run out.

    That is known only of processes on our own machine: one that no longer runs, and one whose
    number is now ours.
    """
    host, _, rest = owner.partition("/")
    number = rest.partition("/")[0]
    our_host, _, our_rest = mine.partition("/")
    if owner == mine or host != our_host or not number.isdecimal():
        return False
    if number == our_rest.partition("/")[0]:
        return True
    try:
        os.kill(int(number), 0)
    except ProcessLookupError:
        return True
    except (PermissionError, OverflowError):
        return False
    return False


class Claims:
    """The pieces of work this process has for itself, by name.

    A lease is kept for LEASE and asked for again when half of that is over, so that work which
    comes often does not cost a transaction each time.
    """

    def __init__(self, instance: Instance, owner: str) -> None:
        self._instance = instance
        self.owner = owner
        self._held: dict[str, datetime] = {}
        self._looked: datetime | None = None
        self._refused = False
        self._beginning = asyncio.Lock()

    async def take(self, names: Iterable[str]) -> set[str]:
        """Those of `names` that are ours to work on now; others are another process's."""
        wanted = set(names)
        now = self._instance.clock.now()
        held = {name for name in wanted if self._held.get(name, now) - now > LEASE / 2}
        if wanted == held:
            return held
        await self._free_the_dead()
        async with self._instance.transaction() as tx:
            until = tx.now + LEASE
            ours = await leases.claim(tx.session, sorted(wanted - held), self.owner, tx.now, until)
        self._held = {name: end for name, end in self._held.items() if end > now}
        self._held |= dict.fromkeys(ours, until)
        self._refused = ours != wanted - held
        return held | ours

    async def _free_the_dead(self) -> None:
        """Before the first claim, and after one that was refused: free what the dead have left."""
        async with self._beginning:
            now = self._instance.clock.now()
            if self._looked is not None and (
                not self._refused or timedelta(0) <= now - self._looked < LOOKED_FOR_DEAD_EVERY
            ):
                return
            async with self._instance.reading() as session:
                others = await leases.owners(session)
            dead = [owner for owner in others if is_dead(owner, self.owner)]
            if dead:
                async with self._instance.transaction() as tx:
                    for owner in dead:
                        await leases.release_all(tx.session, owner)
            self._looked = now

    async def release_all(self) -> None:
        """Leave everything to others, at the end."""
        if not self._held:
            return
        self._held = {}
        # Where the database does not answer, the leases run out by themselves.
        with suppress(*FAULTS):
            async with self._instance.transaction() as tx:
                await leases.release_all(tx.session, self.owner)
