# SPDX-License-Identifier: Apache-2.0
"""Signatures made in threads, several for each time we go there."""

import asyncio
import os
from collections.abc import Callable
from typing import cast

from federation.signatures.sign import Prepared

AT_ONCE = 32
# While they keep coming, one waits this long (in seconds) for some more.
ENOUGH, GATHERED_FOR = 8, 0.002
MOST_THREADS = 4
# Called with the headers of a request, signed, or with what kept them from being signed.
Signed = Callable[[dict[str, str] | Exception], None]


class Signing:
    """Gathers what is to be signed while a thread is at work.

    An RSA signature takes a quarter of a millisecond, during which the library lets others run;
    going to a thread costs as much as a fifth of that, so several go together. With more threads
    than there are cores beside that of the loop, each would go for one or two.
    """

    def __init__(self) -> None:
        self._last = 0
        self._threads = max(1, min(MOST_THREADS, len(os.sched_getaffinity(0)) - 1))
        self._waiting: list[tuple[Prepared, Signed]] = []
        self._at_work: set[asyncio.Task[None]] = set()

    async def headers(self, prepared: Prepared) -> dict[str, str]:
        """The headers of a prepared request, signed."""
        waiting: asyncio.Future[dict[str, str]] = asyncio.get_running_loop().create_future()

        def signed(headers: dict[str, str] | Exception) -> None:
            if waiting.done():
                return
            if isinstance(headers, Exception):
                waiting.set_exception(headers)
            else:
                waiting.set_result(headers)

        self.put(prepared, signed)
        return await waiting

    def put(self, prepared: Prepared, signed: Signed) -> None:
        """Have a prepared request signed; `signed` is called once, and must not raise."""
        self._waiting.append((prepared, signed))
        if len(self._at_work) < self._threads:
            self._at_work.add(asyncio.create_task(self._work()))

    async def _work(self) -> None:
        try:
            await self._sign_waiting()
        finally:
            # Not in a callback, before which somebody could come who then waited for nobody.
            self._at_work.discard(cast("asyncio.Task[None]", asyncio.current_task()))

    async def _sign_waiting(self) -> None:
        loop = asyncio.get_running_loop()
        while self._waiting:
            if self._last > 1 and len(self._waiting) < ENOUGH:
                await asyncio.sleep(GATHERED_FOR)
            batch, self._waiting = self._waiting[:AT_ONCE], self._waiting[AT_ONCE:]
            self._last = len(batch)
            signatures = await loop.run_in_executor(None, _sign_all, [one for one, _ in batch])
            for (prepared, signed), signature in zip(batch, signatures, strict=True):
                if isinstance(signature, Exception):
                    signed(signature)
                else:
                    signed(prepared.with_signature(signature))


def _sign_all(batch: list[Prepared]) -> list[bytes | Exception]:
    return [_sign(prepared) for prepared in batch]


def _sign(prepared: Prepared) -> bytes | Exception:
    try:
        return prepared.key.sign(prepared.message)
    except Exception as error:  # it is told to who asked; the others get theirs
        return error
