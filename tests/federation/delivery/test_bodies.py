# SPDX-License-Identifier: Apache-2.0
"""Bodies that are held for many lanes, and scrubbed meanwhile."""

import asyncio

import pytest

from federation.delivery.bodies import Bodies
from federation.station import Station
from server.instance import Instance
from storage.log import ActivityBody

SUBJECT = "https://riverton.example/p/1"


@pytest.fixture
async def stored(instance: Instance) -> int:
    async with instance.transaction() as tx:
        row = ActivityBody(id=1, subject=SUBJECT, body="{}")
        tx.session.add(row)
        await tx.session.flush()
        return row.id


async def test_what_is_read_while_it_is_scrubbed_is_not_kept(
    instance: Instance, stored: int
) -> None:
    bodies = Bodies(Station(instance))
    assert await bodies.body(stored) == b"{}"
    assert bodies.held(stored) == b"{}"
    bodies.forget({SUBJECT})
    assert bodies.held(stored) is None
    reading = asyncio.create_task(bodies.body(stored))
    await asyncio.sleep(0)
    bodies.forget({SUBJECT})
    await reading
    assert bodies.held(stored) is None
    assert await bodies.body(stored) == b"{}"
    assert bodies.held(stored) == b"{}"
