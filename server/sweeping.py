# SPDX-License-Identifier: Apache-2.0
"""Sweeping up files that nothing shows any more.

What is let go is removed at once (`files.forget_unused`). This finds the rest: bytes whose deed
never came to its commit, or whose removal was cut short. Nothing younger than GRACE is touched,
since it may be on its way to its commit.
"""

import asyncio
import contextlib
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import select

from server.files import forget_unused, is_used
from server.instance import Instance
from storage.arrivals import Piece
from storage.files import StoredFile

GRACE = timedelta(days=1)
AT_ONCE = 200


async def sweep(instance: Instance) -> tuple[int, int]:
    """How many files were forgotten, and of how many the bytes were removed."""
    before = instance.clock.now() - GRACE
    await asyncio.to_thread(_drop_old, instance.settings.state / "arriving", before)
    forgotten = await _forget(instance, before)
    return forgotten, await _remove(instance, before)


def _drop_old(folder: Path, before: datetime) -> None:
    """Files that were on their way when a process ended."""
    for one in folder.glob("*"):
        with contextlib.suppress(FileNotFoundError):
            if one.stat().st_mtime < before.timestamp():
                one.unlink()


async def _forget(instance: Instance, before: datetime) -> int:
    """Drop the rows of files that nothing shows; their bytes are then nobody's."""
    count, after, more = 0, "", True
    while more:
        old = (
            select(StoredFile.sha256)
            .where(StoredFile.sha256 > after, StoredFile.created < before)
            .order_by(StoredFile.sha256)
            .limit(AT_ONCE)
            .subquery()
        )
        question = select(old.c.sha256, is_used(old.c.sha256)).order_by(old.c.sha256)
        async with instance.reading() as session:
            rows = (await session.execute(question)).all()
        unused = [sha256 for sha256, used in rows if not used]
        if unused:
            async with instance.transaction() as tx:
                for sha256 in unused:
                    count += await forget_unused(tx, sha256)
                # Whoever brings the same bytes just now has put them on the shelf already, and
                # not in the database: their age tells.
                tx.left.clear()
        more = len(rows) == AT_ONCE
        after = rows[-1][0] if rows else ""
    return count


async def _remove(instance: Instance, before: datetime) -> int:
    """Remove the bytes that have no row."""
    count = 0
    async for names in instance.files.shelf.old(before, AT_ONCE):
        async with instance.reading() as session:
            known = set()
            for column in (StoredFile.sha256, Piece.sha256):
                question = select(column).where(column.in_(names))
                known |= set((await session.execute(question)).scalars())
        for sha256 in names:
            if sha256 not in known:
                count += await instance.files.shelf.remove_old(sha256, before)
    return count
