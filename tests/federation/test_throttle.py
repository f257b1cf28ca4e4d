# SPDX-License-Identifier: Apache-2.0
"""Token buckets for other origins, and signs of life of them."""

import asyncio
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from federation.station import Station
from federation.throttle import Throttle
from server import peers
from server.instance import Instance
from storage.peers import Peer
from tests import databases
from tests.clock import TurnableClock

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
# Signs of life are looked into in another way on each kind of database.
database_url = databases.database_url


@given(st.lists(st.integers(0, 3_000), max_size=60))
def test_no_host_gets_more_than_its_burst_and_its_rate(pauses: list[int]) -> None:
    throttle, now, taken = Throttle(5, 10), NOW, 0
    for pause in pauses:
        now += timedelta(milliseconds=pause)
        wait = throttle.spend("a.example", now)
        taken += wait == 0
        assert taken <= 10 + 5 * (now - NOW).total_seconds() + 1e-6
        if wait:
            assert throttle.wait("a.example", now + timedelta(seconds=wait)) == 0


def test_asking_takes_nothing_and_hosts_are_bounded() -> None:
    throttle = Throttle(1, 2, most=3)
    assert [throttle.wait("a.example", NOW) for _ in range(5)] == [0] * 5
    assert [throttle.spend("a.example", NOW) for _ in range(3)] == [0, 0, 1]
    for number in range(50):
        throttle.spend(f"{number}.example", NOW)
    assert len(throttle) == 3
    assert [Throttle(0, 1).spend("a.example", NOW) for _ in range(99)] == [0] * 99


async def test_a_failing_peer_that_is_heard_is_tried_again(
    instance: Instance, clock: TurnableClock
) -> None:
    station = Station(instance)
    later = clock.now() + timedelta(hours=6)
    async with instance.transaction() as tx:
        for name in ("failing", "well"):
            peer = await peers.seen(tx, f"{name}.example", f"https://{name}.example")
            peer.next_try = later if name == "failing" else None
    for _ in range(3):
        for name in ("failing", "well", "unknown"):
            await station.liveness.heard(f"{name}.example")
    if instance.database.is_sqlite:
        async with instance.reading() as session:
            assert (await session.get_one(Peer, "failing.example")).next_try == clock.now()
    found: list[tuple[datetime | None, datetime | None]] = []
    for _ in range(200):
        async with instance.reading() as session:
            rows = [await session.get_one(Peer, f"{name}.example") for name in ("failing", "well")]
        found = [(row.last_heard, row.next_try) for row in rows]
        if all(heard for heard, _ in found):
            break
        await asyncio.sleep(0.02)
    assert found == [(clock.now(), clock.now()), (clock.now(), None)]
    await station.close()
