# SPDX-License-Identifier: Apache-2.0
"""Opening, migrating and refusing a database."""

import asyncio
import importlib
import pkgutil
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime, timedelta, timezone
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, select, text
from sqlalchemy.exc import StatementError
from sqlalchemy.ext.asyncio import AsyncSession

import storage
import storage.database
from server.instance import Instance
from server.resources import links
from server.settings import Settings
from storage.audit import AuditEntry
from storage.base import Base, UtcDateTime
from storage.database import MIGRATIONS, Database, notify, prepare
from storage.errors import DatabaseError
from storage.revisions import migrate
from tests import makers
from tests.clock import TurnableClock
from tests.server.hub import bench

NOON = datetime(2026, 11, 23, 12, 0, 0, 123000, tzinfo=UTC)


def _config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    return config


def _tables(connection: Connection) -> set[str]:
    shadows = ("search_index", "alembic_version")
    names = inspect(connection).get_table_names()
    return {name for name in names if not name.startswith(shadows)}


def _entry(number: int, at: datetime) -> AuditEntry:
    return AuditEntry(id=number, at=at, actor="system", verb="test", subject="a", detail="")


@pytest.fixture
async def empty(empty_url: str) -> AsyncIterator[Database]:
    """A database that nobody has prepared."""
    opened = Database(empty_url)
    yield opened
    await opened.close()


async def test_every_revision_goes_up_from_empty_and_down_again(empty: Database) -> None:
    def up_and_down(connection: Connection) -> None:
        config = _config(connection)
        script = ScriptDirectory.from_config(config)
        revisions = [found.revision for found in script.walk_revisions()][::-1]
        assert revisions
        for revision in revisions:
            command.upgrade(config, revision)
            held = MigrationContext.configure(connection).get_current_revision()
            assert held == revision
        made = _tables(connection)
        for _ in revisions:
            command.downgrade(config, "-1")
        assert _tables(connection) == set()
        command.upgrade(config, "head")
        assert _tables(connection) == made

    await empty.run_sync(up_and_down)


async def test_links_from_before_there_were_visits_are_visited_as_well(
    database: Database, settings: Settings, clock: TurnableClock
) -> None:
    instance = Instance(settings, database, clock=clock)
    ana = await makers.member(instance, admin=True)
    forum = await makers.forum(instance, ana)
    post = await bench.shared(instance, ana, forum, said={"link": "https://tool.example/x"})
    await bench.shared(instance, ana, forum)
    async with database.writer.transaction() as session:
        await session.execute(text("DELETE FROM resource_links"))

    def again(connection: Connection) -> None:
        command.downgrade(_config(connection), "0031")
        command.upgrade(_config(connection), "head")

    await database.run_sync(again)
    async with database.reading() as session:
        assert await links.due(session, clock.now()) == [(post.id, "https://tool.example/x")]


async def test_the_revisions_make_exactly_the_tables_and_columns_of_the_code(
    empty: Database,
) -> None:
    for module in pkgutil.iter_modules(storage.__path__):
        importlib.import_module(f"storage.{module.name}")
    await prepare(empty)

    def compare(connection: Connection) -> None:
        assert _tables(connection) == set(Base.metadata.tables)
        found = inspect(connection)
        for table in Base.metadata.sorted_tables:
            columns = {column["name"]: column for column in found.get_columns(table.name)}
            assert columns.keys() == set(table.columns.keys()), table.name
            wanted = {column.name: bool(column.nullable) for column in table.columns}
            assert {name: c["nullable"] for name, c in columns.items()} == wanted, table.name
            indexes = {index["name"] for index in found.get_indexes(table.name)}
            assert {index.name for index in table.indexes} <= indexes, table.name

    await empty.run_sync(compare)


async def test_an_empty_database_is_migrated_and_served(empty: Database) -> None:
    await prepare(empty)
    async with empty.writer.transaction() as session:
        session.add(_entry(1, NOON))
    await prepare(empty)
    async with empty.reading() as session:
        assert (await session.get_one(AuditEntry, 1)).verb == "test"


async def test_two_processes_may_prepare_an_empty_database_at_once(empty_url: str) -> None:
    both = [Database(empty_url), Database(empty_url)]
    await asyncio.gather(*(prepare(database) for database in both))
    for database in both:
        async with database.reading() as session:
            assert list((await session.execute(select(AuditEntry))).scalars()) == []
        await database.close()


async def test_an_older_database_is_refused_until_migrate_is_asked_for(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    later = tmp_path / "migrations"
    shutil.copytree(MIGRATIONS, later)
    head = ScriptDirectory(str(later)).get_current_head()
    (later / "versions" / "9998_next.py").write_text(
        f'revision = "9998"\ndown_revision = "{head}"\n'
        "from alembic import op\nimport sqlalchemy as sa\n"
        'def upgrade(): op.create_table("badges", sa.Column("id", sa.Integer()))\n'
        'def downgrade(): op.drop_table("badges")\n'
    )
    # The program as it will be after the next revision.
    monkeypatch.setattr(storage.database, "MIGRATIONS", later)
    with pytest.raises(DatabaseError, match="run `guildhall migrate` first"):
        await prepare(database)
    assert "badges" not in await database.run_sync(_tables)
    await prepare(database, upgrade=True)
    assert "badges" in await database.run_sync(_tables)
    await prepare(database)


async def test_a_newer_database_is_refused_in_one_sentence(database: Database) -> None:
    await database.run_sync(
        lambda c: c.execute(text("UPDATE alembic_version SET version_num = '9999_later'"))
    )
    for upgrade in (False, True):
        with pytest.raises(DatabaseError) as refused:
            await prepare(database, upgrade=upgrade)
        assert str(refused.value) == "The database was made by a newer version of Guildhall."


async def test_a_database_of_something_else_is_left_alone(empty: Database) -> None:
    await empty.run_sync(lambda c: c.execute(text("CREATE TABLE invoices (id INTEGER)")))
    for upgrade in (False, True):
        with pytest.raises(DatabaseError, match="tables that are not Guildhall's"):
            await prepare(empty, upgrade=upgrade)
    assert await empty.run_sync(_tables) == {"invoices"}


async def test_a_file_that_is_no_database_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "notes.db").write_bytes(b"minutes of the meeting, not a database at all\n" * 100)
    database = Database(f"sqlite:///{tmp_path / 'notes.db'}")
    with pytest.raises(DatabaseError, match=r"^The database cannot be opened: .*\.$"):
        await prepare(database)
    await database.close()


@pytest.mark.postgres
async def test_a_database_that_is_not_there_is_a_sentence(postgres_url: str) -> None:
    gone = postgres_url.replace("@/test_", "@/missing_")
    for url in (gone, gone.replace("?host=", "?host=/nowhere")):
        database = Database(url)
        with pytest.raises(DatabaseError, match=r"^The database cannot be opened: .*\.$"):
            await prepare(database)
        await database.close()


@pytest.mark.parametrize("url", ["mysql://db/guildhall", "guildhall.db", "", "sqlite+pysqlite://"])
def test_only_the_two_kinds_of_database_are_taken(url: str) -> None:
    with pytest.raises(DatabaseError):
        Database(url)


async def test_moments_come_back_aware_and_in_utc(database: Database) -> None:
    summer = NOON.astimezone(timezone(timedelta(hours=-7)))
    async with database.writer.transaction() as session:
        session.add(_entry(1, summer))
    async with database.reading() as session:
        held = (await session.execute(select(AuditEntry.at))).scalar_one()
        same = await session.execute(select(AuditEntry.id).where(AuditEntry.at == summer))
        assert same.scalars().all() == [1]
    assert held == NOON
    assert held.utcoffset() == timedelta(0)


async def test_a_moment_without_a_zone_is_a_mistake(database: Database) -> None:
    with pytest.raises(StatementError, match="time zone"):
        async with database.writer.transaction() as session:
            session.add(_entry(1, NOON.replace(tzinfo=None)))


def test_every_moment_of_every_table_is_kept_in_utc() -> None:
    assert Base.metadata.tables
    naive = [
        f"{table.name}.{column.name}"
        for table in Base.metadata.sorted_tables
        for column in table.columns
        if "DateTime" in type(column.type).__name__ and not isinstance(column.type, UtcDateTime)
    ]
    assert naive == []


async def test_readers_cannot_write_on_sqlite(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'new.db'}")
    await prepare(database)
    async with database.reading() as session:
        with pytest.raises(Exception, match="readonly"):
            await session.execute(text("DELETE FROM audit"))
        await session.rollback()
    await database.close()


async def test_commits_are_durable_on_sqlite(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'new.db'}")
    async with database.writer.transaction() as session:
        modes = [
            (await session.execute(text(f"PRAGMA {name}"))).scalar_one()
            for name in ("journal_mode", "synchronous", "foreign_keys", "secure_delete")
        ]
    await database.close()
    assert modes == ["wal", 2, 1, 1]


async def test_another_process_that_commits_is_noticed(database: Database) -> None:
    other = Database(
        database.url.set(drivername=database.url.get_backend_name()).render_as_string()
    )
    heard = asyncio.Event()
    if database.is_sqlite:
        before = await database.data_version()
        async with database.writer.transaction() as session:
            session.add(_entry(1, NOON))
        assert await database.data_version() == before, "one's own commits wake nobody"
        stop: Any = None
    else:
        stop = await database.listen(heard.set)
    async with other.writer.transaction() as session:
        session.add(_entry(2, NOON))
        await notify(session)
    if database.is_sqlite:
        assert await database.data_version() != before
    else:
        await asyncio.wait_for(heard.wait(), 60)
        await stop()
    await other.close()


async def test_migrate_can_be_run_twice(database: Database) -> None:
    await database.run_sync(partial(migrate, MIGRATIONS))
    async with AsyncSession(database._write) as session:
        assert (await session.execute(select(AuditEntry))).first() is None


async def test_whoever_is_stopped_while_letting_go_leaves_nothing_open(empty: Database) -> None:
    """What closes a session is not left behind, to be cut off with the event loop."""
    asked = asyncio.Event()

    async def ask(opening: Callable[[], AbstractAsyncContextManager[AsyncSession]]) -> None:
        async with opening() as session:
            await session.execute(text("SELECT 1"))
            asked.set()

    for opening in [empty.reading] * 3 + [empty.writer.transaction] * 3:
        asked.clear()
        asking = asyncio.create_task(ask(opening))
        await asked.wait()
        asking.cancel()
        await asyncio.wait([asking])
        assert asking.cancelled()
        assert asyncio.all_tasks() == {asyncio.current_task()}
