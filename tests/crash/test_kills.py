# SPDX-License-Identifier: Apache-2.0
"""Servers are killed at any moment, and nothing is lost or done twice."""

import asyncio
import os
import random
import shutil
import time
from pathlib import Path

import pytest

from tests.crash.town import Town, settles, town
from tests.crash.zygote import Zygote
from tests.databases import PostgresServer

KILLS = int(os.environ.get("GUILDHALL_TEST_KILLS", "50"))
SEED = int(os.environ.get("GUILDHALL_TEST_SEED", "20261125"))
SINKS = 6
LARGEST_WINDOW = 16


async def kill_again_and_again(town: Town, kills: int) -> None:
    """Have things said, kill one of the two in the middle, start it again, and so on."""
    chance = random.Random(SEED)
    victims = [town.lakeside, town.riverton]
    killed, busy = {one.agency.name: 0 for one in victims}, 0
    for number in range(kills):
        await town.burst(number)
        await asyncio.sleep(chance.uniform(0.0, 0.6))
        victim = chance.choice(victims)
        busy += bool(await town.unsettled())
        victim.kill()
        killed[victim.agency.name] += 1
        victim.start()
    print(f"seed {SEED}: killed {killed}, {busy} times while something was under way")
    assert busy > kills / 2
    began = time.monotonic()
    await settles(town.unsettled)
    print(f"recovered after {time.monotonic() - began:.1f} s")
    # Everything but what was under way may come once only.
    assert town.sinks.repeats <= killed["lakeside"] * SINKS * LARGEST_WINDOW
    print(f"{town.sinks.repeats} deliveries to {SINKS} peers were repeated")
    await town.burst(kills)
    town.lakeside.kill()
    town.lakeside.start()
    began = time.monotonic()
    await settles(town.unsettled)
    print(f"recovered after {time.monotonic() - began:.1f} s from one more, with nothing behind it")
    assert await town.notified() == kills + 1
    assert await town.not_applied() == []
    assert await town.records() == [(True, True)] * 2


async def test_nothing_is_lost_on_sqlite(
    tmp_path: Path, empty_database: Path, processes: Zygote
) -> None:
    urls = {}
    for name in ("lakeside", "riverton"):
        shutil.copy(empty_database, tmp_path / f"{name}.db")
        urls[name] = f"sqlite:///{tmp_path / f'{name}.db'}"
    async with town(tmp_path, processes, urls, SINKS) as built:
        await kill_again_and_again(built, KILLS * 3 // 5)


@pytest.mark.postgres
async def test_nothing_is_lost_on_postgresql(
    tmp_path: Path,
    postgres_server: PostgresServer,
    postgres_template: str,
    processes: Zygote,
) -> None:
    urls = {}
    for name in ("lakeside", "riverton"):
        postgres_server.run("createdb", "-T", postgres_template, f"killed_{name}")
        urls[name] = postgres_server.url(f"killed_{name}")
    try:
        async with town(tmp_path, processes, urls, SINKS) as built:
            await kill_again_and_again(built, KILLS - KILLS * 3 // 5)
    finally:
        for name in urls:
            postgres_server.run("dropdb", "--force", f"killed_{name}")
