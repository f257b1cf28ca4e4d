# SPDX-License-Identifier: Apache-2.0
"""Riverton, Lakeside, Harbor and Cascadia, each with a server of its own."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.clock import TurnableClock
from tests.journeys.agency import Agency
from web.demo.ports import free_port

NAMES = ("riverton", "lakeside", "harbor", "cascadia")


@pytest.fixture
async def agencies(
    tmp_path: Path, clock: TurnableClock, empty_database: Path
) -> AsyncIterator[dict[str, Agency]]:
    """All of them; nobody lists anybody yet. The last two are founded only when they are needed."""
    ports = {name: free_port() for name in NAMES}
    for name in NAMES:
        shutil.copy(empty_database, tmp_path / f"{name}.db")
    made = {name: Agency(name, tmp_path, clock, ports) for name in NAMES}
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
