# SPDX-License-Identifier: Apache-2.0
"""A server that was away and shows itself, in whatever way."""

import asyncio

import pytest

from federation import descriptions, discovery
from server import traffic
from tests import makers
from tests.hostile.commons import ORIGIN, Commons, doing
from tests.hostile.followed import followed, peer_of, told, until, waiting
from tests.hostile.peer import Page, ScriptedPeer, mallory

__all__ = ["followed", "waiting"]
ASKED = "/.well-known/nodeinfo"


def questions(peer: ScriptedPeer) -> int:
    """How often a host was asked what it runs."""
    return sum(asked.target == ASKED for asked in peer.requests)


async def test_its_answer_about_what_it_runs_wakes_what_waits_for_it(
    waiting: Commons, vic: ScriptedPeer
) -> None:
    await waiting.app.state.lookup.describe(vic.host)
    await until(lambda: told(vic) == [("Create", "Late")])


async def test_its_signed_request_for_a_page_wakes_what_waits_for_it(
    waiting: Commons, vic: ScriptedPeer
) -> None:
    path = waiting.forum.uri.removeprefix(ORIGIN)
    assert (await waiting.get(path, vic)).status_code == 200
    await until(lambda: told(vic) == [("Create", "Late")])


async def test_a_server_that_cannot_be_reached_is_asked_each_hour_what_it_runs(
    waiting: Commons, vic: ScriptedPeer
) -> None:
    wire = waiting.station
    await wire.descriptions.run_due()
    await until(lambda: told(vic) == [("Create", "Late")])
    await waiting.settled()
    assert (await peer_of(waiting, vic.host)).failing_since is None
    vic.inbox_answer = lambda _: Page(status=503)
    await makers.thread(waiting.instance, waiting.admin, waiting.forum, "Later")
    await waiting.settled()
    before = questions(vic)
    for minutes, asked in ((30, 0), (50, 1), (30, 1), (50, 2)):
        waiting.clock.turn(minutes=minutes)
        await wire.descriptions.run_due()
        assert questions(vic) - before == asked


async def test_each_server_is_asked_anew_each_day_unless_it_is_paused(
    gh: Commons, vic: ScriptedPeer, evil: ScriptedPeer
) -> None:
    await gh.is_guildhall(vic.host, evil.host)
    async with gh.instance.transaction() as tx:
        await traffic.pause(tx, None, evil.host)
    wire = gh.station
    gh.clock.turn(hours=23)
    await wire.descriptions.run_due()
    assert questions(vic) == 0
    vic.software = "mastodon"
    vic.describe()
    gh.clock.turn(hours=2)
    await wire.descriptions.run_due()
    assert (await peer_of(gh, vic.host)).software == "mastodon"
    await wire.descriptions.run_due()
    assert (questions(vic), questions(evil)) == (1, 0)


async def test_a_round_asks_a_few_and_the_next_one_the_others(
    gh: Commons, vic: ScriptedPeer, evil: ScriptedPeer, monkeypatch: pytest.MonkeyPatch
) -> None:
    await gh.is_guildhall(vic.host, evil.host)
    monkeypatch.setattr(descriptions, "MOST_A_ROUND", 1)
    gh.clock.turn(days=2)
    for asked in (1, 2, 2):
        await gh.station.descriptions.run_due()
        assert questions(vic) + questions(evil) == asked


async def test_a_fault_of_ours_with_one_server_keeps_no_other_from_being_asked(
    gh: Commons, vic: ScriptedPeer, evil: ScriptedPeer, monkeypatch: pytest.MonkeyPatch
) -> None:
    await gh.is_guildhall(vic.host, evil.host)
    gh.clock.turn(days=2)
    asked: list[str] = []

    async def describe(_: object, host: str) -> None:
        if host == evil.host:
            raise RuntimeError("a fault of ours")
        # It answers after the other has failed.
        await asyncio.sleep(0.1)
        asked.append(host)

    monkeypatch.setattr(discovery, "describe", describe)
    with pytest.raises(RuntimeError, match="a fault of ours"):
        await gh.station.descriptions.run_due()
    assert asked == [vic.host]


async def test_work_on_a_host_that_fails_late_is_seen_and_begun_anew(
    gh: Commons, vic: ScriptedPeer, monkeypatch: pytest.MonkeyPatch
) -> None:
    receiver, crashes = gh.station.receiver, gh.app.state.worker.crashes
    begun: list[int] = []

    async def late(*_: object) -> None:
        begun.append(1)
        await asyncio.sleep(0.7)
        raise RuntimeError("a fault of ours")

    monkeypatch.setattr(receiver, "_in_order", late)
    await gh.deliver(vic, doing("View", mallory(vic), gh.thread.uri))
    await until(lambda: "receive" in crashes.last)
    assert crashes.last["receive"].error == "RuntimeError: a fault of ours"
    # Whatever wakes the worker meanwhile, it is not begun again at once.
    gh.instance.wake()
    await asyncio.sleep(0.3)
    assert len(begun) == 1
    monkeypatch.undo()
    gh.clock.turn(minutes=1)
    await gh.settled()
    assert (await gh.row(f"{mallory(vic)}#view-1")).state == "ignored"
