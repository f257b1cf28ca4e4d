# SPDX-License-Identifier: Apache-2.0
"""What an admin does about a peer, on both databases."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest
from sqlalchemy import select

from server import peers, traffic
from server.errors import Invalid, NotAllowed, NotFound
from server.instance import Instance
from server.transaction import Transaction
from storage.audit import AuditEntry
from storage.log import Lane
from storage.members import Member
from storage.peers import Peer
from tests import databases, makers
from tests.clock import TurnableClock
from tests.server.sender import HOST, OTHER, Sender

database_url = databases.database_url

Deed = Callable[[Transaction, Member | None, str], Awaitable[Peer]]


@pytest.fixture
def sender(instance: Instance) -> Sender:
    return Sender(instance)


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
