# SPDX-License-Identifier: Apache-2.0
"""What a deed works with: session, clock, randomness, settings, facts."""

from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from server.addresses import Addresses
from server.clock import Clock
from server.facts import Fact
from server.ids import Ids
from server.keys import Vault
from server.randomness import Randomness
from server.settings import Settings


@dataclass
class Transaction:
    """One deed's surroundings; commit happens where it was opened, never in a deed.

    `received` is the stored body of the activity that asks for the deed, if one does:
    a forum announces those bytes and no others. `left` are the files that nothing shows any
    more: whoever opened the transaction removes their bytes once it is committed.
    """

    session: AsyncSession
    clock: Clock
    randomness: Randomness
    ids: Ids
    settings: Settings
    vault: Vault
    received: int | None = None
    facts: list[Fact] = field(default_factory=list)
    left: list[str] = field(default_factory=list)

    @property
    def now(self) -> datetime:
        return self.clock.now()

    @property
    def addresses(self) -> Addresses:
        return Addresses(self.settings.origin)

    def record(self, fact: Fact) -> None:
        """Say what happened; it is stored, and reacted to, before the commit."""
        self.facts.append(fact)
