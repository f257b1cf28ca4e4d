# SPDX-License-Identifier: Apache-2.0
"""Files of other agencies' resources, fetched when a member asks for one."""

import asyncio

from federation.errors import BadAnswer, Forbidden, WireError
from federation.wire import Wire
from server.errors import Unavailable
from server.files import Arriving, NewFile
from server.hub import files
from server.peers import Wanted
from server.resources import previews, scanning
from server.resources.previews import Preview
from server.resources.sniffing import NotTaken, media_type_of

SECONDS = 600.0
AT_ONCE = 3
MOST_WAITING = 20


class Downloads:
    """Fetches a few at a time; who asks for what is on its way already waits for that."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._coming: dict[str, asyncio.Task[None]] = {}
        self._turns = asyncio.Semaphore(AT_ONCE)

    async def bring(self, wanted: Wanted, seconds: float) -> bool:
        """Have a file here; False where it is still on its way after so many seconds.

        Raises a WireError where it cannot be had, which is noted beside the file as well.
        """
        task = self._coming.get(wanted.sha256)
        if task is None:
            if len(self._coming) >= MOST_WAITING:
                raise BadAnswer("Many files are being fetched at the moment: try again soon.")
            task = asyncio.create_task(self._brought(wanted))
            self._coming[wanted.sha256] = task
            task.add_done_callback(lambda _: self._coming.pop(wanted.sha256, None))
        done, _ = await asyncio.wait({task}, timeout=seconds)
        if not done:
            return False
        task.result()
        return True

    async def close(self) -> None:
        """Leave off; what has not come is asked for again when somebody wants it."""
        tasks = list(self._coming.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _brought(self, wanted: Wanted) -> None:
        instance = self._wire.instance
        try:
            async with self._turns:
                new, seen = await self._fetched(wanted)
        except WireError as error:
            async with instance.transaction() as tx:
                await files.failed(tx, wanted, str(error))
            raise
        async with instance.transaction() as tx:
            await files.arrived(tx, new)
            await previews.keep(tx, new.sha256, seen)

    async def _fetched(self, wanted: Wanted) -> tuple[NewFile, Preview | None]:
        """The file on our shelf, once it has proved to be the one that was published."""
        instance = self._wire.instance
        if wanted.size > instance.settings.fetch_size * 1_000_000:
            raise Forbidden("It is larger than what is fetched here: get it from its home.")
        await self._wire.must_be_allowed(wanted.url)
        with await asyncio.to_thread(instance.files.arriving) as arriving:

            async def into(piece: bytes) -> None:
                await asyncio.to_thread(arriving.write, piece)

            await self._wire.door.get(
                wanted.url,
                accept="*/*",
                sign=await self._wire.signer(),
                max_bytes=max(wanted.size, 1),
                deadline=SECONDS,
                into=into,
            )
            kind = await asyncio.to_thread(_kind, arriving, wanted)
            await _must_be_clean(instance.settings.clamav, arriving)
            seen = await previews.make(instance.files, arriving.content, kind)
            return await instance.files.put(arriving, kind), seen


async def _must_be_clean(scanner: str, arriving: Arriving) -> None:
    try:
        await scanning.must_be_clean(scanner, arriving.content, "The file")
    except (NotTaken, Unavailable) as error:
        raise BadAnswer(str(error)) from error


def _kind(arriving: Arriving, wanted: Wanted) -> str:
    """What has come, by its content; BadAnswer for another file than the one wanted."""
    if (arriving.size, arriving.sha256) != (wanted.size, wanted.sha256):
        raise BadAnswer("What came is not the file that was published: its checksum differs.")
    try:
        return media_type_of(arriving.content, wanted.name)
    except NotTaken as error:
        raise BadAnswer(str(error)) from error
