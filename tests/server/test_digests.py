# SPDX-License-Identifier: Apache-2.0
"""Every deed changes what the day of its post sums up to, at once."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest
from sqlalchemy import update

from federation.digests.serving import buckets
from server import digests, endorsements
from server.digests import Bucket, Reason, sum_of
from server.errors import NotFound
from server.forums import comparing, follows
from server.forums.comparing import Outcome
from server.instance import Instance
from server.peers import seen
from server.posts import editing, receipts, restoring, steering
from server.posts.drafts import EditDraft
from server.transaction import Transaction
from storage import digests as storage
from storage.digests import KnownDifference
from storage.forums import CopyState, Forum
from storage.members import Member
from storage.posts import Post, PostState, Withheld
from tests import databases, makers
from tests.clock import TurnableClock
from tests.server.town import Town, row, settle

database_url = databases.database_url


@pytest.fixture
async def town(instance: Instance) -> Town:
    """Riverton with its forum."""
    return await settle(instance)


async def day(town: Town, forum: Forum | None = None) -> list[Bucket]:
    return await buckets(town.instance, forum or town.forum)


async def test_every_deed_changes_the_sum_and_taking_it_back_restores_it(town: Town) -> None:
    assert await day(town) == []
    post = await makers.thread(town.instance, town.ana, town.forum)
    [first] = await day(town)
    assert (first.day, first.posts) == ("2026-11-23", 1)

    async def done(deed: Callable[[Transaction], Awaitable[object]]) -> Bucket:
        async with town.instance.transaction() as tx:
            await deed(tx)
        [now] = await day(town)
        return now

    for there, back in (
        (
            lambda tx: endorsements.endorse(tx, town.dee, post),
            lambda tx: endorsements.withdraw(tx, town.dee, post),
        ),
        (
            lambda tx: steering.lock(tx, town.sam, post, locked=True),
            lambda tx: steering.lock(tx, town.sam, post, locked=False),
        ),
        (
            lambda tx: steering.pin(tx, town.sam, post, pinned=True),
            lambda tx: steering.pin(tx, town.sam, post, pinned=False),
        ),
    ):
        assert (await done(there)).sha256 != first.sha256
        assert await done(back) == first
    assert isinstance(town.instance.clock, TurnableClock)
    town.instance.clock.turn(minutes=1)
    edited = await done(lambda tx: editing.edit(tx, town.ana, post, EditDraft("New", "Words")))
    assert edited.sha256 != first.sha256
    assert (await done(lambda tx: editing.remove(tx, town.ana, post))).sha256 != edited.sha256
    town.instance.clock.turn(days=1)
    await makers.thread(town.instance, town.ana, town.forum)
    assert [bucket.day for bucket in await day(town)] == ["2026-11-24", "2026-11-23"]


async def test_what_the_home_has_not_taken_yet_is_in_no_line(town: Town) -> None:
    permits = await makers.forum_elsewhere(town.instance)
    await makers.follow(town.instance, town.ana, permits)
    marek = await makers.person_elsewhere(town.instance)
    opener = await makers.thread(town.instance, marek, permits)
    [before] = await day(town, permits)
    answer = await makers.reply(town.instance, town.ana, opener)
    async with town.instance.transaction() as tx:
        await endorsements.endorse(tx, town.ana, opener)
    assert await day(town, permits) == [before]
    async with town.instance.transaction() as tx:
        await receipts.confirm(tx, answer)
    [confirmed] = await day(town, permits)
    assert confirmed.posts == 2
    async with town.instance.transaction() as tx:
        await receipts.confirm_endorsement(tx, opener, town.ana.id)
    [after] = await day(town, permits)
    assert after.sha256 != confirmed.sha256


async def test_a_known_difference_counts_as_held_while_both_lines_stay(town: Town) -> None:
    permits = await makers.forum_elsewhere(town.instance)
    await makers.follow(town.instance, town.ana, permits)
    marek = await makers.person_elsewhere(town.instance)
    opener = await makers.thread(town.instance, marek, permits)
    [before] = await day(town, permits)
    other_day = f"{opener.uri}\t\tlive,pinned\t"
    missing = "http://third.localhost/p/1\t\tlive\t"

    async def differs(line: str, ours: str, on: str, reason: Reason) -> None:
        uri = line.partition("\t")[0]
        async with town.instance.transaction() as tx:
            known = KnownDifference(uri=uri, day=on, theirs=line, ours=ours, reason=reason, note="")
            await digests.differ(tx, permits, known)

    await differs(missing, "", "2026-11-23", Reason.POLICY)
    await differs(other_day, f"{opener.uri}\t\tlive\t", "2026-11-22", Reason.CONTENTS)
    expected = [sum_of("2026-11-23", [missing]), sum_of("2026-11-22", [other_day])]
    assert await day(town, permits) == expected
    async with town.instance.transaction() as tx:
        await steering.apply_lock(tx, None, await tx.session.get_one(Post, opener.id), locked=True)
    locked = sum_of("2026-11-22", [f"{opener.uri}\t\tlive,locked\t"])
    assert await day(town, permits) == [expected[0], locked]
    async with town.instance.transaction() as tx:
        await steering.apply_lock(tx, None, await tx.session.get_one(Post, opener.id), locked=False)
    assert await day(town, permits) == expected
    async with town.instance.transaction() as tx:
        days = await storage.forget_differences(tx.session, permits.id, [Reason.POLICY])
        await storage.mark(tx.session, permits.id, days)
        await digests.agree(tx, permits, opener.uri)
    assert await day(town, permits) == [before]


async def _forum(town: Town, forum: Forum) -> Forum:
    return await row(town.instance, Forum, forum.id)


async def _ended(town: Town, forum: Forum, outcome: Outcome) -> Forum:
    held = await _forum(town, forum)
    async with town.instance.transaction() as tx:
        await comparing.ended(tx, forum.id, held.compare_next, "rules", outcome)
    return await _forum(town, forum)


async def _due(town: Town, rules: str = "rules") -> list[str]:
    async with town.instance.reading() as session:
        now = town.instance.clock.now()
        return [forum.uri for forum in await comparing.due(session, now, rules, 10)]


async def _copy(town: Town) -> Forum:
    permits = await makers.forum_elsewhere(town.instance)
    async with town.instance.transaction() as tx:
        peer = await seen(tx, makers.LAKESIDE, f"http://{makers.LAKESIDE}")
        peer.software = "guildhall"
    await makers.follow(town.instance, town.ana, permits)
    return permits


async def test_a_copy_is_compared_when_it_is_followed_and_then_every_hour(town: Town) -> None:
    clock = town.instance.clock
    assert isinstance(clock, TurnableClock)
    permits = await _copy(town)
    assert await _due(town) == [permits.uri]
    held = await _ended(town, permits, Outcome(through=True))
    assert (held.copy_state, held.compared) == (CopyState.CURRENT, clock.now())
    assert held.compare_next is not None
    wait = held.compare_next - clock.now()
    assert timedelta(minutes=45) <= wait <= timedelta(minutes=75)
    assert await _due(town) == []
    clock.turn(minutes=76)
    assert await _due(town) == [permits.uri]
    await _ended(town, permits, Outcome(through=True))
    async with town.instance.transaction() as tx:
        await follows.leave(tx, town.ana, permits)
    assert await _due(town) == []
    await makers.follow(town.instance, town.ana, permits)
    assert await _due(town) == [permits.uri]
    async with town.instance.reading() as session:
        busy = [makers.LAKESIDE]
        assert await comparing.due(session, clock.now(), "rules", 10, busy) == []


async def test_one_that_failed_is_tried_again_later_and_at_a_sign_of_life(town: Town) -> None:
    clock = town.instance.clock
    assert isinstance(clock, TurnableClock)
    permits = await _copy(town)
    waits = []
    for _ in range(3):
        held = await _ended(town, permits, Outcome("Their site did not answer."))
        assert held.compare_next is not None
        waits.append((held.compare_next - clock.now()).total_seconds())
    assert waits[0] < waits[1] < waits[2] < 60
    assert (held.copy_state, held.compare_tries) == (CopyState.FILLING, 3)
    assert await _due(town) == []
    clock.turn(minutes=0.01)
    async with town.instance.transaction() as tx:
        (await seen(tx, makers.LAKESIDE, "")).last_heard = clock.now()
    assert await _due(town) == [permits.uri]
    held = await _ended(town, permits, Outcome(through=True))
    assert (held.compare_tries, held.compare_error) == (0, "")
    assert await _due(town) == []


async def test_whoever_asks_is_not_put_off_by_a_check_that_had_begun(town: Town) -> None:
    permits = await _copy(town)
    began = await _forum(town, permits)
    async with town.instance.transaction() as tx:
        await comparing.ask(tx, town.ana, permits)
    async with town.instance.transaction() as tx:
        outcome = Outcome(through=True)
        await comparing.ended(tx, permits.id, began.compare_next, "rules", outcome)
    assert await _due(town) == [permits.uri]
    for forum in (town.forum, await makers.forum_elsewhere(town.instance, "data")):
        with pytest.raises(NotFound):
            async with town.instance.transaction() as tx:
                await comparing.ask(tx, town.ana, forum)


async def test_whoever_asks_has_the_last_year_and_their_thread_summed_up_anew(town: Town) -> None:
    clock = town.instance.clock
    assert isinstance(clock, TurnableClock)
    permits = await _copy(town)
    thread = await makers.thread(town.instance, town.ana, permits)
    for days in (400, 400):
        clock.turn(days=days)
        await makers.thread(town.instance, town.ana, permits)
    async with town.instance.transaction() as tx:
        await tx.session.execute(update(Post).values(state=PostState.LIVE))
    await day(town, permits)

    async def stale(member: Member | None, thread: int | None = None) -> list[str]:
        await day(town, permits)
        async with town.instance.transaction() as tx:
            await comparing.ask(tx, member, permits, thread)
            return [day for day, _ in await storage.stale(tx.session, permits.id, 10)]

    last, middle, first = await stale(None)
    assert await stale(town.ana) == [last, middle]
    assert await stale(town.ana, thread.id) == [last, middle, first]


async def test_after_a_start_what_was_not_compared_lately_is_within_a_minute(town: Town) -> None:
    clock = town.instance.clock
    assert isinstance(clock, TurnableClock)
    permits = await _copy(town)
    await _ended(town, permits, Outcome(through=True))
    for minutes, due in ((5, []), (6, [permits.uri])):
        clock.turn(minutes=minutes)
        async with town.instance.transaction() as tx:
            await comparing.bring_forward(tx)
        clock.turn(minutes=1)
        assert await _due(town) == due


async def test_other_software_is_read_once_and_again_when_it_is_asked_for(town: Town) -> None:
    clock = town.instance.clock
    assert isinstance(clock, TurnableClock)
    permits = await makers.forum_elsewhere(town.instance)
    await makers.follow(town.instance, town.ana, permits)
    assert await _due(town) == [permits.uri]
    held = await _ended(town, permits, Outcome(through=True, repeats=False))
    assert (held.copy_state, held.compare_next) == (CopyState.CURRENT, None)
    clock.turn(days=1)
    assert await _due(town) == []
    async with town.instance.transaction() as tx:
        await comparing.ask(tx, town.ana, permits)
    assert await _due(town) == [permits.uri]
    async with town.instance.transaction() as tx:
        await follows.leave(tx, town.ana, permits)
    assert await _due(town) == []


async def test_a_post_that_comes_after_all_is_withheld_no_longer(town: Town) -> None:
    post = await makers.thread(town.instance, town.ana, town.forum)
    async with town.instance.transaction() as tx:
        opener = await tx.session.get_one(Post, post.id)
        opener.withheld_count = 1
        tx.session.add(
            Withheld(uri="x", thread_id=post.id, forum_id=town.forum.id, peer="y", at=tx.now)
        )
    for _ in range(2):
        async with town.instance.transaction() as tx:
            await restoring.no_longer_withheld(tx, "x")
    assert (await town.post(post)).withheld_count == 0
