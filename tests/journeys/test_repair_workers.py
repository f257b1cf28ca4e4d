# SPDX-License-Identifier: Apache-2.0
"""Of several workers on one database one compares a copy, and no two at once."""

import asyncio
from datetime import timedelta

from sqlalchemy import select

from federation.station import Station
from server.forums import comparing
from storage import leases
from storage.leases import Lease
from tests import makers
from tests.journeys.agency import Agency, until
from tests.journeys.test_repair import permits, the_same


async def test_a_copy_that_another_worker_compares_is_left_to_it(
    riverton: Agency, lakeside: Agency
) -> None:
    forum = await permits(lakeside)
    opener = await makers.thread(lakeside.instance, lakeside.admin, forum)
    ana = await makers.member(riverton.instance, "ana")
    copy = await riverton.follow(ana, forum.uri)
    await the_same(lakeside, riverton, forum)
    async with riverton.instance.transaction() as tx:
        name, until_then = f"repair:{copy.id}", tx.now + timedelta(minutes=1)
        assert await leases.claim(tx.session, [name], "another", tx.now, until_then) == {name}
        asked = await comparing.ask(tx, None, copy)
    second = Station(riverton.instance)
    await second.repair.run_due()
    await asyncio.sleep(0.5)
    waiting = await riverton.forum(forum.uri)
    assert waiting is not None
    assert waiting.compare_next == asked.compare_next

    riverton.clock.turn(minutes=2)
    await asyncio.gather(second.repair.run_due(), second.repair.run_due())

    async def ended() -> bool:
        held = await riverton.forum(forum.uri)
        return held is not None and held.compare_next != asked.compare_next

    await until("the check once the other worker was gone", ended)
    await second.close()
    async with riverton.instance.reading() as session:
        held = select(Lease.name).where(Lease.name.startswith("repair:"))
        assert (await session.execute(held)).first() is None
    assert (await riverton.sees(opener.uri)).state == "live"
