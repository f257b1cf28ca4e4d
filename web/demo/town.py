# SPDX-License-Identifier: Apache-2.0
"""Several agencies on one machine, gone when they are no longer needed."""

import asyncio
import signal
import tempfile
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import TypeVar

from web.demo.agencies import Agency, Sign
from web.demo.nursery import Hatched, Nursery, started
from web.demo.ports import free_ports
from web.demo.roads import Road

Outcome = TypeVar("Outcome")


class Stopped(Exception):
    """Somebody asked us to stop."""


@asynccontextmanager
async def town(
    signs: tuple[Sign, ...],
    first_port: int = 0,
    strangers: tuple[str, ...] = (),
    hatch: Callable[[], Hatched] = started,
) -> AsyncIterator[tuple[dict[str, Agency], dict[str, int]]]:
    """Agencies that can find each other, by key, and the ports kept for `strangers` (hosts).

    Their processes come from a nursery that `hatch` makes. Their folders and servers are gone at
    the end, whatever happened.
    """
    hosts = [*(sign.host for sign in signs), *strangers]
    ports = dict(zip(hosts, free_ports(len(hosts), first_port), strict=True))
    with tempfile.TemporaryDirectory(prefix="guildhall-") as name:
        async with Nursery(hatch) as nursery, AsyncExitStack() as opened:
            roads = {
                sign.host: await opened.enter_async_context(Road(ports[sign.host]))
                for sign in signs
            }
            ways = ports | {host: road.port for host, road in roads.items()}
            agencies = {
                sign.key: Agency(
                    sign, ports[sign.host], Path(name), ways, roads[sign.host], nursery
                )
                for sign in signs
            }
            try:
                yield agencies, {host: ports[host] for host in strangers}
            finally:
                await asyncio.gather(*(agency.stop() for agency in agencies.values()))


def stop_at_signals() -> asyncio.Event:
    """An event that Ctrl-C, and every other polite way to end a program, sets."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, stop.set)
    return stop


async def unless(stop: asyncio.Event, work: Coroutine[None, None, Outcome]) -> Outcome:
    """Do some work; Stopped, and the work is dropped, once `stop` is set."""
    doing = asyncio.ensure_future(work)
    waiting = asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait({doing, waiting}, return_when=asyncio.FIRST_COMPLETED)
        if stop.is_set():
            raise Stopped
        return await doing
    finally:
        for task in (doing, waiting):
            task.cancel()
        await asyncio.gather(doing, waiting, return_exceptions=True)
