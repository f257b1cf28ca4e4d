# SPDX-License-Identifier: Apache-2.0
"""A flood at the inbox, and a database that takes nothing."""

import asyncio

from sqlalchemy import text

from storage.database import Database
from storage.peers import PolicyRule
from tests.hostile.commons import Commons, like
from tests.hostile.conftest import Opener
from tests.hostile.effects import must_be_one_sentence
from tests.hostile.peer import ScriptedPeer, mallory, vera


async def deliver(gh: Commons, peer: ScriptedPeer, number: int) -> int:
    answer = await gh.deliver(peer, like(mallory(peer), gh.thread.uri, number))
    if answer.status_code in {429, 503}:
        assert int(answer.headers["Retry-After"]) >= 1
        must_be_one_sentence(answer, answer.status_code)
    return answer.status_code


async def test_R14_one_origin_that_floods_is_told_so_and_others_are_served(
    open_commons: Opener, evil: ScriptedPeer, vic: ScriptedPeer
) -> None:
    gh = await open_commons(inbox_rate=2, inbox_burst=4)
    await gh.allow(evil.host, vic.host)
    assert [await deliver(gh, evil, n) for n in range(7)] == [202] * 4 + [429] * 3
    assert [await deliver(gh, vic, n) for n in range(3)] == [202] * 3
    gh.clock.turn(minutes=1)
    assert [await deliver(gh, evil, n) for n in range(10, 15)] == [202] * 4 + [429]


async def test_R14_nobody_can_use_up_what_another_host_may_send(
    open_commons: Opener, evil: ScriptedPeer, vic: ScriptedPeer
) -> None:
    gh = await open_commons(inbox_rate=1, inbox_burst=2)
    await gh.allow(evil.host, vic.host)
    for number in range(6):
        said = like(vera(vic), gh.thread.uri, number)
        forged = await gh.deliver(evil, said, key_id=f"{vera(vic)}#main-key")
        must_be_one_sentence(forged, 401)
    assert [await deliver(gh, vic, n) for n in range(3)] == [202, 202, 429]


async def test_a_full_queue_asks_to_come_again(open_commons: Opener, evil: ScriptedPeer) -> None:
    gh = await open_commons(inbox_waiting=1)
    await gh.allow(evil.host)
    assert await deliver(gh, evil, 0) == 202
    await gh.settled()
    writer = gh.instance.database.writer
    async with gh.instance.transaction():
        # The first goes into a batch that waits for this deed, the second is one too many.
        first = asyncio.create_task(deliver(gh, evil, 1))
        for _ in range(500):
            await asyncio.sleep(0.01)
            if writer.waiting:
                break
        assert await deliver(gh, evil, 2) == 503
        assert not first.done()
    assert await first == 202
    assert await deliver(gh, evil, 2) == 202


async def test_what_cannot_be_stored_is_never_accepted(gh: Commons, evil: ScriptedPeer) -> None:
    assert await deliver(gh, evil, 0) == 202
    await gh.settled()
    async with gh.instance.transaction() as tx:
        await tx.session.execute(
            text(
                "CREATE TRIGGER disk BEFORE INSERT ON inbox"
                " BEGIN SELECT RAISE(ROLLBACK, 'disk full'); END"
            )
        )
    assert [await deliver(gh, evil, n) for n in (1, 2)] == [503, 503]
    async with gh.instance.transaction() as tx:
        await tx.session.execute(text("DROP TRIGGER disk"))
    assert await deliver(gh, evil, 1) == 202


async def test_a_rule_of_another_process_is_obeyed_by_the_next_delivery(
    gh: Commons, evil: ScriptedPeer
) -> None:
    assert await deliver(gh, evil, 0) == 202
    other = Database(gh.instance.settings.database)
    async with other.writer.transaction() as session:
        rule = PolicyRule(id=1, pattern=evil.host, verdict="deny", added_by="x")
        rule.added = gh.clock.now()
        session.add(rule)
    assert await deliver(gh, evil, 1) == 403
    async with other.writer.transaction() as session:
        await session.delete(await session.get_one(PolicyRule, 1))
    assert await deliver(gh, evil, 1) == 202
    await other.close()
