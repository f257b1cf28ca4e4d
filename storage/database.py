# SPDX-License-Identifier: Apache-2.0
"""Opening a database, where SQLite and PostgreSQL differ."""

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

import asyncpg
from sqlalchemy import Connection, Select, event, inspect, make_url, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import DisconnectionError, OperationalError, SQLAlchemyError
from sqlalchemy.ext.asyncio import (
    AsyncConnection,
    AsyncEngine,
    AsyncSession,
    create_async_engine,
)
from sqlalchemy.pool import NullPool, StaticPool

from storage import hops, metering, versions
from storage.appends import NOTIFY_CHANNEL, PostgresAppends, SqliteAppends
from storage.changes import Glance, Kept, Made, Rows
from storage.errors import DatabaseError
from storage.faults import FAULTS
from storage.snapshots import Plain, address, plain
from storage.writer import Writer, let_go

MIGRATIONS = Path(__file__).parent / "migrations"
LISTEN_AGAIN = 0.5
# Seconds after which a connection that nobody used is asked whether it still stands.
ASKED_AFTER = 30.0
MOST_WAITS = 11
MOST_UNUSED = 8
_VERSION = "PRAGMA data_version"


def driver_url(url: str) -> URL:
    """`sqlite:///…` or `postgresql://…` with the asynchronous driver put in."""
    try:
        parsed = make_url(url)
    except SQLAlchemyError as error:
        raise DatabaseError("The database setting is not a database URL.") from error
    drivers = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+asyncpg"}
    if parsed.drivername not in drivers:
        raise DatabaseError("The database must be sqlite:///PATH or postgresql://….")
    return parsed.set(drivername=drivers[parsed.drivername])


def _set_pragmas(connection: Any, *, read_only: bool = False) -> None:
    cursor = connection.cursor()
    for pragma in (
        f"busy_timeout = {hops.PATIENCE}",
        "journal_mode = WAL",
        "synchronous = FULL",
        "foreign_keys = ON",
        "secure_delete = ON",
        "temp_store = MEMORY",
        f"query_only = {'ON' if read_only else 'OFF'}",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _tune_sqlite(engine: AsyncEngine, *, read_only: bool) -> None:
    """WAL, durable commits, and transactions begun by us rather than by the driver."""

    def on_connect(connection: Any, _record: object) -> None:
        connection.isolation_level = None
        _set_pragmas(connection, read_only=read_only)
        if read_only:
            hops.end_without_waiting(connection.driver_connection)

    def on_begin(connection: Connection) -> None:
        if not read_only:
            connection.exec_driver_sql(hops.BEGIN_TO_WRITE)
        elif not hops.begin_with_the_next(connection.connection.driver_connection):
            connection.exec_driver_sql("BEGIN")

    event.listen(engine.sync_engine, "connect", on_connect)
    event.listen(engine.sync_engine, "begin", on_begin)


def _look_after(engine: AsyncEngine) -> None:
    """Hand out no connection that PostgreSQL has closed.

    A closed one is known by itself, while asking each first, as `pool_pre_ping` does, takes three
    rounds to the database. One that was left alone for long is asked, since what stands between
    may have dropped it without a word.
    """
    pool, dialect = engine.sync_engine.pool, engine.dialect

    def on_checkout(connection: Any, record: Any, _proxy: object) -> None:
        if connection.driver_connection.is_closed():
            raise DisconnectionError
        used = record.info.get("used")
        if used is not None and time.monotonic() - used > ASKED_AFTER:
            try:
                dialect.do_ping(connection)
            except FAULTS as error:
                raise DisconnectionError from error

    def on_checkin(_connection: object, record: Any) -> None:
        record.info["used"] = time.monotonic()

    event.listen(pool, "checkout", on_checkout)
    event.listen(pool, "checkin", on_checkin)


class Database:
    """The engines of one database and its one writer."""

    def __init__(self, url: str) -> None:
        self.url = driver_url(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        # The connection that writes, for whoever holds the writer's lock.
        self._at_hand: sqlite3.Connection | None = None
        if self.is_sqlite:
            # One connection writes; a pool of read-only ones reads beside it.
            # Sessions end their transactions themselves: the pool need not do it once more.
            shared: dict[str, Any] = {
                "connect_args": {"async_creator_fn": hops.connect},
                "pool_reset_on_return": None,
            }
            # A deed has it to itself, and asks small questions without a hop (`plain.ask`).
            anywhere = {**shared["connect_args"], "check_same_thread": False}
            self._write = create_async_engine(
                self.url, poolclass=StaticPool, **shared | {"connect_args": anywhere}
            )
            self._read = create_async_engine(self.url, pool_size=5, max_overflow=10, **shared)
            _tune_sqlite(self._write, read_only=False)
            event.listen(self._write.sync_engine, "connect", self._opened)
            _tune_sqlite(self._read, read_only=True)
        else:
            self._write = create_async_engine(self.url, pool_size=5, max_overflow=10)
            _look_after(self._write)
            self._read = self._write
        metering.listen(self._write)
        self.writer = Writer(self._write, self._appends(), exclusive=self.is_sqlite)
        self.glance = Glance(self.url)
        self.plain: Plain = plain(self.url)
        self._unused: list[AsyncSession] = []

    def _opened(self, connection: Any, _record: object) -> None:
        self._at_hand = hops.at_hand(connection.driver_connection)

    def _appends(self) -> SqliteAppends | PostgresAppends:
        if self.is_sqlite:
            return SqliteAppends(self.url.database or ":memory:", _set_pragmas)
        return PostgresAppends(address(self.url))

    @asynccontextmanager
    async def reading(
        self, *, planned_once: bool = False, steady: bool = False
    ) -> AsyncIterator[AsyncSession]:
        """A session for questions; what it sees is one consistent moment.

        What `plain.ask` sees is one moment as well, of its own. With `planned_once` PostgreSQL
        goes by one plan for its questions whatever they are given, as is good for visitors.
        With `steady` that moment is kept from the first question on, so that none is `Moved`.
        """
        snapshot = self.plain.snapshot(planned_once=planned_once, steady=steady)
        session = self._unused.pop() if self._unused else self._session()
        session.info["snapshot"] = snapshot
        try:
            yield session
        finally:
            try:
                # One that was asked only through `plain.ask` holds nothing to be given back, and
                # serves again: making it costs as much as several questions.
                if session.sync_session.in_transaction():
                    await let_go(session)
                elif len(self._unused) < MOST_UNUSED and not (session.identity_map or session.new):
                    session.info.clear()
                    self._unused.append(session)
            finally:
                await snapshot.close()

    def _session(self) -> AsyncSession:
        return AsyncSession(self._read, expire_on_commit=False, autoflush=False)

    def kept(
        self,
        question: Select[*tuple[Any, ...]],
        make: Callable[[Rows], Made],
        scope: int | None = None,
    ) -> Kept[Made]:
        """What is made of a table, never older than its question; `scope` counts its changes."""
        counted = "" if scope is None else versions.question_of(scope)
        if self.is_sqlite:
            return Kept(self.glance, partial(self._rows, question), question, make, counted)
        # Asked once, where the engine asks four times.
        ask, sql = self.plain.fetch, str(question.compile(self._read.sync_engine))
        count = partial(ask, counted, ()) if counted else None
        return Kept(self.glance, partial(ask, sql, ()), question, make, counted, count)

    async def _rows(self, question: Select[*tuple[Any, ...]]) -> Rows:
        async with self._read.connect() as connection:
            return (await connection.execute(question)).tuples().all()

    async def close(self) -> None:
        await self.writer.close()
        self.glance.close()
        await self.plain.close()
        await self._write.dispose()
        if self._read is not self._write:
            await self._read.dispose()

    async def run_sync(self, work: Callable[[Connection], Any]) -> Any:
        """Run a synchronous piece of work on the write connection, in a transaction."""
        async with self._write.begin() as connection:
            return await connection.run_sync(work)

    async def data_version(self) -> int:
        """A number that changes when another process commits (SQLite only; else 0)."""
        if not self.is_sqlite:
            return 0
        async with self.writer.lock:
            if self._at_hand is not None:
                with suppress(sqlite3.Error):
                    return int(self._at_hand.execute(_VERSION).fetchone()[0])
            async with self._write.connect() as connection:
                raw = await connection.get_raw_connection()
                cursor = raw.driver_connection.cursor()  # type: ignore[union-attr]
                row = await (await cursor.execute(_VERSION)).fetchone()
                return int(row[0])

    async def listen(self, wake: Callable[[], None]) -> Callable[[], Awaitable[None]]:
        """Call `wake` at every NOTIFY of another process; answers how to stop.

        A connection that is lost, as at a restart of the database, is made anew; `wake` is
        called then as well, since nobody knows what was said meanwhile.
        """
        ears = _Ears(self.url, wake)
        await ears.open()
        listening = asyncio.create_task(ears.stay())

        async def stop() -> None:
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)
            await ears.close()

        return stop


class _Ears:
    """One connection that hears what other processes notify."""

    def __init__(self, url: URL, wake: Callable[[], None]) -> None:
        self._engine = create_async_engine(url, poolclass=NullPool)
        self._wake = wake
        self._connection: AsyncConnection | None = None
        self._lost = asyncio.Event()

    async def open(self) -> None:
        self._lost.clear()
        self._connection = await self._engine.connect()
        raw = await self._connection.get_raw_connection()
        driver: Any = raw.driver_connection
        driver.add_termination_listener(lambda *_: self._lost.set())
        await driver.add_listener(NOTIFY_CHANNEL, lambda *_: self._wake())

    async def stay(self) -> None:
        """Connect anew whenever the connection is lost."""
        while True:
            await self._lost.wait()
            await self.close()
            while self._connection is None:
                await asyncio.sleep(LISTEN_AGAIN)
                with suppress(*FAULTS):
                    await self.open()
            self._wake()

    async def close(self) -> None:
        held, self._connection = self._connection, None
        if held is not None:
            with suppress(*FAULTS):
                await held.invalidate()
                await held.close()


async def prepare(database: Database, *, upgrade: bool = False) -> None:
    """Migrate an empty database, or say in one sentence why this one cannot be served.

    `upgrade` also migrates an old one, which only `guildhall migrate` asks for.
    """
    if database.is_sqlite and database.url.database:
        folder = Path(database.url.database).parent
        await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
    try:
        if await _in_turn(database, _is_current):
            return
        # Imported here: alembic takes longer than the rest of a short command.
        from storage import revisions

        found, wanted, known, empty = await _in_turn(database, partial(revisions.look, MIGRATIONS))
    except (OSError, SQLAlchemyError, sqlite3.Error, asyncpg.PostgresError) as error:
        raise DatabaseError(f"The database cannot be opened: {_cause(error)}.") from error
    if not known:
        raise DatabaseError("The database was made by a newer version of Guildhall.")
    if found is None and not empty:
        raise DatabaseError("The database holds tables that are not Guildhall's.")
    if found == wanted:
        return
    if found is not None and not upgrade:
        raise DatabaseError("The database is of an older version: run `guildhall migrate` first.")
    await _in_turn(database, partial(revisions.migrate, MIGRATIONS))


async def _in_turn(database: Database, work: Callable[[Connection], Any]) -> Any:
    """Do it while nobody else does: another process may be migrating, for longer than a deed takes.

    Each time the database itself waits, as long as for any deed.
    """
    for _ in range(MOST_WAITS):
        try:
            return await database.run_sync(work)
        except OperationalError as error:
            if not database.is_sqlite or "locked" not in str(error.orig):
                raise
    return await database.run_sync(work)


def _is_current(connection: Connection) -> bool:
    """Whether alembic's own table names the newest of our revisions, and only that."""
    if not inspect(connection).has_table("alembic_version"):
        return False
    found = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalars().all()
    newest = max(
        path.name.partition("_")[0] for path in (MIGRATIONS / "versions").glob("[0-9]*.py")
    )
    return found == [newest]


def _cause(error: BaseException) -> str:
    return str(getattr(error, "orig", None) or error).strip().rstrip(".").splitlines()[0]


async def notify(session: AsyncSession) -> None:
    """Wake the other processes on this database when this transaction commits."""
    if session.get_bind().dialect.name == "postgresql":
        await session.execute(text(f"SELECT pg_notify('{NOTIFY_CHANNEL}', '')"))
