# SPDX-License-Identifier: Apache-2.0
"""Processes write to one SQLite file in turn, and wait for no stopped one."""

import asyncio
import fcntl
import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from storage import turns
from storage.database import Database
from storage.practices import PracticeAncestor
from storage.turns import Turns


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "town.db")


@pytest.fixture
async def two(path: str) -> AsyncIterator[tuple[Turns, Turns]]:
    """The turns as two processes have them: locks of files that each opened."""
    both = Turns(path), Turns(path)
    yield both
    for one in both:
        one.close()


async def test_who_writes_again_and_again_leaves_the_turn_to_whoever_waits(
    two: tuple[Turns, Turns],
) -> None:
    busy, other = two
    order: list[str] = []
    is_over = asyncio.Event()

    async def again_and_again() -> None:
        # Without a pause between two: SQLite alone would give it the lock each time.
        while not is_over.is_set():
            async with busy:
                order.append("busy")
                await asyncio.sleep(0)

    writing = asyncio.create_task(again_and_again())
    async with asyncio.timeout(60):
        for _ in range(20):
            async with other:
                order.append("other")
                await asyncio.sleep(0)
    is_over.set()
    await writing
    waits = "".join("b" if one == "busy" else "o" for one in order).split("o")
    # What was begun is ended, and one more may have been begun before the other came.
    assert len(waits) == 21
    assert max(map(len, waits[:-1])) <= 2


async def test_the_turn_ends_with_the_deed_the_process_and_the_patience_of_others(
    two: tuple[Turns, Turns], monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    first, second = two

    async def hold_it() -> None:
        async with second:
            pass

    async with asyncio.timeout(60):
        with pytest.raises(ValueError, match="undone"):
            async with first:
                raise ValueError("undone")
        await hold_it()
        async with AsyncExitStack() as held:
            await held.enter_async_context(first)
            waiting = asyncio.create_task(hold_it())
            await asyncio.sleep(0)
            # Who is told to stop leaves the place.
            waiting.cancel()
            await asyncio.gather(waiting, return_exceptions=True)
            monkeypatch.setattr(turns, "PATIENCE", 0.0)
            await hold_it()
            monkeypatch.undo()
            # As when the process ends: its files are closed.
            first.close()
            await hold_it()
        file = os.open(f"{path}-next", os.O_RDONLY)
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.close(file)
        await hold_it()


async def test_a_folder_that_takes_no_files_is_written_to_without(tmp_path: Path) -> None:
    for nowhere in (str(tmp_path / "missing" / "town.db"), None):
        none = Turns(nowhere)
        async with none, none:
            assert os.listdir(tmp_path) == []


async def test_deeds_and_batches_have_the_turn(database: Database) -> None:
    """On PostgreSQL writers need none: no file is made."""
    taken = 0
    enter = Turns.__aenter__

    async def counted(self: Turns) -> None:
        nonlocal taken
        taken += 1
        await enter(self)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Turns, "__aenter__", counted)
        async with database.writer.transaction() as session:
            if database.is_sqlite:
                other = Turns(database.url.database)
                # Nobody else has it meanwhile.
                assert other._is_there()
                assert not other._has_it(*other._files)
                other.close()
            del session
        row = {"uri": "1.example", "above": "2.example"}
        assert await database.writer.append(PracticeAncestor, row, unique=("uri", "above"))
    assert taken == (2 if database.is_sqlite else 0)
