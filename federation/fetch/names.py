# SPDX-License-Identifier: Apache-2.0
"""The addresses of hosts, looked up once for all who ask within a minute."""

import asyncio
import socket
from collections import OrderedDict
from functools import partial
from typing import Any

from aiohttp.abc import AbstractResolver

AddressInfo = tuple[int, int, int, str, tuple[Any, ...]]

KEPT_SECONDS = 60.0
MOST_HELD = 4_000


class Names:
    """What a look-up found, kept for KEPT_SECONDS; what it did not find is asked for again."""

    def __init__(self, look_up: AbstractResolver) -> None:
        self._look_up = look_up
        self._held: OrderedDict[tuple[str, int], tuple[float, asyncio.Task[list[AddressInfo]]]] = (
            OrderedDict()
        )

    async def addresses(self, host: str, port: int) -> list[AddressInfo]:
        """Where to connect to; raises as the look-up does."""
        now = asyncio.get_running_loop().time()
        asked = (host, port)
        held = self._held.get(asked)
        if held is None or now - held[0] >= KEPT_SECONDS:
            task = asyncio.create_task(self._find(host, port))
            task.add_done_callback(partial(self._found, asked))
            self._held[asked] = held = (now, task)
            self._held.move_to_end(asked)
            while len(self._held) > MOST_HELD:
                self._held.popitem(last=False)
        # Whoever leaves before it is found does not take it from the others.
        return await asyncio.shield(held[1])

    async def _find(self, host: str, port: int) -> list[AddressInfo]:
        return [
            (one["family"], socket.SOCK_STREAM, socket.IPPROTO_TCP, "", _place(one))
            for one in await self._look_up.resolve(host, port, socket.AF_UNSPEC)
        ]

    def _found(self, asked: tuple[str, int], task: asyncio.Task[list[AddressInfo]]) -> None:
        if task.cancelled() or task.exception() is not None:
            held = self._held.get(asked)
            if held is not None and held[1] is task:
                del self._held[asked]

    async def close(self) -> None:
        """Look for nothing more."""
        for _, task in self._held.values():
            task.cancel()
        await self._look_up.close()


def _place(one: Any) -> tuple[Any, ...]:
    address = (one["host"], one["port"])
    return (*address, 0, 0) if one["family"] == socket.AF_INET6 else address
