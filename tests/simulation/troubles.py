# SPDX-License-Identifier: Apache-2.0
"""What goes wrong in a run, each kind by a name."""

from collections.abc import Awaitable, Callable

from tests.simulation.history import History
from tests.simulation.network import Weather
from tests.simulation.world import World


async def bad_weather(world: World, history: History) -> None:
    """Requests and answers are lost, repeated and late."""
    world.network.weather = Weather(
        lost=0.2, reply_lost=0.1, repeated=0.3, most_repeats=5, delay=(0.01, 3.0)
    )
    await history.some(20, gap=8.0)


TROUBLES: dict[str, Callable[[World, History], Awaitable[None]]] = {
    "bad weather": bad_weather,
}
