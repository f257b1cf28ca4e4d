# SPDX-License-Identifier: Apache-2.0
"""Delivering to servers that fail, refuse, or are no longer welcome."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import select

from federation.delivery.turns import FEWEST_TRIES
from server import traffic
from server.peers import remove_rule, rules
from server.posts import editing
from server.posts.drafts import EditDraft
from storage import lanes, log
from storage.audit import AuditEntry
from storage.forums import Visibility
from storage.log import Lane
from storage.peers import Peer
from storage.posts import Post
from tests import makers
from tests.hostile.commons import Commons, doing
from tests.hostile.copy import copied
from tests.hostile.followed import followed as followed
from tests.hostile.followed import lane_of, parked, refusing, told
from tests.hostile.followed import waiting as waiting
from tests.hostile.peer import Page, ScriptedPeer, mallory, vera


async def edited(gh: Commons, post: Post, title: str) -> None:
    gh.clock.turn(minutes=1)
    async with gh.instance.transaction() as tx:
        await editing.edit(tx, gh.admin, post, EditDraft(title, f"About {title}."))
    await gh.settled()


@pytest.mark.parametrize("status", [500, 503, 429])
async def test_a_server_that_is_down_gets_everything_in_order_later(
    followed: Commons, vic: ScriptedPeer, status: int
) -> None:
    vic.inbox_answer = lambda _: Page(status=status)
    first = await makers.thread(followed.instance, followed.admin, followed.forum, "First")
    said = [await makers.reply(followed.instance, followed.admin, first) for _ in range(4)]
    # Told before it is changed: what is told later is told as it then is.
    await followed.settled()
    await edited(followed, first, "Newer")
    async with followed.instance.reading() as session:
        peer = await session.get_one(Peer, vic.host)
        assert peer.failures >= 1
    assert await parked(followed) == 0
    vic.inbox_answer = lambda _: Page(status=202)
    vic.requests.clear()
    followed.clock.turn(hours=7)
    await followed.settled()
    created = [("Create", reply.uri) for reply in said]
    assert told(vic) == [("Create", "First"), *created, ("Update", "Newer")]


async def test_a_sign_of_life_wakes_the_lane_at_once(waiting: Commons, vic: ScriptedPeer) -> None:
    await waiting.deliver(vic, doing("View", mallory(vic), waiting.thread.uri))
    await waiting.settled()
    assert told(vic) == [("Create", "Late")]


async def at_rest(commons: Commons, host: str, failures: int) -> Peer:
    """The peer, once it is not to be tried any more."""
    for _ in range(500):
        commons.instance.wake()
        await commons.settled()
        async with commons.instance.reading() as session:
            peer = await session.get_one(Peer, host)
        if (peer.next_try, peer.failures) == (None, failures):
            return peer
        await asyncio.sleep(0.02)
    raise AssertionError((peer.next_try, peer.failures))


async def test_a_peer_for_whom_nothing_waits_is_tried_no_more(
    followed: Commons, vic: ScriptedPeer
) -> None:
    """Were it still to be tried, each of its requests would be a commit and a search."""
    async with followed.instance.transaction() as tx:
        await traffic.retry_now(tx, None, vic.host)
    followed.clock.turn(minutes=1)
    await at_rest(followed, vic.host, failures=0)
    vic.inbox_answer = lambda _: Page(status=503)
    await makers.thread(followed.instance, followed.admin, followed.forum, "Late")
    await followed.settled()
    async with followed.instance.transaction() as tx:
        later = tx.now + timedelta(days=1)
        assert await lanes.give_up(tx.session, vic.host, later, tx.now)
    followed.clock.turn(hours=7)
    given_up = await at_rest(followed, vic.host, failures=1)
    assert given_up.failing_since is not None
    await followed.deliver(vic, doing("View", mallory(vic), followed.thread.uri))
    heard = await at_rest(followed, vic.host, failures=0)
    assert (heard.failing_since, heard.last_error) == (None, "")


@pytest.mark.parametrize("status", [401, 403, 408, 301])
async def test_what_fails_by_itself_holds_back_its_own_thread_only(
    followed: Commons, vic: ScriptedPeer, status: int
) -> None:
    vic.inbox_answer = refusing("Odd", status)
    odd = await makers.thread(followed.instance, followed.admin, followed.forum, "Odd")
    await followed.settled()
    await makers.thread(followed.instance, followed.admin, followed.forum, "Even")
    await followed.settled()
    await edited(followed, odd, "Strange")
    assert await parked(followed) >= 2
    woken = []
    followed.instance.on_wake(lambda: woken.append(1))
    await asyncio.sleep(0.3)
    # What waits behind another is due by its own time; that must not keep the lane running.
    assert len(woken) < 5
    taken = [name for name in told(vic) if name[1] != "Odd"]
    assert taken == [("Create", "Even")]
    vic.inbox_answer = lambda _: Page(status=202)
    vic.requests.clear()
    for _ in range(2):
        followed.clock.turn(hours=7)
        await followed.settled()
    assert told(vic) == [("Create", "Odd"), ("Update", "Strange")]
    assert await parked(followed) == 0


@pytest.mark.parametrize("status", [400, 404, 410, 422])
async def test_a_final_refusal_is_counted_and_passed_over(
    followed: Commons, vic: ScriptedPeer, status: int
) -> None:
    vic.inbox_answer = refusing("Odd", status)
    for title in ("Odd", "Even"):
        await makers.thread(followed.instance, followed.admin, followed.forum, title)
    await followed.settled()
    assert ("Create", "Even") in told(vic)
    async with followed.instance.reading() as session:
        lanes = (await session.execute(select(Lane))).scalars().all()
    assert [(lane.refused, lane.last_refusal[:3]) for lane in lanes] == [(1, str(status))]
    vic.requests.clear()
    followed.clock.turn(hours=7)
    await followed.settled()
    assert told(vic) == []


async def test_the_newer_signature_is_tried_where_the_older_is_not_understood(
    followed: Commons, vic: ScriptedPeer
) -> None:
    vic.inbox_answer = lambda asked: Page(status=202 if "signature-input" in asked.headers else 401)
    for title in ("One", "Two"):
        await makers.thread(followed.instance, followed.admin, followed.forum, title)
        await followed.settled()
    schemes = ["signature-input" in asked.headers for asked in vic.requests]
    assert schemes == [False, True, True]


async def test_a_rule_taken_back_stops_deliveries_at_the_moment_of_sending(
    followed: Commons, vic: ScriptedPeer
) -> None:
    vic.inbox_answer = lambda _: Page(status=503)
    await makers.thread(followed.instance, followed.admin, followed.forum, "Late")
    await followed.settled()
    async with followed.instance.transaction() as tx:
        for rule in await rules(tx.session):
            if rule.pattern == vic.host:
                await remove_rule(tx, followed.admin, rule.id)
    vic.inbox_answer = lambda _: Page(status=202)
    vic.requests.clear()
    followed.clock.turn(hours=7)
    await followed.settled()
    assert vic.requests == []


@pytest.mark.parametrize("now", [Visibility.AGENCIES, Visibility.INSTANCE, Visibility.MEMBERS])
async def test_a_forum_closed_while_a_delivery_waits_tells_nothing(
    followed: Commons, vic: ScriptedPeer, now: Visibility
) -> None:
    vic.inbox_answer = lambda _: Page(status=503)
    late = await makers.thread(followed.instance, followed.admin, followed.forum, "Late")
    await makers.reply(followed.instance, followed.admin, late)
    await followed.settled()
    # It was tried, and waits for the peer to be back.
    assert vic.requests
    await followed.narrow(now)
    vic.inbox_answer = lambda _: Page(status=202)
    vic.requests.clear()
    # A sign of life has the lane run at once; its own time has it run again.
    await followed.deliver(vic, doing("View", mallory(vic), followed.thread.uri))
    await followed.settled()
    for _ in range(2):
        followed.clock.turn(hours=7)
        await followed.settled()
    assert vic.delivered == []
    lane = await lane_of(followed)
    async with followed.instance.reading() as session:
        assert lane.cursor == await log.last_seq(session)


async def test_what_a_member_says_to_a_home_off_the_list_waits_until_it_is_back(
    gh: Commons, vic: ScriptedPeer
) -> None:
    forum = await copied(gh, vic)
    vic.requests.clear()
    async with gh.instance.transaction() as tx:
        [rule] = [one for one in await rules(tx.session) if one.pattern == vic.host]
        await remove_rule(tx, gh.admin, rule.id)
    await makers.thread(gh.instance, gh.admin, forum, "Meanwhile")
    await gh.settled()
    assert vic.delivered == []
    assert await parked(gh) == 1
    await gh.allow(vic.host)
    gh.clock.turn(hours=7)
    await gh.settled()
    assert [one["type"] for one in vic.delivered] == ["Create"]
    assert await parked(gh) == 0


async def test_what_waited_a_month_is_given_up_and_said(
    followed: Commons, vic: ScriptedPeer
) -> None:
    vic.inbox_answer = lambda _: Page(status=503)
    await makers.thread(followed.instance, followed.admin, followed.forum, "Old")
    await followed.settled()
    followed.clock.turn(days=29)
    await makers.thread(followed.instance, followed.admin, followed.forum, "Newer")
    await followed.settled()
    assert (await lane_of(followed)).catch_up is None
    followed.clock.turn(days=2)
    await followed.settled()
    lane = await lane_of(followed)
    assert lane.catch_up == followed.clock.now()
    async with followed.instance.reading() as session:
        assert lane.cursor == await log.last_seq(session)
        said = (await session.execute(select(AuditEntry.verb))).scalars().all()
    assert said.count("peer.given_up") == 1
    # It is still told what happens from now on.
    vic.inbox_answer = lambda _: Page(status=202)
    vic.requests.clear()
    followed.clock.turn(hours=7)
    await makers.thread(followed.instance, followed.admin, followed.forum, "Newest")
    await followed.settled()
    assert told(vic) == [("Create", "Newest")]


async def test_who_was_away_for_a_month_may_fail_a_few_times_before_a_letter_is_given_up(
    gh: Commons, vic: ScriptedPeer
) -> None:
    forum = await copied(gh, vic)
    vic.inbox_answer = lambda _: Page(status=401)
    await makers.thread(gh.instance, gh.admin, forum, "Meanwhile")
    for _ in range(FEWEST_TRIES):
        await gh.settled()
        gh.clock.turn(hours=7)
    # Nothing could be tried in these days.
    gh.clock.turn(days=31)
    for left in range(FEWEST_TRIES, 0, -1):
        await gh.settled()
        assert await parked(gh) == 1, left
        gh.clock.turn(hours=7)
    await gh.settled()
    assert await parked(gh) == 0
    async with gh.instance.reading() as session:
        said = (await session.execute(select(AuditEntry.verb))).scalars().all()
    assert said.count("peer.given_up") == 1


async def test_a_slow_server_is_sent_several_at_once_and_never_too_many(
    followed: Commons, vic: ScriptedPeer
) -> None:
    vic.inbox_answer = lambda _: Page(status=503)
    titles = [f"Thread {number}" for number in range(40)]
    for title in titles:
        await makers.thread(followed.instance, followed.admin, followed.forum, title)
        followed.clock.turn(minutes=1)
    await followed.settled()
    vic.inbox_answer = lambda _: Page(status=202, seconds=0.1)
    vic.requests.clear()
    followed.clock.turn(hours=7)
    followed.instance.wake()
    most = 0
    while len(vic.delivered) < len(titles):
        most = max(most, followed.station.delivery.in_flight(vic.host))
        await asyncio.sleep(0.01)
    await followed.settled()
    assert sorted(title for _, title in told(vic)) == sorted(titles)
    assert 2 <= most <= 16


async def test_a_forum_for_agencies_rejects_who_is_no_guildhall(
    gh: Commons, vic: ScriptedPeer, evil: ScriptedPeer
) -> None:
    closed = await makers.forum(gh.instance, gh.admin, "closed", visibility="agencies")
    await gh.is_guildhall(evil.host)
    for peer in (vic, evil):
        await gh.sent(peer, doing("Follow", vera(peer), closed.uri))
    await makers.thread(gh.instance, gh.admin, closed, "Among us")
    await gh.settled()
    assert [one["type"] for one in vic.delivered] == ["Reject"]
    assert vic.delivered[0]["summary"] == "This forum is shared with listed agencies only."
    assert [one["type"] for one in evil.delivered] == ["Accept", "Announce"]
    assert "as:Public" not in str(evil.delivered)
    assert "activitystreams#Public" not in str(evil.delivered)
