# SPDX-License-Identifier: Apache-2.0
"""The one way rows are written: deeds, and batched appends."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from dataclasses import dataclass
from typing import Any

from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from storage.base import Base, insert

MOST_IN_A_BATCH = 200


@dataclass
class _Waiting:
    table: type[Base]
    row: Mapping[str, Any]
    unique: tuple[str, ...]
    done: "asyncio.Future[bool]"


class Writer:
    """Owns the write connection of this process.

    On SQLite (`exclusive`) one transaction runs at a time, each begun IMMEDIATE. Appended
    rows are committed together between the deeds (group commit): the future of an append
    resolves after the commit that made its row durable.
    """

    def __init__(self, engine: AsyncEngine, *, exclusive: bool) -> None:
        self._engine = engine
        self._exclusive = exclusive
        self.lock = asyncio.Lock()
        self._queue: list[_Waiting] = []
        self._flusher: asyncio.Task[None] | None = None
        self.commits = 0

    def _turn(self) -> AbstractAsyncContextManager[Any]:
        return self.lock if self._exclusive else nullcontext()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncSession]:
        """One deed: commits when the block ends well, rolls back when it does not."""
        async with (
            self._turn(),
            AsyncSession(self._engine, expire_on_commit=False) as session,
            session.begin(),
        ):
            yield session
        self.commits += 1

    async def append(
        self, table: type[Base], row: Mapping[str, Any], *, unique: tuple[str, ...]
    ) -> bool:
        """Store one row durably; False when one with the same `unique` columns was there."""
        done: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._queue.append(_Waiting(table, row, unique, done))
        if self._flusher is None or self._flusher.done():
            self._flusher = asyncio.create_task(self._flush())
        return await done

    async def _flush(self) -> None:
        while self._queue:
            async with self._turn():
                batch, self._queue = self._queue[:MOST_IN_A_BATCH], self._queue[MOST_IN_A_BATCH:]
                await self._commit(batch)

    async def _commit(self, batch: list[_Waiting]) -> None:
        """Store a batch in one commit; when a row of it fails, each in one of its own."""
        try:
            async with AsyncSession(self._engine) as session, session.begin():
                stored = [await _store(session, waiting) for waiting in batch]
        except BaseException as error:
            if isinstance(error, Exception) and len(batch) > 1:
                for waiting in batch:
                    await self._commit([waiting])
                return
            for waiting in batch:
                if not waiting.done.done():
                    waiting.done.set_exception(error)
            if not isinstance(error, Exception):
                raise
            return
        self.commits += 1
        for waiting, fresh in zip(batch, stored, strict=True):
            if not waiting.done.done():
                waiting.done.set_result(fresh)

    async def close(self) -> None:
        """Wait for what is queued."""
        if self._flusher is not None:
            await asyncio.gather(self._flusher, return_exceptions=True)


async def _store(session: AsyncSession, waiting: _Waiting) -> bool:
    statement = (
        insert(session, waiting.table)
        .values(**waiting.row)
        .on_conflict_do_nothing(index_elements=list(waiting.unique))
        .returning(*(waiting.table.__table__.c[name] for name in waiting.unique))
    )
    return (await session.execute(statement)).first() is not None
