# SPDX-License-Identifier: Apache-2.0
"""What is known of a peer and of all of them, on both databases."""

import json
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import insert

from server import peers, traffic
from server.instance import Instance
from server.traffic import Show, pages
from server.traffic.pages import About, Said
from server.traffic.parked import WORDS, verb
from storage.inbox import InboxState
from storage.log import Form, Lane, LogRow
from storage.members import Member
from storage.peers import Peer
from tests import databases, makers
from tests.clock import TurnableClock
from tests.server.sender import FORUM, HOST, OTHER, Sender
from tests.statements import counted

database_url = databases.database_url


@pytest.fixture
def sender(instance: Instance) -> Sender:
    return Sender(instance)


async def test_what_waits_is_counted_once_and_its_oldest_is_known(
    sender: Sender, clock: TurnableClock
) -> None:
    lane = await sender.lane()
    elsewhere = await sender.lane(f"http://{OTHER}/inbox", OTHER)
    assert (await sender.page()).outstanding.number == 0
    began = clock.now()
    first = await sender.write(1)
    clock.turn(minutes=1)
    await sender.write(2)
    await sender.write(3, to=(lane,), form=Form.DIRECT)
    await sender.write(4, to=(elsewhere,), form=Form.DIRECT)
    clock.turn(hours=2)
    page = await sender.page()
    assert (page.outstanding.number, page.outstanding.more) == (3, False)
    assert (page.oldest, page.lag) == (began, timedelta(hours=2, minutes=1))
    await sender.move(lane, cursor=first)
    assert (await sender.page()).outstanding.number == 2
    assert (await sender.page()).lag == timedelta(hours=2)
    await sender.move(lane, cursor=first + 3)
    page = await sender.page()
    assert (page.outstanding.number, page.oldest, page.lag) == (0, None, None)


async def test_what_its_software_does_not_take_does_not_wait(
    sender: Sender, clock: TurnableClock
) -> None:
    lane = await sender.lane()
    for number, form in enumerate((Form.WRAPPED, Form.BOOST, Form.AUTHOR, Form.DEED)):
        clock.turn(minutes=1)
        await sender.write(number, form=form)
    await sender.write(8, to=(lane,), form=Form.AUTHOR)
    await sender.write(9, to=(lane,), form=Form.DIRECT)
    waits = {"guildhall": (2, 3), "mastodon": (4, 2), "discourse": (5, 2), "": (5, 3)}
    for software, (number, minutes) in waits.items():
        async with sender.instance.transaction() as tx:
            (await peers.seen(tx, HOST, f"http://{HOST}")).software = software
        page = await sender.page()
        assert (page.outstanding.number, page.lag) == (number, timedelta(minutes=minutes))


async def test_a_lane_that_left_still_waits_for_the_end_of_what_it_has(sender: Sender) -> None:
    lane = await sender.lane()
    about = f"{FORUM}/post"
    await sender.write(1, subject=about)
    await sender.leave(FORUM, lane)
    await sender.write(2)
    await sender.write(3, subject=about, follows=True)
    assert (await sender.page()).outstanding.number == 2
    # Followed again: the removal is covered by both subscriptions, and goes once.
    await sender.lane()
    await sender.write(4, subject=about, follows=True)
    assert (await sender.page()).outstanding.number == 3


async def test_counting_stops_at_a_bound_and_says_so(
    sender: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages, "MOST", 3)
    lane = await sender.lane()
    for number in range(3):
        await sender.write(number)
        await sender.receive(f"http://{HOST}/u/marek", number)
    page = await sender.page()
    assert [(c.number, c.more) for c in (page.outstanding, page.unapplied)] == [(3, False)] * 2
    await sender.write(3, to=(lane,), form=Form.DIRECT)
    await sender.receive(f"http://{HOST}/u/marek", 3)
    page = await sender.page()
    assert [(c.number, c.more) for c in (page.outstanding, page.unapplied)] == [(3, True)] * 2


async def test_what_was_received_is_counted_for_its_own_host_alone(sender: Sender) -> None:
    await sender.lane()
    for number, signer in enumerate(
        (
            f"http://{HOST}/u/marek",
            f"http://{HOST}/f/permits",
            f"http://{HOST}1/u/eve",
            f"http://{HOST}.evil.example/u/eve",
            f"http://{HOST}0",
            f"https://{HOST}/u/other-scheme",
            f"http://other.{HOST}/u/eve",
        )
    ):
        await sender.receive(signer, number)
    await sender.receive(f"http://{HOST}/u/marek", 99, InboxState.APPLIED)
    assert (await sender.page()).unapplied.number == 2


async def test_what_was_set_aside_is_told_in_words(
    sender: Sender, instance: Instance, admin: Member
) -> None:
    forum = await makers.forum(instance, admin)
    thread = await makers.thread(instance, admin, forum, "A quiet hour")
    reply = await makers.reply(instance, admin, thread)
    lane = await sender.lane()
    like = '{"type":"Like","object":"x"}'
    written = [
        (await sender.write(1, subject=reply.uri), "500 <b>Oops</b>\nsecond line"),
        (await sender.write(2, subject=thread.uri, body=None), "Waits behind."),
        (await sender.write(3, subject=thread.uri, body=like), "Waits behind."),
        (await sender.write(4, subject=forum.uri, form=Form.BOOST), "Waits behind."),
        (await sender.write(5, subject=admin.uri, body="[1"), "Waits behind."),
        (await sender.write(6, subject="http://gone.example/1", body='["x"]'), "Waits behind."),
    ]
    for seq, error in written:
        await sender.park(lane, seq, error)
    page = await sender.page()
    told = [
        (e.verb, e.subject and (e.subject.kind, e.subject.title, e.subject.post), e.behind)
        for e in page.parked
    ]
    assert told == [
        ("New", ("reply", "A quiet hour", reply.id), False),
        ("Erased", ("thread", "A quiet hour", thread.id), True),
        ("Endorsement", ("thread", "A quiet hour", thread.id), True),
        ("Pointer", ("forum", "Service counters", None), True),
        ("Message", ("profile", "Sam Hale", None), True),
        ("Message", None, True),
    ]
    assert page.parked[0].attempts == 2
    assert page.said == [Said(About.PARKED, "500 <b>Oops</b> second line")]
    assert page.line.parked == 6


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["type", "object", "id"]), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(st.text(max_size=40) | json_values.map(json.dumps))
def test_whatever_an_entry_holds_it_has_a_word(body: str) -> None:
    assert verb(LogRow(form=Form.DIRECT), body) in {"Message", *WORDS.values()}


async def test_the_last_errors_are_one_line_each_and_few(sender: Sender) -> None:
    for number in range(7):
        lane = await sender.lane(f"http://{HOST}/u/{number}/inbox")
        await sender.move(lane, last_refusal=f"403 No\x07 \u202e{number}", refused=2)
    async with sender.instance.transaction() as tx:
        (await tx.session.get_one(Peer, HOST)).last_error = "No answer\r\nin 10 s"
    page = await sender.page()
    assert page.said[0] == Said(About.UNREACHED, "No answer in 10 s")
    assert len(page.said) == pages.MOST_SAID
    assert page.said[1] == Said(About.REFUSED, "403 No 0")
    assert all(said.words.isprintable() for said in page.said)
    assert page.line.refused == 14


async def test_a_sender_that_counts_is_asked(sender: Sender) -> None:
    class Counting:
        def in_flight(self, host: str) -> int:
            return {HOST: 7}[host]

    await sender.lane()
    assert (await sender.page()).in_flight is None
    async with sender.instance.reading() as session:
        page = await traffic.peer_page(session, HOST, sender.instance.clock.now(), Counting())
    assert page.in_flight == 7


async def ten_thousand(instance: Instance) -> list[str]:
    """As many peers, each with a lane; every hundredth fails, every thousandth is paused."""
    now = instance.clock.now()
    hosts = [f"agency-{number:05}.example.gov" for number in range(10_000)]
    rows = [
        {
            "host": host,
            "origin": f"https://{host}",
            "first_seen": now,
            "failing_since": now if place % 100 == 0 else None,
            "paused": now if place % 1_000 == 0 else None,
        }
        for place, host in enumerate(hosts)
    ]
    lanes = [
        {
            "id": place + 1,
            "inbox": f"https://{host}/inbox",
            "peer": host,
            "delivered": place,
            "refused": 1,
            "created": now,
        }
        for place, host in enumerate(hosts)
    ]
    async with instance.transaction() as tx:
        await tx.session.execute(insert(Peer), rows)
        await tx.session.execute(insert(Lane), lanes)
    return hosts


async def test_ten_thousand_peers_are_listed_in_as_many_queries_as_one(
    instance: Instance,
) -> None:
    engine, now = instance.database._read.sync_engine, instance.clock.now()
    async with instance.transaction() as tx:
        await peers.seen(tx, "a.example", "https://a.example")
    async with instance.reading() as session:
        with counted(engine) as for_one:
            await traffic.peer_list(session, now)
            await traffic.every_line(session, now)
    hosts = ["a.example", *await ten_thousand(instance)]
    async with instance.reading() as session:
        with counted(engine) as for_all:
            first = await traffic.peer_list(session, now)
            every = await traffic.every_line(session, now)
        second = await traffic.peer_list(session, now, after=first.after or "")
        failing = await traffic.peer_list(session, now, show=Show.FAILING)
        paused = await traffic.peer_list(session, now, show=Show.PAUSED)
        found = await traffic.peer_list(session, now, find=" AGENCY-0777")
        none = await traffic.peer_list(session, now, find="%")
        odd = await traffic.peer_list(session, now, find="\0_", after="\0")
    assert len(for_all) == len(for_one)
    assert [line.peer.host for line in every] == hosts
    assert (every[4_001].delivered, every[4_001].refused) == (4_000, 1)
    assert [line.peer.host for line in first.lines + second.lines] == hosts[: 2 * traffic.PAGE]
    assert (first.failing, first.paused) == (100, 10)
    assert [line.peer.host for line in failing.lines] == hosts[1::100][: traffic.PAGE]
    assert [line.peer.host for line in paused.lines] == hosts[1::1_000]
    assert [line.peer.host for line in found.lines] == hosts[7_771:7_781]
    assert (none.lines, none.after, odd.lines) == ([], None, [])
