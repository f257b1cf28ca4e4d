# SPDX-License-Identifier: Apache-2.0
"""After kills nothing waits: what is left is work, which takes no time (R1)."""

from collections.abc import Awaitable, Callable

import pytest

from federation import claims
from federation.delivery import lanes
from federation.returns import Returns
from tests import makers
from tests.simulation.history import History
from tests.simulation.invariants import differences
from tests.simulation.run import simulate
from tests.simulation.world import World

RECOVERED_WITHIN = 10.0
HOUR = 3_600.0
Act = Callable[[World, History], Awaitable[None]]


async def must_recover(world: World) -> None:
    """All that was said is everywhere RECOVERED_WITHIN seconds after the last start."""

    async def unlike() -> str:
        return "\n".join(differences(world))

    if await world.until(unlike, RECOVERED_WITHIN, every=0.5) is None:
        found = await unlike()
        world.findings.append(f"R1: {RECOVERED_WITHIN:.0f} s after the last start {found}")


async def killed_again_and_again(world: World, history: History) -> None:
    """Either machine is killed, and started seconds later, while both have much to say."""
    for _ in range(6):
        await history.some(3, gap=0.5)
        victim, other = world.random.sample(world.nodes, 2)
        place = next(place for place in world.places if place.home is other)
        await history.attempt(other, place, "thread")
        await world.pass_time(world.random.uniform(0.0, 0.6), 0.1)
        victim.crash()
        # Something that it has to make up for.
        await history.attempt(other, place, "thread")
        await world.pass_time(world.random.uniform(0.0, 8.0), 0.5)
        await victim.start()
    await must_recover(world)


async def killed_before_it_was_asked(world: World, history: History) -> None:
    """A home is gone for an hour when it is asked who somebody is that it has told of."""
    home, other = world.nodes
    place = next(place for place in world.places if place.home is home)
    await home.do(lambda: makers.member(home.instance, "zoe"))
    world.people[home.name] = ["zoe"]
    before = len(world.network.accepted)
    await history.attempt(home, place, "thread")
    while not any(asked.source == home.host for asked, _ in world.network.accepted[before:]):
        await world.loop.pause(0.001)
    home.crash()
    await world.let_fly(HOUR, 60.0)
    assert differences(world), "it was asked in time"
    assert other.alive
    await home.start()
    await must_recover(world)


@pytest.mark.parametrize(
    ("act", "seed"),
    [(killed_again_and_again, 1), (killed_again_and_again, 2), (killed_before_it_was_asked, 1)],
)
def test_nothing_waits_after_the_last_start(act: Act, seed: int) -> None:
    report = simulate(seed, act, size=2)
    assert not report.findings, str(report)


def test_that_leases_of_the_dead_run_out_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (claims, lanes):
        monkeypatch.setattr(module, "is_dead", lambda *_: False)
    report = simulate(1, killed_again_and_again, size=2)
    assert [finding[:3] for finding in report.findings] == ["R1:"], str(report)


async def _unseen(_returns: Returns, _host: str, _rows: set[int]) -> None:
    """In place of trying again what waits for a host that is back."""


def test_that_rows_wait_their_own_time_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Returns, "_try_again", _unseen)
    report = simulate(1, killed_before_it_was_asked, size=2)
    assert "R1:" in [finding[:3] for finding in report.findings], str(report)
