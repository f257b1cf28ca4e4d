# SPDX-License-Identifier: Apache-2.0
"""Riverton, Lakeside, Harbor and Cascadia, each with a server of its own."""

import asyncio
import contextlib
import os
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.clock import TurnableClock
from tests.databases import PostgresServer, borrowed
from tests.journeys.agency import Agency
from tests.journeys.keeping import Cluster, Files, Keeping
from web.demo.ports import free_port

# Has every journey that asks for no kind of database itself run on this one.
VARIABLE = "GUILDHALL_TEST_JOURNEYS"
NAMES = ("riverton", "lakeside", "harbor", "cascadia")


@pytest.fixture
def kept_in(request: pytest.FixtureRequest) -> str:
    """The kind of database: what a test asks for by `EITHER`, else what this run is for."""
    asked: str = getattr(request, "param", "") or os.environ.get(VARIABLE, "sqlite")
    assert asked in {"sqlite", "postgresql"}, f"{VARIABLE} is sqlite or postgresql"
    return asked


@pytest.fixture
def addresses(
    request: pytest.FixtureRequest, kept_in: str, tmp_path: Path, empty_database: Path
) -> Iterator[dict[str, str]]:
    """A database for each agency, with every table and no row."""
    if kept_in == "sqlite":
        for name in NAMES:
            shutil.copy(empty_database, tmp_path / f"{name}.db")
        yield {name: f"sqlite:///{tmp_path / name}.db" for name in NAMES}
        return
    server: PostgresServer = request.getfixturevalue("postgres_server")
    template: str = request.getfixturevalue("postgres_template")
    with contextlib.ExitStack() as held:
        yield {name: held.enter_context(borrowed(server, template)) for name in NAMES}


@pytest.fixture
def keeping(
    request: pytest.FixtureRequest, kept_in: str, tmp_path: Path, addresses: dict[str, str]
) -> Iterator[Keeping]:
    """The databases of the agencies as wholes."""
    kept: Keeping
    if kept_in == "sqlite":
        kept = Files(tmp_path)
    else:
        called = {name: urlsplit(url).path[1:] for name, url in addresses.items()}
        kept = Cluster(request.getfixturevalue("postgres_server"), called)
    yield kept
    kept.end()


@pytest.fixture
async def agencies(
    tmp_path: Path, clock: TurnableClock, addresses: dict[str, str]
) -> AsyncIterator[dict[str, Agency]]:
    """All of them; nobody lists anybody yet. The last two are founded only when they are needed."""
    ports = {name: free_port() for name in NAMES}
    made = {name: Agency(name, tmp_path, clock, ports, addresses[name]) for name in NAMES}
    await asyncio.gather(made["riverton"].found(), made["lakeside"].found())
    yield made
    await asyncio.gather(*(agency.stop() for agency in made.values()))


@pytest.fixture
async def riverton(agencies: dict[str, Agency]) -> Agency:
    """The City of Riverton, where Ana works; it lists Lakeside."""
    await agencies["riverton"].lists(agencies["lakeside"])
    return agencies["riverton"]


@pytest.fixture
async def lakeside(agencies: dict[str, Agency], riverton: Agency) -> Agency:
    """The City of Lakeside, home of the permits forum; it lists Riverton."""
    await agencies["lakeside"].lists(riverton)
    return agencies["lakeside"]


@pytest.fixture
async def harbor(agencies: dict[str, Agency], lakeside: Agency) -> Agency:
    """Harbor County; it and Lakeside list each other."""
    agency = await agencies["harbor"].found()
    await agency.lists(lakeside)
    await lakeside.lists(agency)
    return agency


@pytest.fixture
async def cascadia(agencies: dict[str, Agency], lakeside: Agency) -> Agency:
    """The State of Cascadia; it and Lakeside list each other."""
    agency = await agencies["cascadia"].found()
    await agency.lists(lakeside)
    await lakeside.lists(agency)
    return agency
