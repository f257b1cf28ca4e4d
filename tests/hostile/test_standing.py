# SPDX-License-Identifier: Apache-2.0
"""Servers that take nothing, and servers that have missed something."""

import asyncio
from datetime import timedelta

import pytest

from federation.delivery.express import Express
from federation.delivery.sending import Courier
from federation.errors import Forbidden
from federation.keyring import NoKey
from server import overview, traffic
from server.traffic import Line, Show
from storage import lanes
from tests import makers
from tests.hostile.commons import Commons
from tests.hostile.followed import followed, lane_of, told, until
from tests.hostile.peer import Page, ScriptedPeer
from web.cli.peers import _state

__all__ = ["followed"]


async def line_of(gh: Commons, host: str) -> Line:
    async with gh.instance.reading() as session:
        return await traffic.line_of(session, host, gh.clock.now())


async def shown(gh: Commons, show: Show) -> list[str]:
    """The hosts in this part of the list."""
    async with gh.instance.reading() as session:
        found = await traffic.peer_list(session, gh.clock.now(), show=show)
    return [line.peer.host for line in found.lines]


async def say(gh: Commons, title: str) -> None:
    await makers.thread(gh.instance, gh.admin, gh.forum, title)
    await gh.settled()


async def test_a_server_that_refuses_everything_is_not_well(
    followed: Commons, vic: ScriptedPeer
) -> None:
    vic.inbox_answer = lambda _: Page(b"Gone fishing", 410, "text/plain")
    for number in range(3):
        await say(followed, f"Number {number}")
    line = await line_of(followed, vic.host)
    assert _state(line) == "refuses everything: 410 Gone fishing"
    assert (line.refused, line.refusing, line.inboxes) == (3, 1, 1)
    assert await shown(followed, Show.REFUSING) == [vic.host]
    assert await shown(followed, Show.FAILING) == []
    async with followed.instance.reading() as session:
        page = await overview.page(session, followed.clock.now())
    assert (page.refusing_peers, page.failing_peers) == (1, 0)
    vic.inbox_answer = lambda _: Page(status=202)
    await say(followed, "Taken")
    assert _state(await line_of(followed, vic.host)) == "well"
    assert await shown(followed, Show.REFUSING) == []


async def test_what_refuses_some_of_what_it_is_sent_is_well_once_it_takes_more(
    followed: Commons, vic: ScriptedPeer
) -> None:
    for number in range(3):
        vic.inbox_answer = lambda _, status=(202, 400, 202)[number]: Page(status=status)  # type: ignore[misc]
        await say(followed, f"Number {number}")
    line = await line_of(followed, vic.host)
    assert (_state(line), line.refused, line.delivered) == ("well", 1, 3)


@pytest.mark.parametrize("error", [NoKey("no key"), Forbidden("This may not be asked.")])
async def test_what_we_cannot_send_is_no_word_of_the_peer(
    followed: Commons, vic: ScriptedPeer, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    async def knock(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(Express, "put", lambda *_: False)
    monkeypatch.setattr(Courier, "_knock", knock)
    await say(followed, "Never")
    line = await line_of(followed, vic.host)
    assert (_state(line), line.refused, line.refusing, line.last_refusal) == ("well", 1, 0, "")


async def test_a_fault_of_ours_loses_nothing_and_is_not_laid_on_the_peer(
    followed: Commons, vic: ScriptedPeer, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def knock(*_: object, **__: object) -> None:
        raise KeyError("a fault of ours")

    with monkeypatch.context() as patch:
        patch.setattr(Express, "put", lambda *_: False)
        patch.setattr(Courier, "_knock", knock)
        await say(followed, "Late")
    line = await line_of(followed, vic.host)
    assert (line.refused, line.refusing, line.parked) == (0, 0, 1)
    followed.clock.turn(hours=1)
    await followed.settled()
    assert told(vic) == [("Create", "Late")]


async def given_up(gh: Commons, vic: ScriptedPeer) -> None:
    """Something waited for a month; the server is back, and has not shown itself yet."""
    vic.inbox_answer = lambda _: Page(status=503)
    await say(gh, "Old")
    async with gh.instance.transaction() as tx:
        assert await lanes.give_up(tx.session, vic.host, tx.now + timedelta(days=1), tx.now)
    vic.inbox_answer = lambda _: Page(status=202)
    vic.requests.clear()
    assert (await line_of(gh, vic.host)).catch_up


async def compared(gh: Commons, vic: ScriptedPeer, handle: str, total: str = "") -> str:
    """Vic's server compares its copy of a forum that sums up to `total`; what ours sums up to."""
    path = f"/f/{handle}/digest"
    url = f"{gh.instance.settings.origin}{path}"
    headers = vic.sign(url, None, gh.clock.now(), method="GET")
    headers |= {"Accept": "application/activity+json", "If-None-Match": f'"{total}"'}
    answer = await gh.client.get(path, headers=headers)
    assert answer.status_code == (304 if answer.headers["etag"] == f'"{total}"' else 200)
    return answer.headers["etag"].strip('"')


async def test_one_has_caught_up_once_it_misses_nothing_of_what_it_follows(
    followed: Commons, vic: ScriptedPeer
) -> None:
    await followed.is_guildhall(vic.host)
    other = await makers.forum(followed.instance, followed.admin, "other")
    await given_up(followed, vic)
    ours = await compared(followed, vic, followed.forum.handle)
    assert (await lane_of(followed)).catch_up, "it has only asked"
    await compared(followed, vic, other.handle, await compared(followed, vic, other.handle))
    assert (await lane_of(followed)).catch_up, "it follows another forum"
    await compared(followed, vic, followed.forum.handle, ours)
    assert (await lane_of(followed)).catch_up is None


async def test_what_cannot_compare_has_lost_it_and_goes_on(
    followed: Commons, vic: ScriptedPeer
) -> None:
    await given_up(followed, vic)
    async with followed.instance.transaction() as tx:
        await traffic.retry_now(tx, None, vic.host)
    followed.clock.turn(minutes=1)
    await say(followed, "New")
    line = await line_of(followed, vic.host)
    assert (line.catch_up, bool(line.given_up), line.compares) == (None, True, False)
    assert len(vic.delivered) == 1


async def test_who_is_forgotten_starts_afresh(followed: Commons, vic: ScriptedPeer) -> None:
    await given_up(followed, vic)
    vic.inbox_answer = lambda _: Page(status=410)
    followed.clock.turn(hours=1)
    await say(followed, "Refused")
    assert (await line_of(followed, vic.host)).refusing
    async with followed.instance.transaction() as tx:
        await traffic.forget(tx, None, vic.host)
    line = await line_of(followed, vic.host)
    assert (line.given_up, line.catch_up, line.refusing, _state(line)) == (None, None, 0, "well")


async def test_whoever_looks_sees_to_what_is_being_sent(
    followed: Commons, vic: ScriptedPeer
) -> None:
    """How many deliveries that are only the process that sends knows."""
    assert (await line_of(followed, vic.host)).in_hand == 0
    vic.inbox_answer = lambda _: Page(status=202, seconds=1.0)
    await makers.thread(followed.instance, followed.admin, followed.forum, "On its way")
    await until(lambda: vic.delivered)
    line = await line_of(followed, vic.host)
    assert (line.in_hand, line.inboxes) == (1, 1)
    await until(lambda: followed.station.delivery.in_flight(vic.host) == 0)
    await followed.settled()
    for _ in range(100):
        line = await line_of(followed, vic.host)
        if not line.in_hand:
            break
        await asyncio.sleep(0.05)
    assert (line.in_hand, line.delivered) == (0, 2)
