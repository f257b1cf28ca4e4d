# SPDX-License-Identifier: Apache-2.0
"""Several processes share the lanes, and many sendings share a question."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from federation.delivery import lanes as running
from federation.delivery.visibility import Visibilities
from federation.station import Station
from server.instance import Instance
from tests.federation.delivery.conftest import Laid


async def test_those_who_ask_in_one_moment_share_one_question(
    instance: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on PostgreSQL, where a glance answers nothing."""
    monkeypatch.setattr(instance.database.glance, "mark", lambda: None)
    asked = 0
    reading = instance.reading

    @asynccontextmanager
    async def counted() -> AsyncIterator[AsyncSession]:
        nonlocal asked
        asked += 1
        async with reading() as session:
            yield session

    monkeypatch.setattr(instance, "reading", counted)
    visibilities = Visibilities(instance)
    found = await asyncio.gather(*(visibilities.of(["http://nowhere/f/x"]) for _ in range(50)))
    assert [each["http://nowhere/f/x"] for each in found] == [None] * 50
    assert asked == 1


async def test_a_process_begins_with_the_lanes_it_worked_on_before(
    instance: Instance, lay: Laid, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has connections to their inboxes; another process has those of the others."""
    delivery = Station(instance).delivery
    await delivery.run_due()
    await lay(4)
    claimed: list[list[int]] = []
    start = delivery._start

    async def noted(chosen: list[int]) -> None:
        claimed.append(chosen)
        await start(chosen)

    monkeypatch.setattr(delivery, "_start", noted)
    monkeypatch.setattr(running, "CLAIMED_AT_ONCE", 2)
    delivery._due = dict.fromkeys((3, 4))
    await delivery._start_due()
    # Nothing is for them: they are let go of, and claimed again once that is written down.
    while delivery._leaving:  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    delivery._due = dict.fromkeys((1, 2, 3, 4))
    await delivery._start_due()
    assert claimed == [[3, 4], [3, 4], [1, 2]]
