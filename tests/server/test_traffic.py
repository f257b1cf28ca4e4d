# SPDX-License-Identifier: Apache-2.0
"""What is known of a peer, and what an admin does about it, on both databases."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import insert, select

from server import peers, traffic
from server.errors import Invalid, NotAllowed, NotFound
from server.instance import Instance
from server.traffic import PeerPage, Show, pages
from server.transaction import Transaction
from storage import log
from storage.audit import AuditEntry
from storage.inbox import InboxRow, InboxState
from storage.log import ActivityBody, Entry, Form, Lane, Parked
from storage.members import Member
from storage.peers import Peer
from tests import databases, makers
from tests.clock import TurnableClock
from tests.server.town import counted

database_url = databases.database_url

HOST = makers.LAKESIDE
FORUM = "http://riverton.localhost:8000/f/counters"
OTHER = "harbor.example.gov"


@dataclass
class Sender:
    """Riverton's log, and the lanes it is sent over."""

    instance: Instance

    async def lane(self, inbox: str = f"http://{HOST}/inbox", host: str = HOST) -> int:
        """A lane that follows the forum from now on."""
        async with self.instance.transaction() as tx:
            await peers.seen(tx, host, f"http://{host}")
            lane = await log.lane_to(tx.session, inbox, host, tx.ids.next(), tx.now)
            await log.subscribe(tx.session, FORUM, lane, tx.ids.next())
            return lane.id

    async def write(
        self,
        number: int,
        *,
        to: tuple[int, ...] = (),
        form: Form = Form.WRAPPED,
        body: str | None = '{"type":"Announce","object":{"type":"Create"}}',
        subject: str = "",
        follows: bool = False,
    ) -> int:
        """One row of the log; `to` names the lanes of a direct one."""
        async with self.instance.transaction() as tx:
            about = subject or f"{FORUM}/{number}"
            row = ActivityBody(id=tx.ids.next(), body=body, subject=about)
            tx.session.add(row)
            await tx.session.flush()
            entry = Entry(
                form=form,
                activity_id=f"{FORUM}#a-{number}",
                signer=FORUM,
                order_key=about,
                audience=FORUM,
                subject=about,
                follows_subject=follows,
            )
            seq = await log.append(tx.session, entry, row.id, tx.now, to)
            assert seq is not None
            return seq

    async def park(self, lane: int, seq: int, error: str, key: str = "thread") -> None:
        async with self.instance.transaction() as tx:
            tx.session.add(
                Parked(
                    lane_id=lane,
                    seq=seq,
                    order_key=key,
                    attempts=2,
                    next_try=tx.now + timedelta(hours=1),
                    error=error,
                )
            )

    async def leave(self, audience: str, lane: int) -> None:
        async with self.instance.transaction() as tx:
            row = await tx.session.get_one(Lane, lane)
            await log.unsubscribe(tx.session, audience, row)

    async def move(self, lane: int, **values: Any) -> None:
        async with self.instance.transaction() as tx:
            row = await tx.session.get_one(Lane, lane)
            for name, value in values.items():
                setattr(row, name, value)

    async def page(self, host: str = HOST) -> PeerPage:
        async with self.instance.reading() as session:
            return await traffic.peer_page(session, host, self.instance.clock.now())

    async def receive(self, signer: str, number: int, state: str = InboxState.WAITING) -> None:
        async with self.instance.transaction() as tx:
            tx.session.add(
                InboxRow(
                    id=tx.ids.next(),
                    signer=signer,
                    activity_id=f"{signer}#like-{number}",
                    kind="Like",
                    key_id=f"{signer}#main-key",
                    request_digest="",
                    body="{}",
                    received=tx.now,
                    state=state,
                    next_try=tx.now,
                )
            )


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
    assert page.said == ["500 <b>Oops</b> second line"]
    assert page.line.parked == 6


async def test_the_last_errors_are_one_line_each_and_few(sender: Sender) -> None:
    for number in range(7):
        lane = await sender.lane(f"http://{HOST}/u/{number}/inbox")
        await sender.move(lane, last_refusal=f"403 No\x00 \u202e{number}", refused=2)
    async with sender.instance.transaction() as tx:
        (await tx.session.get_one(Peer, HOST)).last_error = "No answer\r\nin 10 s"
    page = await sender.page()
    assert page.said[0] == "No answer in 10 s"
    assert len(page.said) == pages.MOST_SAID
    assert page.said[1].endswith("0")
    assert all(said.isprintable() for said in page.said)
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


Deed = Callable[[Transaction, Member | None, str], Awaitable[Peer]]


async def do(instance: Instance, deed: Deed, by: Member | None = None, host: str = HOST) -> Peer:
    async with instance.transaction() as tx:
        return await deed(tx, by, host)


async def record(instance: Instance) -> list[tuple[str, str, str]]:
    async with instance.reading() as session:
        question = (
            select(AuditEntry.verb, AuditEntry.subject, AuditEntry.actor)
            .where(AuditEntry.verb.startswith("peer."))
            .order_by(AuditEntry.id)
        )
        return [(row[0], row[1], row[2]) for row in (await session.execute(question)).all()]


async def test_retrying_makes_everything_due_now(
    sender: Sender, clock: TurnableClock, admin: Member
) -> None:
    lane = await sender.lane()
    await sender.park(lane, await sender.write(1), "500")
    async with sender.instance.transaction() as tx:
        peer = await tx.session.get_one(Peer, HOST)
        peer.failures, peer.next_try = 4, tx.now + timedelta(hours=6)
    now = clock.turn(minutes=1)
    assert (await do(sender.instance, traffic.retry_now, admin, HOST.upper())).next_try == now
    page = await sender.page()
    assert (page.parked[0].next_try, page.peer.failures) == (now, 4)
    assert await record(sender.instance) == [("peer.retried", HOST, admin.uri)]


async def test_pausing_holds_and_resuming_begins_at_once(
    sender: Sender, clock: TurnableClock, admin: Member
) -> None:
    lane = await sender.lane()
    await sender.park(lane, await sender.write(1), "500")
    since = clock.now()
    await do(sender.instance, traffic.pause, admin)
    clock.turn(hours=1)
    assert (await do(sender.instance, traffic.pause)).paused == since
    with pytest.raises(Invalid, match="paused: resume it first"):
        await do(sender.instance, traffic.retry_now, admin)
    assert (await do(sender.instance, traffic.resume)).paused is None
    assert (await sender.page()).parked[0].next_try == clock.now()
    await do(sender.instance, traffic.resume)
    assert await record(sender.instance) == [
        ("peer.paused", HOST, admin.uri),
        ("peer.resumed", HOST, "command line"),
    ]


async def test_forgetting_drops_what_waits_for_this_peer_alone(
    sender: Sender, admin: Member
) -> None:
    lane, second = await sender.lane(), await sender.lane(f"http://{HOST}/u/x/inbox")
    other = await sender.lane(f"http://{OTHER}/inbox", OTHER)
    seq = await sender.write(1)
    last = await sender.write(2)
    await sender.park(lane, seq, "500")
    await sender.park(other, seq, "500")
    async with sender.instance.transaction() as tx:
        peer = await tx.session.get_one(Peer, HOST)
        peer.failures, peer.failing_since, peer.next_try = 4, tx.now, tx.now
        peer.last_error, peer.paused = "500", tx.now
    await do(sender.instance, traffic.forget, admin)
    page = await sender.page()
    assert (page.outstanding.number, page.line.parked, page.parked) == (0, 0, [])
    assert (page.peer.failures, page.peer.failing_since, page.peer.next_try) == (0, None, None)
    assert page.said == []
    assert page.peer.paused is not None
    async with sender.instance.reading() as session:
        cursors = {row.id: row.cursor for row in (await session.execute(select(Lane))).scalars()}
    assert cursors == {lane: last, second: last, other: 0}
    assert (await sender.page(OTHER)).outstanding.number == 2
    assert (await sender.page(OTHER)).line.parked == 1
    await sender.write(3)
    assert (await sender.page()).outstanding.number == 2
    assert await record(sender.instance) == [("peer.forgotten", HOST, admin.uri)]


@pytest.mark.parametrize("deed", [traffic.retry_now, traffic.pause, traffic.resume, traffic.forget])
async def test_only_administrators_act_and_on_peers_there_are(
    instance: Instance, admin: Member, deed: Deed
) -> None:
    ana = await makers.member(instance)
    async with instance.transaction() as tx:
        await peers.seen(tx, HOST, f"http://{HOST}")
    with pytest.raises(NotAllowed):
        await do(instance, deed, ana)
    with pytest.raises(NotFound):
        await do(instance, deed, admin, "nobody.example")
    assert await record(instance) == []


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
    engine = instance.database._read.sync_engine
    async with instance.transaction() as tx:
        await peers.seen(tx, "a.example", "https://a.example")
    async with instance.reading() as session:
        with counted(engine) as for_one:
            await traffic.peer_list(session)
            await traffic.every_line(session)
    hosts = ["a.example", *await ten_thousand(instance)]
    async with instance.reading() as session:
        with counted(engine) as for_all:
            first = await traffic.peer_list(session)
            every = await traffic.every_line(session)
        second = await traffic.peer_list(session, after=first.after or "")
        failing = await traffic.peer_list(session, show=Show.FAILING)
        paused = await traffic.peer_list(session, show=Show.PAUSED)
        found = await traffic.peer_list(session, find=" AGENCY-0777")
        none = await traffic.peer_list(session, find="%")
        odd = await traffic.peer_list(session, find="\0_", after="\0")
    assert len(for_all) == len(for_one)
    assert [line.peer.host for line in every] == hosts
    assert (every[4_001].delivered, every[4_001].refused) == (4_000, 1)
    assert [line.peer.host for line in first.lines + second.lines] == hosts[: 2 * traffic.PAGE]
    assert (first.failing, first.paused) == (100, 10)
    assert [line.peer.host for line in failing.lines] == hosts[1::100][: traffic.PAGE]
    assert [line.peer.host for line in paused.lines] == hosts[1::1_000]
    assert [line.peer.host for line in found.lines] == hosts[7_771:7_781]
    assert (none.lines, none.after, odd.lines) == ([], None, [])
