# SPDX-License-Identifier: Apache-2.0
"""How much is under way at once."""

import asyncio

import pytest

from federation.claims import is_dead, owner_name
from federation.delivery import windows
from federation.delivery.windows import Slots, Window
from server.randomness import SystemRandomness


async def crowd(window: Window, count: int) -> list[asyncio.Task[None]]:
    """As many sendings at once as there is room for; they stay until they are cancelled."""

    async def send() -> None:
        async with window.place():
            await asyncio.Event().wait()

    tasks = [asyncio.create_task(send()) for _ in range(count)]
    await asyncio.sleep(0)
    return tasks


async def leave(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def test_a_window_grows_by_success_and_halves_by_failure() -> None:
    window = Window()
    assert window.size == 8
    for _ in range(49):
        window.succeeded()
    assert window.size == 8
    window.succeeded()
    assert window.size == 9
    window.failed()
    assert window.size == 4
    for _ in range(10):
        window.failed()
    assert window.size == 1
    for _ in range(50 * 40):
        window.succeeded()
    assert window.size == 16


async def test_no_more_are_in_flight_than_the_window_is_wide() -> None:
    window = Window()
    tasks = await crowd(window, 30)
    assert window.in_flight == 8
    window.failed()
    tasks[0].cancel()
    await asyncio.sleep(0)
    assert window.in_flight == 7
    await leave(tasks)
    assert window.in_flight == 0


async def test_of_a_peer_that_was_down_one_is_tried_first() -> None:
    window = Window()
    window.probe()
    tasks = await crowd(window, 5)
    assert window.in_flight == 1
    window.failed()
    assert window.size == 1
    window.succeeded()
    await asyncio.sleep(0)
    assert window.in_flight == 5
    await leave(tasks)


async def test_a_place_given_to_who_just_left_goes_to_the_next() -> None:
    window = Window()
    window.probe()
    first, second, third = await crowd(window, 3)
    first.cancel()
    await asyncio.sleep(0)
    second.cancel()
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert window.in_flight == 1
    assert not third.done()
    await leave([first, second, third])
    assert window.in_flight == 0


async def test_who_hangs_leaves_the_places_of_the_quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(windows, "SLOW_AFTER", 0.0)
    slots = Slots(quick=4, slow=6)
    hanging = asyncio.Event()
    passed = []

    async def hang() -> None:
        async with slots.place():
            await hanging.wait()

    async def hurry(number: int) -> None:
        async with slots.place():
            passed.append(number)

    hung = [asyncio.create_task(hang()) for _ in range(6)]
    await asyncio.sleep(0.02)
    assert (slots.quick, slots.slow) == (0, 6)
    await asyncio.gather(*(hurry(number) for number in range(20)))
    assert passed == list(range(20))
    # The waiting room is full: from here on, who hangs holds what they have.
    more = [asyncio.create_task(hang()) for _ in range(9)]
    await asyncio.sleep(0.01)
    assert (slots.quick, slots.slow) == (4, 6)
    hanging.set()
    await asyncio.gather(*hung, *more)
    assert (slots.quick, slots.slow) == (0, 0)


def test_a_process_is_known_to_be_dead_only_on_our_own_machine() -> None:
    mine, again = owner_name(SystemRandomness()), owner_name(SystemRandomness())
    assert mine != again
    assert len(mine) <= 64
    assert not is_dead(mine, mine)
    # Our own number under another name: a process that ended before we began.
    assert is_dead(again, mine)
    host, number, chance = mine.split("/")
    assert not is_dead(f"elsewhere/{number}/{chance}x", mine)
    assert not is_dead(f"{host}/1/{chance}", mine)
    assert is_dead(f"{host}/{2**22 + 1}/{chance}", mine)
    assert not is_dead("nonsense", mine)
