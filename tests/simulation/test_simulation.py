# SPDX-License-Identifier: Apache-2.0
"""A federation under trouble keeps its promises, whatever the seed."""

import pytest

from tests.simulation.history import History
from tests.simulation.network import Weather
from tests.simulation.regressions import REGRESSIONS
from tests.simulation.run import simulate
from tests.simulation.world import World

# One of each kind of trouble.
SEEDS = (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11)


@pytest.mark.parametrize("seed", sorted({*SEEDS, *REGRESSIONS}))
def test_everything_holds_once_all_is_quiet_again(seed: int) -> None:
    report = simulate(seed)
    assert not report.findings, str(report)


async def a_busy_minute(world: World, history: History) -> None:
    """A few things happen while requests are lost and repeated."""
    world.network.weather = Weather(lost=0.2, reply_lost=0.1, repeated=0.4)
    await history.some(6, gap=4.0)


def test_the_same_seed_gives_the_same_trace() -> None:
    first, second = (simulate(1, a_busy_minute, size=2) for _ in range(2))
    assert first.requests > 30
    assert first.digest == second.digest
