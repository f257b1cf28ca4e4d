# SPDX-License-Identifier: Apache-2.0
"""Bugs put in on purpose are found by the simulation."""

from collections.abc import Mapping
from typing import Any

import pytest

from federation.delivery.lanes import Delivery
from federation.delivery.turns import Turn
from storage.base import Base
from storage.inbox import InboxRow
from storage.writer import Writer
from tests.simulation.history import History
from tests.simulation.network import Weather
from tests.simulation.run import simulate
from tests.simulation.troubles import DAY, a_late_try
from tests.simulation.world import World

SEED = 4


async def posted_to_one_away(world: World, history: History) -> None:
    """What is posted in the forum of a machine that is down for three days."""
    gone, writer = world.nodes
    place = next(place for place in world.places if place.home is gone)
    await history.attempt(writer, place, "thread")
    await world.pass_time(10.0)
    gone.crash()
    for kind in ("thread", "thread", "reply"):
        await history.attempt(writer, place, kind)
        await world.pass_time(2.0)
    await world.let_fly(3 * DAY, DAY / 2)
    await a_late_try(world)


async def locked_and_opened(world: World, history: History) -> None:
    """A thread is closed and opened again, while each delivery comes twice."""
    place = world.places[0]
    await history.attempt(place.home, place, "thread")
    await world.pass_time(10.0)
    # Everything sent from now on comes again within some minutes.
    world.network.weather = Weather(repeated=1.0, repeat_within=300.0)
    for _ in range(4):
        await history.attempt(place.home, place, "lock")
        await world.pass_time(10.0)
    await world.pass_time(300.0, 30.0)


async def _deaf(_delivery: Delivery, _host: str) -> None:
    """In place of waking what waits for a peer that shows itself."""


def _over_the_gap(turn: Turn) -> int:
    """In place of counting up to the first entry that is not dealt with."""
    return len(turn._work.items)


_append = Writer.append


async def _forgetful(
    writer: Writer, table: type[Base], row: Mapping[str, Any], *, unique: tuple[str, ...]
) -> bool:
    """In place of knowing a delivery again that came before."""
    if table is InboxRow:
        row = {**row, "activity_id": f"{row['activity_id']}?once-more={row['id']}"}
    return await _append(writer, table, row, unique=unique)


@pytest.mark.parametrize("act", [posted_to_one_away, locked_and_opened])
def test_without_a_bug_nothing_is_found(act: Any) -> None:
    report = simulate(SEED, act, size=2)
    assert not report.findings, str(report)


def test_that_nobody_wakes_for_a_peer_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Delivery, "heard", _deaf)
    report = simulate(SEED, posted_to_one_away, size=2)
    assert any(finding.startswith("11: not level") for finding in report.findings), str(report)


def test_that_a_cursor_passes_a_gap_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Turn, "_done", _over_the_gap)
    report = simulate(SEED, posted_to_one_away, size=2)
    assert any(finding.startswith("lost:") for finding in report.findings), str(report)


def test_that_repeats_are_taken_for_new_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Writer, "append", _forgetful)
    report = simulate(SEED, locked_and_opened, size=2)
    assert any(finding.startswith("5:") for finding in report.findings), str(report)
