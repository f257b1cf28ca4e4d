# SPDX-License-Identifier: Apache-2.0
"""One running instance: its database, clock, keys, and its deeds."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TypeVar

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from server import reactions
from server.addresses import Addresses
from server.clock import Clock, SystemClock
from server.facts import pack
from server.files import Files
from server.ids import Ids
from server.keys import Vault
from server.randomness import Randomness, SystemRandomness
from server.settings import Settings
from server.transaction import Transaction
from storage import numbers
from storage.database import Database, notify, prepare
from storage.facts import FactRow
from storage.faults import passes
from storage.files import StoredFile
from storage.plain import Put, ask_ahead
from storage.snapshots import Moved

T = TypeVar("T")


class Instance:
    """What pages, the worker and the command line all stand on."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        *,
        clock: Clock | None = None,
        randomness: Randomness | None = None,
    ) -> None:
        self.settings = settings
        self.database = database
        self.clock = clock or SystemClock()
        self.randomness = randomness or SystemRandomness()
        self.ids = Ids(self.clock, self.randomness)
        self.vault = Vault.open(settings.state)
        self.files = Files(settings)
        self.addresses = Addresses(settings.origin)
        self._wakers: list[Callable[[], None]] = []

    @classmethod
    async def open(
        cls,
        settings: Settings,
        *,
        clock: Clock | None = None,
        randomness: Randomness | None = None,
    ) -> "Instance":
        """Open the database (made and migrated when empty) and the keys."""
        database = Database(settings.database)
        try:
            await prepare(database)
            instance = cls(settings, database, clock=clock, randomness=randomness)
            async with instance.reading() as session:
                instance.ids.go_on_from(await numbers.highest(session, instance.ids.ahead))
            return instance
        except BaseException:
            await database.close()
            raise

    async def close(self) -> None:
        await self.database.close()

    @staticmethod
    def database_passes(error: BaseException) -> bool:
        """Whether it is the database that cannot serve, and may again in a little while."""
        return passes(error)

    def on_wake(self, wake: Callable[[], None]) -> None:
        """Have `wake` called whenever there is new work for the worker."""
        self._wakers.append(wake)

    def wake(self) -> None:
        for wake in self._wakers:
            wake()

    def reading(self, *, planned_once: bool = False) -> AbstractAsyncContextManager[AsyncSession]:
        """A session for questions; `planned_once` as `Database.reading` has it."""
        return self.database.reading(planned_once=planned_once)

    @asynccontextmanager
    async def knowing(self, *put: Put) -> AsyncIterator[AsyncSession]:
        """A session that has the answers to what is `put`, of one moment, and is asked no more.

        Nothing is held meanwhile, so that it may be opened beside another.
        """
        async with self.database.reading(planned_once=True) as session:
            await ask_ahead(session, *put)
            yield session

    async def looked(
        self, look: Callable[[AsyncSession], Awaitable[T]], put: Iterable[Put] = ()
    ) -> T:
        """What `look` finds in one moment; what it is about to ask is `put` ahead of it.

        Not on SQLite, where nothing is gained by that. It looks once more where that moment had
        passed before it had asked all.
        """
        ahead = () if self.database.is_sqlite else tuple(put)
        try:
            async with self.database.reading(planned_once=True) as session:
                await ask_ahead(session, *ahead)
                return await look(session)
        except Moved:
            async with self.database.reading(planned_once=True, steady=True) as session:
                await ask_ahead(session, *ahead)
                return await look(session)

    @asynccontextmanager
    async def transaction(self, received: int | None = None) -> AsyncIterator[Transaction]:
        """One deed: what it records is reacted to and stored with it, in one commit."""
        async with self.database.writer.transaction() as session:
            tx = self.within(session, received)
            yield tx
            await self.settle(tx)
            recorded = bool(tx.facts)
        await self._let_go(tx.left)
        if recorded:
            self.wake()

    async def _let_go(self, left: list[str]) -> None:
        """Remove the bytes of files, but of those that somebody has brought again meanwhile."""
        if not left:
            return
        async with self.reading() as session:
            question = select(StoredFile.sha256).where(StoredFile.sha256.in_(left))
            brought = set((await session.execute(question)).scalars())
        for sha256 in left:
            if sha256 not in brought:
                await self.files.remove(sha256)

    def within(self, session: AsyncSession, received: int | None = None) -> Transaction:
        """The surroundings of a deed inside a session that is already open."""
        return Transaction(
            session=session,
            clock=self.clock,
            randomness=self.randomness,
            ids=self.ids,
            settings=self.settings,
            vault=self.vault,
            received=received,
        )

    async def settle(self, tx: Transaction) -> None:
        """React to the facts and store them; reactions may record more."""
        done = 0
        while done < len(tx.facts):
            fact = tx.facts[done]
            done += 1
            await tx.session.flush()
            await reactions.react(tx, fact)
            tx.session.add(
                FactRow(
                    id=tx.ids.next(),
                    kind=type(fact).__name__,
                    payload=pack(fact),
                    received=tx.received,
                    at=tx.now,
                    next_try=tx.now,
                )
            )
        if tx.facts:
            await notify(tx.session)
