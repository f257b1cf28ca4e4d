# SPDX-License-Identifier: Apache-2.0
"""Signatures made in threads, several for each time we go there."""

import asyncio
from collections.abc import Mapping

from federation.signatures.sign import Prepared

AT_ONCE = 16
THREADS = 2


class Signing:
    """Gathers what is to be signed while a thread is at work.

    An RSA signature takes a quarter of a millisecond, during which the library lets others run;
    going to a thread costs as much as a fifth of that, so several go together.
    """

    def __init__(self) -> None:
        self._waiting: list[tuple[Prepared, asyncio.Future[Mapping[str, str]]]] = []
        self._at_work: set[asyncio.Task[None]] = set()

    async def headers(self, prepared: Prepared) -> Mapping[str, str]:
        """The headers of a prepared request, signed."""
        signed: asyncio.Future[Mapping[str, str]] = asyncio.get_running_loop().create_future()
        self._waiting.append((prepared, signed))
        if len(self._at_work) < THREADS:
            task = asyncio.create_task(self._work())
            self._at_work.add(task)
            task.add_done_callback(self._at_work.discard)
        return await signed

    async def _work(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting[:AT_ONCE], self._waiting[AT_ONCE:]
            try:
                signatures = await asyncio.to_thread(_sign_all, [one for one, _ in batch])
            except BaseException as error:
                for _, signed in batch:
                    if not signed.done():
                        signed.set_exception(error)
                raise
            for (prepared, signed), signature in zip(batch, signatures, strict=True):
                if not signed.done():
                    signed.set_result(prepared.with_signature(signature))


def _sign_all(batch: list[Prepared]) -> list[bytes]:
    return [prepared.key.sign(prepared.message) for prepared in batch]
