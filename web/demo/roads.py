# SPDX-License-Identifier: Apache-2.0
"""The road to an agency: what other agencies ask of it can be held up here."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Self

CHUNK = 1 << 16
LATE_SECONDS = 5.0
_BEGINNINGS = (b"POST ", b"GET ")


class Road:
    """Carries what other agencies send to one agency, and back; people do not come this way.

    Narrowed, it lets a few requests through and holds the others, as an agency that is
    overloaded would. What it holds still arrives in the end, even of a sender that has died
    meanwhile: the answer then reaches nobody.
    """

    def __init__(self, to: int) -> None:
        self.port = 0
        self._to = to
        self._open = asyncio.Event()
        self._open.set()
        self._passing = 0
        self._server: asyncio.Server | None = None
        self._travelling: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._travel, "127.0.0.1", 0)
        self.port = int(self._server.sockets[0].getsockname()[1])
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._server is not None:
            self._server.close()
        for task in self._travelling:
            task.cancel()
        await asyncio.gather(*self._travelling, return_exceptions=True)

    @contextmanager
    def narrow(self, passing: int) -> Iterator[None]:
        """While the block runs, let this many more requests through and hold those behind."""
        self._passing = passing
        self._open.clear()
        try:
            yield
        finally:
            self._open.set()

    async def _travel(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is None:
            return
        self._travelling.add(task)
        try:
            await self._between(reader, writer)
        except (OSError, asyncio.CancelledError):
            # The agency is not there, or we close: its callers see a broken connection.
            pass
        finally:
            self._travelling.discard(task)
            writer.close()

    async def _between(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", self._to)
        answered = asyncio.Event()
        returning = asyncio.create_task(self._back(there, writer, answered))
        going = asyncio.create_task(self._forth(reader, back, answered))
        try:
            await asyncio.wait({returning, going}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (returning, going):
                task.cancel()
            await asyncio.gather(returning, going, return_exceptions=True)
            back.close()

    async def _forth(
        self, reader: asyncio.StreamReader, back: asyncio.StreamWriter, answered: asyncio.Event
    ) -> None:
        sent = False
        while data := await reader.read(CHUNK):
            if data.startswith(_BEGINNINGS):
                await self._turn()
            answered.clear()
            back.write(data)
            await back.drain()
            sent = True
        if sent:
            # Hung up already, but what was on its way is still to be read at its end.
            async with asyncio.timeout(LATE_SECONDS):
                await answered.wait()

    async def _back(
        self, there: asyncio.StreamReader, writer: asyncio.StreamWriter, answered: asyncio.Event
    ) -> None:
        while data := await there.read(CHUNK):
            answered.set()
            if not writer.is_closing():
                writer.write(data)
                await writer.drain()

    async def _turn(self) -> None:
        if self._open.is_set():
            return
        if self._passing > 0:
            self._passing -= 1
            return
        await self._open.wait()
