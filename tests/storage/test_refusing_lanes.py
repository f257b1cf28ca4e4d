# SPDX-License-Identifier: Apache-2.0
"""Which lanes count as refusing, and which as being sent to."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import select

from storage import log, traffic
from storage.database import Database
from storage.log import ActivityBody, Entry, Form, Lane
from storage.peers import Peer
from storage.traffic import Sums

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
HOST = "lakeside.example"
FORUM = "https://riverton.example.gov/f/permits"


async def lane(database: Database, number: int, **held: object) -> None:
    async with database.writer.transaction() as session:
        if await session.get(Peer, HOST) is None:
            session.add(Peer(host=HOST, origin=f"https://{HOST}", first_seen=NOON))
            await session.flush()
        inbox = f"https://{HOST}/{number}"
        session.add(Lane(id=number, inbox=inbox, peer=HOST, created=NOON, last_refusal="", **held))


async def say(database: Database, to: int, at: datetime) -> None:
    """Something is sent to one lane by name."""
    async with database.writer.transaction() as session:
        await log.lock(session)
        number = await log.last_seq(session) + 1
        session.add(ActivityBody(id=number, body="{}", subject=f"p{number}"))
        await session.flush()
        entry = Entry(Form.DIRECT, f"a{number}", FORUM, f"p{number}", FORUM, f"p{number}")
        await log.append(session, entry, number, at, [to])


async def found(database: Database, now: datetime) -> Sums:
    """What the lanes add up to; the list of those that refuse says the same."""
    async with database.reading() as session:
        refusing = select(Peer.host).where(traffic.is_refusing(now))
        hosts = (await session.execute(refusing)).scalars().all()
        sums = (await traffic.sums(session, now))[HOST]
    assert bool(hosts) == bool(sums.refusing)
    return sums


async def test_an_inbox_that_nothing_goes_to_any_more_refuses_nothing(database: Database) -> None:
    await lane(database, 1, refusing_since=NOON)
    await lane(database, 2)
    assert (await found(database, NOON)).refusing == 0
    async with database.writer.transaction() as session:
        held = await session.get_one(Lane, 1)
        await log.subscribe(session, FORUM, held, 1)
    sums = await found(database, NOON + timedelta(days=400))
    assert (sums.refusing, sums.refusing_since, sums.lanes) == (1, NOON, 2)
    async with database.writer.transaction() as session:
        await log.unsubscribe(session, FORUM, await session.get_one(Lane, 1))
    sums = await found(database, NOON)
    assert (sums.refusing, sums.refusing_since) == (0, None)


async def test_one_that_is_written_to_by_name_refuses_for_a_month(database: Database) -> None:
    await lane(database, 1, refusing_since=NOON)
    for day in (0, 40):
        await say(database, 1, NOON + timedelta(days=day))
    assert (await found(database, NOON + timedelta(days=69))).refusing == 1
    assert (await found(database, NOON + timedelta(days=71))).refusing == 0


async def test_a_process_that_died_sends_nothing(database: Database) -> None:
    until = NOON + timedelta(seconds=30)
    await lane(database, 1, owner="dead", lease_until=until)
    assert (await found(database, NOON)).in_hand == 1
    assert (await found(database, until)).in_hand == 0
