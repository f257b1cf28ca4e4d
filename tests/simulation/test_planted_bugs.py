# SPDX-License-Identifier: Apache-2.0
"""Bugs put in on purpose are found by the simulation."""

from typing import Any

import pytest
from sqlalchemy import delete

from federation.delivery.lanes import Delivery
from federation.delivery.turns import Turn
from federation.inbox import Inbox
from storage import sealing
from storage.inbox import InboxRow, InboxState
from tests.simulation.history import History
from tests.simulation.network import Weather
from tests.simulation.node import Node
from tests.simulation.run import simulate
from tests.simulation.troubles import DAY, a_late_try
from tests.simulation.views import view
from tests.simulation.world import Place, World

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


async def closed_and_opened(world: World, history: History) -> None:
    """A steward elsewhere closes a thread and opens it; later the closing is delivered again."""
    place = world.places[0]
    steward = next(node for node in world.nodes if node is not place.home)
    await history.attempt(place.home, place, "thread")
    await world.pass_time(10.0)
    # Everything sent from now on comes again within some minutes.
    world.network.weather = Weather(repeated=1.0, repeat_within=240.0)
    await history.attempt(steward, place, "lock")
    await world.pass_time(6.0)
    assert [_closed(node, place) for node in world.nodes] == [True, True]
    world.network.weather = Weather()
    await history.attempt(steward, place, "lock")
    await world.pass_time(300.0, 30.0)
    assert any("Lock" in line and "(repeated)" in line for line in world.network.trace)
    for node in world.nodes:
        if _closed(node, place):
            uri = history.deeds[-1].what
            world.findings.append(f"8: at {node.name} what was opened is closed: {uri}")


def _closed(node: Node, place: Place) -> bool:
    return [post["locked"] for post in view(node, place.uri).posts.values()] == [1]


async def _deaf(_delivery: Delivery, _host: str) -> None:
    """In place of waking what waits for a peer that shows itself."""


def _over_the_gap(turn: Turn) -> int:
    """In place of counting up to the first entry that is not dealt with."""
    return len(turn._work.items)


_append = Inbox._append


async def _forgetful(inbox: Inbox, row: dict[str, Any]) -> bool:
    """The inbox forgets what it is through with, so that a repeat is taken for new."""
    async with inbox._wire.instance.transaction() as tx:
        await tx.session.execute(
            delete(InboxRow).where(
                InboxRow.signer == row["signer"],
                InboxRow.activity_id == row["activity_id"],
                InboxRow.state != InboxState.WAITING,
            )
        )
    return await _append(inbox, row)


@pytest.mark.parametrize("act", [posted_to_one_away, closed_and_opened])
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
    """A closing that is applied twice closes what was opened in between, for all who read."""
    monkeypatch.setattr(Inbox, "_append", _forgetful)
    report = simulate(SEED, closed_and_opened, size=2)
    closed = [f for f in report.findings if f.startswith("8:") and "is closed" in f]
    assert len(closed) == 2, str(report)


def test_that_lines_of_the_record_are_not_sealed_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sealing, "_seal", lambda *_: None)
    report = simulate(SEED, closed_and_opened, size=2)
    unsealed = [f for f in report.findings if f.startswith("10:") and "without a seal" in f]
    assert len(unsealed) == 2, str(report)
