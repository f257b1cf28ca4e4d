# SPDX-License-Identifier: Apache-2.0
"""Servers that fail at one thing, at some, or at everything."""

import pytest

from federation.delivery.doubts import MOST_HELD
from federation.delivery.express import Express
from federation.delivery.sending import Courier, Outcome
from federation.delivery.turns import FAULT
from server import traffic
from storage.lanes import Item
from tests import makers
from tests.hostile.commons import Commons
from tests.hostile.followed import followed as followed
from tests.hostile.followed import parked, peer_of, refusing, told
from tests.hostile.peer import Page, ScriptedPeer


async def wrote(gh: Commons, *titles: str) -> None:
    """Threads that wait for a server that is away, until it is tried again."""
    for title in titles:
        await makers.thread(gh.instance, gh.admin, gh.forum, title)
        gh.clock.turn(minutes=1)


async def back_but_for_the_odd(gh: Commons, peer: ScriptedPeer, tries: int = 1) -> None:
    """The server is tried again; from now on it fails at what is odd, and at nothing else."""
    peer.inbox_answer = refusing("Odd", 500)
    peer.requests.clear()
    for _ in range(tries):
        gh.clock.turn(minutes=11)
        await gh.settled()


def titles(peer: ScriptedPeer) -> list[str]:
    return [title for _, title in told(peer)]


@pytest.mark.parametrize("status", [500, 501, 403, 301])
async def test_a_server_that_fails_at_everything_has_next_to_nothing_set_aside(
    followed: Commons, vic: ScriptedPeer, status: int
) -> None:
    vic.inbox_answer = lambda _: Page(status=status)
    said = []
    for number in range(4):
        thread = await makers.thread(
            followed.instance, followed.admin, followed.forum, f"Thread {number}"
        )
        said.append((thread.uri, f"Thread {number}"))
        for _ in range(2):
            reply = await makers.reply(followed.instance, followed.admin, thread)
            said.append((thread.uri, reply.uri))
            followed.clock.turn(minutes=11)
            await followed.settled()
    for _ in range(4):
        followed.clock.turn(hours=7)
        await followed.settled()
    assert await parked(followed) <= 2
    peer = await peer_of(followed, vic.host)
    assert peer.failures > 3
    assert peer.last_error[-3:] == str(status) or str(status) in peer.last_error
    vic.inbox_answer = lambda _: Page(status=202)
    vic.requests.clear()
    # What was set aside goes with the rest, however long its own wait would have been.
    for _ in range(2):
        followed.clock.turn(minutes=12)
        await followed.settled()
    assert await parked(followed) == 0
    for thread_uri in {uri for uri, _ in said}:
        mine = [what for uri, what in said if uri == thread_uri]
        assert [title for title in titles(vic) if title in mine] == mine


async def test_what_fails_by_itself_among_many_is_set_aside_in_the_same_turn(
    followed: Commons, vic: ScriptedPeer
) -> None:
    vic.inbox_answer = lambda _: Page(status=503)
    await wrote(followed, "One", "Odd", "Two", "Three")
    await followed.settled()
    await back_but_for_the_odd(followed, vic)
    assert sorted(set(titles(vic))) == ["Odd", "One", "Three", "Two"]
    assert await parked(followed) == 1
    assert (await peer_of(followed, vic.host)).failures == 0


async def test_some_that_fail_in_a_row_keep_nothing_from_those_behind_them(
    followed: Commons, vic: ScriptedPeer
) -> None:
    vic.inbox_answer = lambda _: Page(status=503)
    odd = [f"Odd {number}" for number in range(4)]
    await wrote(followed, *odd, "Even")
    await followed.settled()
    await back_but_for_the_odd(followed, vic, tries=4)
    assert "Even" in titles(vic)
    assert await parked(followed) == 4
    assert (await peer_of(followed, vic.host)).failures == 0


async def test_a_thread_that_fails_is_passed_by_however_much_it_holds(
    followed: Commons, vic: ScriptedPeer
) -> None:
    """The window of a peer that has failed is one wide, and its thread is ahead of the others."""
    vic.inbox_answer = lambda _: Page(status=503)
    odd = await makers.thread(followed.instance, followed.admin, followed.forum, "Odd")
    for _ in range(20):
        await makers.reply(followed.instance, followed.admin, odd)
    await wrote(followed, "Even")
    await followed.settled()
    await back_but_for_the_odd(followed, vic)
    assert titles(vic) == ["Odd", "Even"]
    assert await parked(followed) == 21
    vic.inbox_answer = lambda _: Page(status=202)
    vic.requests.clear()
    for _ in range(21):
        followed.clock.turn(hours=7)
        await followed.settled()
    assert (titles(vic)[0], len(vic.delivered), await parked(followed)) == ("Odd", 21, 0)


async def test_one_that_fails_alone_makes_room_after_a_few_tries(
    followed: Commons, vic: ScriptedPeer
) -> None:
    vic.inbox_answer = refusing("Odd", 500)
    await makers.thread(followed.instance, followed.admin, followed.forum, "Odd")
    for _ in range(4):
        await followed.settled()
        followed.clock.turn(minutes=11)
    await followed.settled()
    assert await parked(followed) == 1
    vic.requests.clear()
    # The clock stands still: nothing is tried again for its time has come.
    await makers.thread(followed.instance, followed.admin, followed.forum, "Even")
    await followed.settled()
    assert "Even" in titles(vic)


async def test_who_was_asked_nothing_is_not_said_to_fail(
    followed: Commons, vic: ScriptedPeer
) -> None:
    """Two stand aside: what comes behind them in their thread is not sent, and says nothing."""
    vic.inbox_answer = lambda _: Page(status=500)
    odd = await makers.thread(followed.instance, followed.admin, followed.forum, "Odd")
    for _ in range(4):
        await followed.settled()
        followed.clock.turn(minutes=11)
    await followed.settled()
    for _ in range(3):
        await makers.reply(followed.instance, followed.admin, odd)
        await followed.settled()
    peer = await peer_of(followed, vic.host)
    assert (peer.last_error or "500").strip().endswith("500")
    vic.inbox_answer = lambda _: Page(status=202)
    vic.requests.clear()
    for _ in range(4):
        followed.clock.turn(minutes=61)
        await followed.settled()
    assert (len(titles(vic)), titles(vic)[0], await parked(followed)) == (4, "Odd", 0)


async def test_of_much_that_is_set_aside_little_is_tried_with_a_server_that_is_away(
    followed: Commons, vic: ScriptedPeer
) -> None:
    vic.inbox_answer = refusing("Odd", 403)
    await wrote(followed, *(f"Odd {number}" for number in range(40)), "Even")
    for _ in range(8):
        followed.clock.turn(minutes=11)
        await followed.settled()
    assert ("Even" in titles(vic), await parked(followed)) == (True, 40)
    vic.inbox_answer = lambda _: Page(status=500)
    await wrote(followed, "New")
    await followed.settled()
    for _ in range(3):
        vic.requests.clear()
        followed.clock.turn(minutes=11)
        await followed.settled()
        assert 0 < len(vic.delivered) <= MOST_HELD + 1
    assert (await peer_of(followed, vic.host)).failures > 2


@pytest.mark.parametrize(
    ("status", "size"), [(500, 4), (503, 4), (429, 4), (400, 8), (404, 8), (410, 8)]
)
async def test_less_goes_at_once_to_who_fails_and_not_to_who_refuses(
    followed: Commons, vic: ScriptedPeer, status: int, size: int
) -> None:
    window = followed.station.delivery.health.of(vic.host).window
    assert window.size == 8
    vic.inbox_answer = refusing("Odd", status)
    await makers.thread(followed.instance, followed.admin, followed.forum, "Odd")
    await followed.settled()
    assert window.size == size


async def test_less_goes_at_once_to_who_fails_at_one_of_many(
    followed: Commons, vic: ScriptedPeer
) -> None:
    window = followed.station.delivery.health.of(vic.host).window
    vic.inbox_answer = lambda _: Page(status=503)
    await wrote(followed, "One", "Odd", "Two")
    await followed.settled()
    before = window._size
    vic.inbox_answer = refusing("Odd", 500)
    followed.clock.turn(minutes=11)
    await followed.settled()
    assert (before, window.size) == (4, 2)


@pytest.mark.parametrize("status", [429, 503])
async def test_who_asks_for_patience_is_given_it(
    followed: Commons, vic: ScriptedPeer, status: int
) -> None:
    asks = (("Retry-After", "3600"),)
    vic.inbox_answer = lambda _: Page(status=status, headers=asks)
    await makers.thread(followed.instance, followed.admin, followed.forum, "Late")
    await followed.settled()
    vic.inbox_answer = lambda _: Page(status=202)
    vic.requests.clear()
    followed.clock.turn(minutes=50)
    await makers.thread(followed.instance, followed.admin, followed.forum, "Later")
    await followed.settled()
    assert vic.delivered == []
    followed.clock.turn(minutes=12)
    await followed.settled()
    assert titles(vic) == ["Late", "Later"]


async def test_a_fault_of_ours_with_one_is_seen_and_keeps_nothing_from_the_others(
    followed: Commons, vic: ScriptedPeer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Express, "put", lambda *_: False)
    odd = await makers.thread(followed.instance, followed.admin, followed.forum, "Odd")
    sends = Courier.send

    async def fails(self: Courier, item: Item) -> Outcome:
        if item.subject == odd.uri:
            raise KeyError("what nobody thought of")
        return await sends(self, item)

    monkeypatch.setattr(Courier, "send", fails)
    for title in ("Even", "Round"):
        await makers.thread(followed.instance, followed.admin, followed.forum, title)
    await followed.settled()
    assert titles(vic) == ["Even", "Round"]
    async with followed.instance.reading() as session:
        page = await traffic.peer_page(session, vic.host, followed.clock.now())
    assert [one.error for one in page.parked] == [FAULT]
    crashes = followed.app.state.worker.crashes
    assert "what nobody thought of" in crashes.last["deliver"].error
    # It is tried again, and told once; as another process would fare no better, none is ended.
    told_of = crashes.last["deliver"]
    followed.clock.turn(minutes=1)
    await followed.settled()
    assert crashes.last["deliver"] is told_of
    assert (crashes.are_few, len(crashes._times)) == (True, 0)
    monkeypatch.setattr(Courier, "send", sends)
    followed.clock.turn(hours=7)
    await followed.settled()
    assert titles(vic) == ["Even", "Round", "Odd"]
