# SPDX-License-Identifier: Apache-2.0
"""What is renewed, and what was lost to another process."""

import asyncio
from datetime import timedelta

from structlog.testing import capture_logs

from federation.claims import LEASE
from federation.delivery.leases import Leases
from server.instance import Instance
from storage import lanes
from storage.lanes import Settled
from tests.clock import TurnableClock
from tests.federation.delivery.conftest import Laid


async def test_what_we_let_go_of_ourselves_is_not_lost_to_another(
    instance: Instance, clock: TurnableClock, lay: Laid
) -> None:
    await lay(2)
    leases = Leases(instance, "here/1/0")
    working = {work.lane for work in await leases.claim([1, 2])}
    with capture_logs() as logged:
        async with instance.transaction() as tx:
            freed = Settled(1, "1.example", 0, release=True)
            await lanes.settle(tx.session, [freed], leases.owner, tx.now)
            # It waits for this commit, by which nobody works on the first any more.
            renewing = asyncio.create_task(leases.renew(lambda: set(working)))
            await asyncio.sleep(0.05)
            working.remove(1)
        await renewing
    assert logged == []
    assert [leases.holds(number) for number in (1, 2)] == [False, True]
    clock.turn(minutes=1)
    async with instance.transaction() as tx:
        assert await lanes.claim(tx.session, [2], "elsewhere/1/0", tx.now, tx.now + LEASE)
    with capture_logs() as logged:
        await leases.renew(lambda: working)
    assert [(line["event"], line["count"]) for line in logged] == [
        ("lanes lost to another process", 1)
    ]
    assert not leases.holds(2, clock.now() - timedelta(minutes=2))
