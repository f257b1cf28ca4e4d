# SPDX-License-Identifier: Apache-2.0
"""The worker ends when it is told to, and begins anew after a failure."""

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import suppress
from itertools import pairwise

import pytest
from sqlalchemy.exc import OperationalError

from federation import worker
from federation.crashes import Crashes
from federation.greeting import greet
from federation.station import Station
from federation.worker import Worker
from server import overview, peers
from server.instance import Instance
from server.settings import Settings
from storage.members import Member
from tests import makers
from tests.clock import TurnableClock
from web.app import create_app

SECONDS = 20.0


@pytest.mark.parametrize("turns", range(5))
async def test_an_end_in_the_moment_of_new_work_is_not_lost(instance: Instance, turns: int) -> None:
    station = Station(instance)
    await station.open()
    worker = Worker(station)
    await worker.start()
    # Each loop has looked once, and waits.
    for _ in range(20):
        await asyncio.sleep(0.01)
    instance.wake()
    # What was waited for is there, and who waited has not gone on yet.
    for _ in range(turns):
        await asyncio.sleep(0)
    async with asyncio.timeout(SECONDS):
        await worker.stop()
    await station.close()
    assert all(task.done() for task in worker._tasks)


@pytest.mark.parametrize("crashes", [False, True])
async def test_an_end_that_is_lost_in_the_work_of_a_loop_ends_it_all_the_same(
    instance: Instance, *, crashes: bool
) -> None:
    begun = asyncio.Event()

    async def deaf() -> float:
        begun.set()
        with suppress(asyncio.CancelledError):
            await asyncio.sleep(10 * SECONDS)
        if crashes:
            raise RuntimeError("the database was closed")
        return 10 * SECONDS

    loop = asyncio.create_task(Worker(Station(instance))._supervise("deaf", deaf))
    await begun.wait()
    loop.cancel()
    done, _ = await asyncio.wait([loop], timeout=SECONDS)
    assert done == {loop}


async def shown(instance: Instance) -> str:
    """What administrators are told of the last failure."""
    async with instance.reading() as session:
        crash = (await overview.page(session, instance.clock.now())).crash
    return f"{crash.loop}: {crash.error}" if crash else ""


async def until(happened: Callable[[], Awaitable[bool]]) -> None:
    for _ in range(1_000):
        if await happened():
            return
        await asyncio.sleep(0.02)
    raise AssertionError("it never happened")


async def test_a_loop_that_fails_is_begun_ever_more_slowly_and_told_of(
    instance: Instance, admin: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three failures in a minute are a 503 for whoever watches, until a minute has passed."""
    monkeypatch.setattr(worker, "AGAIN_AFTER", 0.1)
    app = create_app(instance)
    begun: list[float] = []

    async def failing() -> float:
        begun.append(asyncio.get_running_loop().time())
        if len(begun) <= 3:
            raise RuntimeError("a fault of ours\nwith the words of a member")
        return 10 * SECONDS

    monkeypatch.setattr(app.state.wire.delivery, "run_due", failing)
    async with (
        app.router.lifespan_context(app),
        makers.browser(app) as browser,
    ):
        assert (await browser.get("/healthz")).status_code == 200
        crashes = app.state.worker.crashes

        async def has_failed() -> bool:
            return not crashes.are_few

        await until(has_failed)
        assert crashes.too_often.is_set()
        answer = await browser.get("/healthz")
        assert (answer.status_code, answer.json()["wrong"]) == (503, "the worker keeps failing")

        async def is_told() -> bool:
            return await shown(instance) == "deliver: RuntimeError: a fault of ours"

        await until(is_told)
        await makers.sign_in(browser, instance, admin)
        page = (await browser.get("/admin")).text
        assert "sending to other agencies, and began again by itself" in page

        async def goes_on() -> bool:
            return len(begun) == 4

        await until(goes_on)
        pauses = [after - before for before, after in pairwise(begun)]
        assert all(pause >= wait for pause, wait in zip(pauses, (0.1, 0.2, 0.4), strict=True))
        monkeypatch.setattr("federation.crashes.WITHIN", 0.0)
        assert (await browser.get("/healthz")).status_code == 200


async def test_a_failure_is_told_for_a_day_by_whatever_process_it_was_in(
    instance: Instance, clock: TurnableClock
) -> None:
    crashes = Crashes(instance, "elsewhere/4711/0")
    crashes.note("tell", ValueError())
    clock.turn(minutes=1)
    crashes.note("keep", RuntimeError("the later one"))
    await crashes.write()
    assert await shown(instance) == "keep: RuntimeError: the later one"
    clock.turn(hours=25)
    assert await shown(instance) == ""


async def test_an_absent_database_ends_no_process(instance: Instance) -> None:
    crashes = Crashes(instance, "here/1/0")
    # Several that ask at once lose it together.
    lost = ExceptionGroup("in a group", [ConnectionRefusedError("it is away"), ConnectionError()])
    for fault in (ConnectionRefusedError(), lost) * 3:
        crashes.note("tell", fault)
    assert not crashes.are_few
    assert not crashes.too_often.is_set()
    assert crashes.last["tell"].error == "ConnectionRefusedError: it is away"
    for _ in range(3):
        crashes.note("tell", RuntimeError())
    assert crashes.too_often.is_set()


async def test_the_watch_for_what_others_commit_survives_a_failure(
    settings: Settings, instance: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "AGAIN_AFTER", 0.05)
    station = Station(instance)
    await station.open()
    running = Worker(station)
    real, asked = instance.database.data_version, []

    async def flaky() -> int:
        asked.append(1)
        if len(asked) == 1:
            raise OperationalError("PRAGMA", None, sqlite3.OperationalError("disk I/O error"))
        return await real()

    monkeypatch.setattr(instance.database, "data_version", flaky)
    woken: list[int] = []
    await running.start()
    beside = await Instance.open(settings)

    async def is_noticed() -> bool:
        await makers.member(beside, f"number{len(woken)}{len(asked)}")
        await asyncio.sleep(2 * worker.VERSION_EVERY)
        return bool(woken)

    instance.on_wake(lambda: woken.append(1))
    await until(is_noticed)
    assert "disk I/O error" in running.crashes.last["watch"].error
    await beside.close()
    await running.stop()
    await station.close()


async def test_one_whom_we_cannot_greet_keeps_nobody_else_from_it(
    instance: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with instance.transaction() as tx:
        for host in ("a.example", "b.example"):
            peer = await peers.seen(tx, host, f"https://{host}")
            peer.software = peers.GUILDHALL
    station = Station(instance)
    greeted: list[str] = []
    faulty = {"https://a.example/instance/forums"}

    async def answer(uri: str, **_: object) -> None:
        greeted.append(uri)
        if uri in faulty:
            raise RuntimeError("a fault of ours")

    monkeypatch.setattr(station, "key_document", answer)
    for _ in range(2):
        with pytest.raises(RuntimeError, match="a fault of ours"):
            await greet(station)
    # Who was greeted is not greeted again for the sake of the other.
    assert [sum(host in uri for uri in greeted) for host in ("a.example", "b.example")] == [2, 1]
    faulty.clear()
    await greet(station)
    assert len(greeted) == 4
    await station.close()
