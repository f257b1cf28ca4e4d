# SPDX-License-Identifier: Apache-2.0
"""Two processes and one lane, of which each may believe that it is theirs."""

from federation.claims import LEASE
from storage import lanes
from storage.log import Lane
from tests import makers
from tests.hostile.commons import Commons
from tests.hostile.followed import followed as followed
from tests.hostile.followed import lane_of, parked, told, until
from tests.hostile.peer import Asked, Page, ScriptedPeer

OTHER = "elsewhere/1/0"
HANGS_FOR = 2.0


async def waiting(gh: Commons, peer: ScriptedPeer, status: int) -> None:
    """Three entries of one thread are on their way to a peer, the first of them under way.

    It is answered with this status after HANGS_FOR seconds, the others at once.
    """
    peer.inbox_answer = lambda _: Page(status=503)
    post = await makers.thread(gh.instance, gh.admin, gh.forum, "Permits")
    for _ in range(2):
        await makers.reply(gh.instance, gh.admin, post)
    await gh.settled()
    peer.requests.clear()

    def slowly(_: Asked) -> Page:
        is_first = len(peer.requests) == 1
        return Page(status=status, seconds=HANGS_FOR) if is_first else Page(status=202)

    peer.inbox_answer = slowly
    gh.clock.turn(hours=7)
    gh.instance.wake()
    await until(lambda: peer.requests)


async def claimed_by_other(gh: Commons) -> bool:
    lane = await lane_of(gh)
    async with gh.instance.transaction() as tx:
        return bool(await lanes.claim(tx.session, [lane.id], OTHER, tx.now, tx.now + LEASE))


async def ended(gh: Commons) -> None:
    """Wait until this process does nothing for the lane any more."""
    delivery = gh.station.delivery
    await until(lambda: not (delivery._running or delivery._express.lanes))


async def test_a_process_that_stood_still_stops_and_leaves_its_lane_to_the_other(
    followed: Commons, vic: ScriptedPeer
) -> None:
    await waiting(followed, vic, 202)
    before = await lane_of(followed)
    # As after SIGSTOP, or in a virtual machine that was suspended.
    followed.clock.turn(minutes=1)
    assert await claimed_by_other(followed)
    await followed.station.delivery.renew()
    await ended(followed)
    assert told(vic) == [("Create", "Permits")]
    after = await lane_of(followed)
    assert (after.owner, after.lease_until) == (OTHER, followed.clock.now() + LEASE)
    # What it has sent the other sends again, and the receiver knows it.
    assert (after.cursor, after.delivered) == (before.cursor, before.delivered)


async def test_nothing_is_set_aside_by_who_has_lost_the_lane(
    followed: Commons, vic: ScriptedPeer
) -> None:
    await waiting(followed, vic, 403)
    followed.clock.turn(minutes=1)
    assert await claimed_by_other(followed)
    await followed.station.delivery.renew()
    await ended(followed)
    assert (await parked(followed), len(vic.delivered)) == (0, 1)
    assert (await lane_of(followed)).owner == OTHER


async def test_a_turn_longer_than_a_lease_keeps_its_lane_by_renewing(
    followed: Commons, vic: ScriptedPeer
) -> None:
    await waiting(followed, vic, 202)
    for _ in range(4):
        followed.clock.turn(minutes=1 / 3)
        await followed.station.delivery.renew()
        assert not await claimed_by_other(followed)
    assert len(vic.delivered) == 1
    await followed.settled()
    assert len(told(vic)) == 3


async def test_lanes_that_are_still_ours_run_out_each_by_its_own_claim(
    followed: Commons, vic: ScriptedPeer
) -> None:
    """A new claim is no lease for what was claimed before."""
    await waiting(followed, vic, 202)
    leases, lane = followed.station.delivery._office.leases, await lane_of(followed)
    followed.clock.turn(minutes=1)
    other = {"inbox": f"{vic.origin}/other", "peer": vic.host, "last_refusal": ""}
    async with followed.instance.transaction() as tx:
        tx.session.add(Lane(id=lane.id + 1, created=tx.now, **other))
    assert [work.lane for work in await leases.claim([lane.id + 1])] == [lane.id + 1]
    assert [leases.holds(number) for number in (lane.id, lane.id + 1)] == [False, True]
    await ended(followed)
    assert len(vic.delivered) == 1
    # Nobody else has claimed it: it goes on where it was.
    await followed.settled()
    assert len(vic.delivered) == 3
