# SPDX-License-Identifier: Apache-2.0
"""What every test may ask for: an instance, its clock, a browser."""

import asyncio
import gc
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from server.instance import Instance
from server.settings import Mode, Settings
from storage.database import Database, prepare
from storage.members import Member
from tests import makers
from tests.clock import TurnableClock
from tests.crash.zygote import Zygote, zygote
from tests.once import once

pytest_plugins = ("tests.fuzzing", "tests.hanging", "tests.machine", "tests.databases")


def pytest_collection_finish() -> None:
    """Look for garbage as a server does: rarely, and not among what was imported."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with every table and no row, made once and copied for each test."""

    async def make(path: Path) -> None:
        database = Database(f"sqlite:///{path}")
        await prepare(database)
        await database.close()

    return once(tmp_path_factory, "empty.db", lambda path: asyncio.run(make(path)))


@pytest.fixture(scope="session")
def processes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Zygote]:
    """Where processes of the program come from, which has everything imported once."""
    with zygote(tmp_path_factory.mktemp("zygote") / "log.txt") as made:
        yield made


@pytest.fixture
def clock() -> TurnableClock:
    """The clock of the instance."""
    return TurnableClock()


@pytest.fixture
def database_url(tmp_path: Path, empty_database: Path) -> str:
    """Where the instance keeps its rows."""
    shutil.copy(empty_database, tmp_path / "guildhall.db")
    return f"sqlite:///{tmp_path / 'guildhall.db'}"


@pytest.fixture(scope="session")
def loaded_settings() -> Settings:
    """The settings of the City of Riverton; to load them takes as long as to open an instance."""
    values: dict[str, Any] = {
        "origin": "http://riverton.localhost:8000",
        "database": "sqlite:///nowhere.db",
        "state": Path("nowhere"),
        "mode": Mode.TEST,
        "name": "Riverton Commons",
        "agency": "City of Riverton",
    }
    # Not `load`, to which what a run of the tests is told by the environment is a mistake.
    return Settings(**values)


@pytest.fixture
def settings(tmp_path: Path, database_url: str, loaded_settings: Settings) -> Settings:
    """The settings of the City of Riverton, with a database and a folder of this test's own."""
    own = {"database": database_url, "state": tmp_path / "state"}
    return loaded_settings.model_copy(update=own)


@pytest.fixture
async def instance(settings: Settings, clock: TurnableClock) -> AsyncIterator[Instance]:
    """An open instance without anybody in it."""
    opened = await Instance.open(settings, clock=clock)
    yield opened
    await opened.close()


@pytest.fixture
async def app(instance: Instance) -> AsyncIterator[Starlette]:
    """The application of the instance; no worker runs."""
    # Imported here, so that tests of the lower floors need not load the pages.
    from web.app import create_app

    made = create_app(instance, worker=False)
    yield made
    # What a page began goes on behind it, and would outlive the database.
    await made.state.live.stop()
    await made.state.wire.close()


@pytest.fixture
async def client(app: Starlette) -> AsyncIterator[httpx.AsyncClient]:
    """A visitor's browser."""
    async with makers.browser(app) as opened:
        yield opened


@pytest.fixture
async def admin(instance: Instance) -> Member:
    """Sam Hale, who administers the instance; before anybody does, every page is first-run."""
    return await makers.member(
        instance, "sam", name="Sam Hale", role_title="commons lead", admin=True
    )
