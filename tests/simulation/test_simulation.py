# SPDX-License-Identifier: Apache-2.0
"""A federation under trouble keeps its promises, whatever the seed."""

import contextlib
import sqlite3

import pytest

from storage.writer import PATIENCE
from tests.simulation.history import History
from tests.simulation.network import Weather
from tests.simulation.regressions import REGRESSIONS
from tests.simulation.run import simulate
from tests.simulation.troubles import DAY, a_late_try
from tests.simulation.views import number
from tests.simulation.world import World

# One of each kind of trouble.
HELD_SECONDS = 60.0
SEEDS = (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11)


@pytest.mark.parametrize("seed", sorted({*SEEDS, *REGRESSIONS}))
def test_everything_holds_once_all_is_quiet_again(seed: int) -> None:
    report = simulate(seed)
    assert not report.findings, str(report)


async def a_held_database(world: World, history: History) -> None:
    """Somebody else has the database of one locked for a minute, while all go on."""
    await history.some(4, gap=4.0)
    held, other = world.nodes
    begun = world.loop.time()
    with contextlib.closing(sqlite3.connect(held.database_path, isolation_level=None)) as locking:
        locking.execute("BEGIN IMMEDIATE")
        held.is_held = True
        for place in world.places:
            await history.attempt(held, place, "thread")
            assert history.deeds[-1].ended == "put off"
            # However many stand in line before it: twice as long as the database is waited for.
            assert world.loop.time() - history.deeds[-1].at < 2 * PATIENCE + 1
            await history.attempt(other, place, "thread")
        while world.loop.time() < begun + HELD_SECONDS:
            await history.some(1, gap=8.0, nodes=[other])
        locking.execute("ROLLBACK")
        held.is_held = False
    # Whoever wanted to deliver meanwhile was told when to come again.
    assert held.put_off
    assert all(line.rpartition(": ")[2].isdecimal() for line in held.put_off), held.put_off
    await history.some(4, gap=4.0)


def test_what_a_locked_database_put_off_is_done_once_when_it_is_free() -> None:
    report = simulate(1, a_held_database, size=2)
    assert not report.findings, str(report)


async def over_a_month(world: World, history: History) -> None:
    """One is away for longer than anything is kept for it, and people talk to it meanwhile."""
    await history.some(4, gap=4.0)
    gone, other = world.nodes
    gone.crash()
    for place in world.places:
        for kind in ("thread", "reply"):
            await history.attempt(other, place, kind)
            await world.pass_time(2.0)
    await world.let_fly(33 * DAY, DAY)
    assert number(other, "SELECT count(*) FROM lanes WHERE catch_up IS NOT NULL") == 1
    await a_late_try(world)


def test_what_was_kept_no_longer_is_repaired_and_what_was_said_to_it_is_told() -> None:
    report = simulate(3, over_a_month, size=2)
    assert not report.findings, str(report)


async def a_busy_minute(world: World, history: History) -> None:
    """A few things happen while requests are lost and repeated."""
    world.network.weather = Weather(lost=0.2, reply_lost=0.1, repeated=0.4)
    await history.some(6, gap=4.0)


def test_the_same_seed_gives_the_same_trace() -> None:
    first, second = (simulate(1, a_busy_minute, size=2) for _ in range(2))
    assert first.requests > 30
    assert first.digest == second.digest
