# SPDX-License-Identifier: Apache-2.0
"""The worker ends when it is told to, whatever it does at that moment."""

import asyncio
from contextlib import suppress

import pytest

from federation.station import Station
from federation.worker import Worker
from server.instance import Instance

SECONDS = 20.0


@pytest.mark.parametrize("turns", range(5))
async def test_an_end_in_the_moment_of_new_work_is_not_lost(instance: Instance, turns: int) -> None:
    station = Station(instance)
    await station.open()
    worker = Worker(station)
    await worker.start()
    # Each loop has looked once, and waits.
    for _ in range(20):
        await asyncio.sleep(0.01)
    instance.wake()
    # What was waited for is there, and who waited has not gone on yet.
    for _ in range(turns):
        await asyncio.sleep(0)
    async with asyncio.timeout(SECONDS):
        await worker.stop()
    await station.close()
    assert all(task.done() for task in worker._tasks)


@pytest.mark.parametrize("crashes", [False, True])
async def test_an_end_that_is_lost_in_the_work_of_a_loop_ends_it_all_the_same(
    instance: Instance, *, crashes: bool
) -> None:
    begun = asyncio.Event()

    async def deaf() -> float:
        begun.set()
        with suppress(asyncio.CancelledError):
            await asyncio.sleep(10 * SECONDS)
        if crashes:
            raise RuntimeError("the database was closed")
        return 10 * SECONDS

    loop = asyncio.create_task(Worker(Station(instance))._supervise("deaf", deaf))
    await begun.wait()
    loop.cancel()
    done, _ = await asyncio.wait([loop], timeout=SECONDS)
    assert done == {loop}
