# SPDX-License-Identifier: Apache-2.0
"""What a killed process still wrote after its successor had begun."""

import platform
from datetime import timedelta

import pytest

from federation.claims import LEASE, Claims, owner_name
from federation.delivery import lanes as running
from federation.station import Station
from server.instance import Instance
from storage import leases
from storage.log import Lane
from tests.clock import TurnableClock
from tests.federation.delivery.conftest import Laid

# Beyond the largest number a process can have.
DEAD = f"{platform.node()[:30]}/{2**23}/0"
ALIVE = f"elsewhere.example/{2**23}/0"


async def test_leases_of_the_dead_are_free_soon_and_those_of_others_are_not(
    instance: Instance, clock: TurnableClock
) -> None:
    mine = Claims(instance, owner_name(instance.randomness))
    assert await mine.take(["a"]) == {"a"}
    async with instance.transaction() as tx:
        for name, owner in (("left", DEAD), ("theirs", ALIVE)):
            await leases.claim(tx.session, [name], owner, tx.now, tx.now + LEASE)
    wanted = ["left", "theirs"]
    assert await mine.take(wanted) == set()
    clock.turn(minutes=0.1)
    assert await mine.take(wanted) == {"left"}


async def test_lanes_of_the_dead_are_free_soon_and_those_of_others_are_not(
    instance: Instance, lay: Laid, clock: TurnableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "SURVEYED_EVERY", 0.0)
    delivery = Station(instance).delivery
    await delivery.run_due()
    until = instance.clock.now() + timedelta(seconds=30)
    owners = {1: DEAD, 2: ALIVE}
    await lay(2, lambda number: {"owner": owners[number], "lease_until": until})
    clock.turn(minutes=0.1)
    # Whoever else has lanes may be killed: it is looked again before their leases run out.
    assert await delivery.run_due() <= 3
    async with instance.reading() as session:
        held = [(await session.get_one(Lane, number)).owner for number in (1, 2)]
    assert held == [None, ALIVE]
