# SPDX-License-Identifier: Apache-2.0
"""The one way rows are written: deeds, and batched appends."""

import asyncio
import sqlite3
from collections import deque
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

from sqlalchemy import event
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession
from sqlalchemy.orm import Session

from storage import sealing, versions
from storage.appends import Append, NotStored, PostgresAppends, SqliteAppends, Unwell
from storage.base import Base

MOST_IN_A_BATCH = 200
# A commit costs as much as ten rows: while rows keep coming, some are gathered for each, for
# this many seconds. Who comes alone is not kept waiting.
GATHERED_FOR = 0.004
KEEP_COMING = 0.02
LONGEST_WAIT = 10.0
# As long as SQLite itself waits for a lock.
PATIENCE = 5.0


class Deed(Session):
    """A session that keeps hold of every row it has seen.

    A session of itself remembers a row only while somebody else does, so that whoever asks for
    the same forum after the rules, the counters and the notices have asked for it asks the
    database. Within one deed the first answer holds; `held` reads anew what others may change.
    """


@event.listens_for(Deed, "loaded_as_persistent")
@event.listens_for(Deed, "pending_to_persistent")
def _keep(session: Session, row: object) -> None:
    session.info.setdefault("seen", []).append(row)


async def let_go(session: AsyncSession) -> None:
    """Close a session to the end, even when whoever had it is told to stop meanwhile.

    Its connection would else be given back by nobody when the event loop ends just then.
    """
    closing = asyncio.ensure_future(session.close())
    try:
        await asyncio.shield(closing)
    except asyncio.CancelledError:
        await asyncio.wait([closing])
        raise


versions.count_in(Deed)
sealing.seal_in(Deed)


class _Waiting(NamedTuple):
    append: Append
    since: float
    done: "asyncio.Future[bool]"


class Writer:
    """Owns the write connections of this process.

    On SQLite (`exclusive`) one transaction runs at a time, each begun IMMEDIATE. Appended
    rows are committed together between the deeds (group commit): the future of an append
    resolves after the commit that made its row durable. Deeds and batches take turns, so that
    a flood of either leaves room for the other.
    """

    def __init__(
        self, engine: AsyncEngine, appends: SqliteAppends | PostgresAppends, *, exclusive: bool
    ) -> None:
        self._engine = engine
        self._appends = appends
        self._exclusive = exclusive
        self.lock = asyncio.Lock()
        # Only the first of the deeds that wait stands in line for the lock, beside the batch.
        self._deeds = asyncio.Lock()
        self._queue: deque[_Waiting] = deque()
        self._flusher: asyncio.Task[None] | None = None
        self._flushed = -KEEP_COMING
        self.commits = 0
        self._held: tuple[float, sqlite3.Error] | None = None

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncSession]:
        """One deed: commits when the block ends well, rolls back when it does not."""
        if self._exclusive:
            arrived = asyncio.get_running_loop().time()
            async with self._deeds, self.lock:
                self._must_not_wait_again(arrived)
                try:
                    async with self._session() as session:
                        yield session
                except OperationalError as error:
                    self._note(error)
                    raise
        else:
            async with self._session() as session:
                yield session
        self.commits += 1

    def _must_not_wait_again(self, arrived: float) -> None:
        """Unwell for whoever stood in line behind one who found the database locked by others.

        Each would else wait as long for the lock, one after the other.
        """
        if self._held is None:
            return
        (at, error), now = self._held, asyncio.get_running_loop().time()
        if arrived < at and now - arrived > PATIENCE:
            raise Unwell("The database is locked by somebody else.") from error

    def _note(self, error: OperationalError) -> None:
        """Remember when the database was last found locked."""
        cause = error.orig
        if isinstance(cause, sqlite3.Error) and cause.sqlite_errorcode == sqlite3.SQLITE_BUSY:
            # Without what it was raised through, which would be kept alive.
            self._held = asyncio.get_running_loop().time(), cause.with_traceback(None)

    @asynccontextmanager
    async def _session(self) -> AsyncIterator[AsyncSession]:
        session = AsyncSession(self._engine, sync_session_class=Deed, expire_on_commit=False)
        try:
            async with session.begin():
                yield session
        finally:
            await let_go(session)

    @property
    def waiting(self) -> int:
        """How many appended rows are not yet in a batch."""
        return len(self._queue)

    @property
    def is_stuck(self) -> bool:
        """Whether the oldest of them has waited longer than anybody should be kept waiting."""
        if not self._queue:
            return False
        return asyncio.get_running_loop().time() - self._queue[0].since > LONGEST_WAIT

    async def append(
        self, table: type[Base], row: Mapping[str, Any], *, unique: tuple[str, ...]
    ) -> bool:
        """Store one row durably; False when one with the same `unique` columns was there.

        Raises NotStored when this row is at fault, Unwell when the database is.
        """
        loop = asyncio.get_running_loop()
        done: asyncio.Future[bool] = loop.create_future()
        self._queue.append(_Waiting(Append(table, unique, row), loop.time(), done))
        if self._flusher is None or self._flusher.done():
            self._flusher = asyncio.create_task(self._flush())
        return await done

    async def _flush(self) -> None:
        loop = asyncio.get_running_loop()
        while self._queue:
            if loop.time() - self._flushed < KEEP_COMING and len(self._queue) < MOST_IN_A_BATCH:
                await asyncio.sleep(GATHERED_FOR)
            if self._exclusive:
                async with self.lock:
                    await self._commit()
            else:
                await self._commit()
            self._flushed = loop.time()

    async def _commit(self) -> None:
        """Store the next batch in one commit; a row that cannot be stored fails alone."""
        queue = self._queue
        batch = [queue.popleft() for _ in range(min(len(queue), MOST_IN_A_BATCH))]
        ends: list[bool | NotStored | Unwell]
        try:
            ends = list(await self._appends.store([waiting.append for waiting in batch]))
            self.commits += 1
        except Unwell as error:
            ends = [error] * len(batch)
        except BaseException as error:
            for waiting in batch:
                if not waiting.done.done():
                    waiting.done.set_exception(Unwell(str(error)))
            raise
        for waiting, end in zip(batch, ends, strict=True):
            # Who asked may have gone away meanwhile; the row stands all the same.
            if waiting.done.done():
                continue
            if isinstance(end, bool):
                waiting.done.set_result(end)
            else:
                waiting.done.set_exception(end)

    async def close(self) -> None:
        """Wait for what is queued."""
        if self._flusher is not None:
            await asyncio.gather(self._flusher, return_exceptions=True)
        await self._appends.close()
