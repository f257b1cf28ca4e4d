# SPDX-License-Identifier: Apache-2.0
"""Lanes: who has something to send, who claims it, how far it has come."""

import asyncio
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

from hypothesis import example, given
from hypothesis import strategies as st
from sqlalchemy import delete, insert, select

from storage import lanes, leases, log
from storage.database import Database
from storage.lanes import Settled, Work
from storage.lanes.work import Item, covers
from storage.log import ActivityBody, Entry, Form, Lane, LogRecipient, LogRow, Parked, Subscription
from storage.peers import Peer

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
LEASE = timedelta(seconds=30)
FORUM = "https://riverton.example.gov/f/permits"


async def lane(database: Database, number: int, **changes: object) -> int:
    async with database.writer.transaction() as session:
        made = await log.lane_to(
            session, f"https://peer{number}.example/inbox", f"peer{number}.example", number, NOON
        )
        for name, value in changes.items():
            setattr(made, name, value)
    return number


async def post(database: Database, at: datetime = NOON, *, to: int | None = None) -> int:
    """One more row of the forum's, or one that is said to a lane alone."""
    async with database.writer.transaction() as session:
        await log.lock(session)
        number = await log.last_seq(session) + 1
        session.add(ActivityBody(id=number, body=f"body {number}", subject=f"p{number}"))
        await session.flush()
        form = Form.WRAPPED if to is None else Form.DIRECT
        entry = Entry(form, f"a{number}", FORUM, f"p{number}", FORUM, f"p{number}")
        seq = await log.append(session, entry, number, at)
        if to is not None:
            session.add(LogRecipient(seq=seq, lane_id=to))
    assert seq is not None
    return seq


async def follows(database: Database, number: int) -> None:
    async with database.writer.transaction() as session:
        await log.subscribe(session, FORUM, await session.get_one(Lane, number), number)


async def claim(database: Database, owner: str, now: datetime, *numbers: int) -> list[int]:
    async with database.writer.transaction() as session:
        works = await lanes.claim(session, numbers, owner, now, now + LEASE)
    return sorted(work.lane for work in works)


async def test_of_two_processes_one_gets_each_lane(database: Database) -> None:
    numbers = [await lane(database, number) for number in range(1, 9)]
    both = await asyncio.gather(
        *(claim(database, owner, NOON, *numbers) for owner in ("one", "other"))
    )
    assert sorted(both[0] + both[1]) == numbers


async def test_a_lane_is_free_again_when_its_lease_has_run_out(database: Database) -> None:
    await lane(database, 1)
    assert await claim(database, "dead", NOON, 1) == [1]
    assert await claim(database, "alive", NOON + LEASE / 2, 1) == []
    async with database.writer.transaction() as session:
        assert await lanes.renew(session, "dead", [1], NOON + LEASE * 2) == {1}
    assert await claim(database, "alive", NOON + LEASE, 1) == []
    assert await claim(database, "alive", NOON + LEASE * 2, 1) == [1]
    async with database.writer.transaction() as session:
        assert await lanes.owners(session) == {"alive"}
        await lanes.free(session, "alive")
    assert await claim(database, "dead", NOON, 1) == [1]


async def test_who_has_lost_a_lane_writes_nothing_of_it(database: Database) -> None:
    numbers = [await lane(database, number) for number in range(1, 7)]
    assert await claim(database, "slow", NOON, *numbers) == numbers
    assert await claim(database, "quick", NOON + LEASE, *numbers[1:]) == numbers[1:]
    async with database.writer.transaction() as session:
        assert await lanes.renew(session, "slow", numbers, NOON + LEASE * 2) == {1}
        assert [await lanes.holds(session, "slow", number) for number in (1, 2)] == [True, False]
        settled = [
            Settled(number, f"peer{number}.example", 20, 1, 2, "no", release)
            for number in numbers
            for release in (False, True)
        ]
        await lanes.settle(session, settled, "slow", NOON + LEASE)
    async with database.reading() as session:
        rows = (await session.execute(select(Lane).order_by(Lane.id))).scalars().all()
    assert [(row.owner, row.lease_until, row.cursor) for row in rows] == [
        (None, None, 20),
        *[("quick", NOON + LEASE * 2, 0)] * 5,
    ]
    assert [(row.delivered, row.refused, row.last_refusal) for row in rows] == [
        (2, 4, "no"),
        *[(0, 0, "")] * 5,
    ]


async def test_work_that_one_process_has_is_not_given_to_another(database: Database) -> None:
    async def take(owner: str, now: datetime) -> set[str]:
        async with database.writer.transaction() as session:
            return await leases.claim(session, ["mail", "inbox:a"], owner, now, now + LEASE)

    answers = await asyncio.gather(take("one", NOON), take("other", NOON))
    assert sorted(map(len, answers)) == [0, 2]
    winner, loser = ("one", "other") if answers[0] else ("other", "one")
    assert await take(winner, NOON + LEASE / 2) == {"mail", "inbox:a"}
    assert await take(loser, NOON + LEASE) == set()
    async with database.writer.transaction() as session:
        assert await leases.owners(session) == {winner}
        await leases.release_all(session, winner)
    assert await take(loser, NOON) == {"mail", "inbox:a"}


async def test_a_cursor_never_goes_back(database: Database) -> None:
    await lane(database, 1, owner="one")
    async with database.writer.transaction() as session:
        settled = [Settled(1, "peer1.example", seq, delivered=1) for seq in (7, 3)]
        await lanes.settle(session, settled, "one", NOON)
        await lanes.settle(session, [Settled(1, "peer1.example", 5, refused=1)], "one", NOON)
    async with database.reading() as session:
        held = await session.get_one(Lane, 1)
        assert (held.cursor, held.delivered, held.refused) == (7, 2, 1)


async def test_lanes_that_came_far_alike_and_others_are_settled_together(
    database: Database,
) -> None:
    numbers = [await lane(database, number) for number in range(1, 9)]
    assert await claim(database, "one", NOON, *numbers) == numbers
    async with database.writer.transaction() as session:
        session.add_all(Peer(host=f"peer{n}.example", origin="", first_seen=NOON) for n in numbers)
        await session.flush()
        alike = [Settled(n, f"peer{n}.example", 20, 1, release=True) for n in range(1, 6)]
        twice = [Settled(6, "peer6.example", seq, 2) for seq in (30, 30)]
        other = Settled(7, "peer7.example", 9, 0, 3, "no", release=True)
        await lanes.settle(session, [*alike, *twice, other], "one", NOON)
        rows = (await session.execute(select(Lane).order_by(Lane.id))).scalars().all()
        assert [(row.cursor, row.delivered, row.refused) for row in rows] == [
            *[(20, 1, 0)] * 5,
            (30, 4, 0),
            (9, 0, 3),
            (0, 0, 0),
        ]
        assert [row.id for row in rows if row.owner is None] == [1, 2, 3, 4, 5, 7]
        assert [row.last_refusal for row in rows] == [*[""] * 6, "no", ""]
        heard = select(Peer.host).where(Peer.last_delivered == NOON).order_by(Peer.host)
        assert list((await session.execute(heard)).scalars()) == [
            f"peer{n}.example" for n in range(1, 7)
        ]


async def test_idle_lanes_come_along_and_pass_nothing_that_is_theirs(database: Database) -> None:
    for number in (1, 2, 3):
        await lane(database, number)
    await follows(database, 1)
    await follows(database, 3)
    last = [await post(database) for _ in range(3)][-1]
    assert await claim(database, "busy", NOON, 3) == [3]
    async with database.writer.transaction() as session:
        assert await lanes.move_along(session, last) == 1
        cursors = (await session.execute(select(Lane.cursor).order_by(Lane.id))).scalars().all()
    assert cursors == [0, last, 0]


async def test_what_waited_too_long_is_given_up_and_marked(database: Database) -> None:
    for number in (1, 2):
        await lane(database, number, peer="far.example")
    await follows(database, 1)
    await post(database, NOON - timedelta(days=31))
    said = await post(database, to=1)
    last = await post(database)
    await follows(database, 2)
    async with database.writer.transaction() as session:
        session.add(Parked(lane_id=1, seq=1, order_key="p1", next_try=NOON))
    async with database.writer.transaction() as session:
        given = await lanes.give_up(session, "far.example", NOON - timedelta(days=30), NOON)
        assert given == ["https://peer1.example/inbox"]
        # No digest tells them what one of ours said to them alone.
        assert (await session.execute(select(Parked.seq))).scalars().all() == [said]
        again = NOON + timedelta(days=31)
        await lanes.give_up(session, "far.example", again, again)
        assert (await session.execute(select(Parked.seq))).scalars().all() == [said]
    async with database.reading() as session:
        held = await session.get_one(Lane, 1)
        assert (held.cursor, held.catch_up) == (last, NOON)
        assert (await session.get_one(Lane, 2)).catch_up is None


async def test_a_paused_peer_has_nothing_to_send_now(database: Database) -> None:
    await lane(database, 1)
    await follows(database, 1)
    await post(database)
    async with database.writer.transaction() as session:
        session.add(
            Peer(host="peer1.example", origin="https://peer1.example", first_seen=NOON, paused=NOON)
        )
    async with database.reading() as session:
        assert await lanes.waiting(session, "one", NOON) == set()
    async with database.writer.transaction() as session:
        peer = await session.get_one(Peer, "peer1.example")
        peer.paused, peer.next_try = None, NOON
    async with database.reading() as session:
        assert await lanes.waiting(session, "one", NOON) == {1}
        assert await lanes.returning(session, NOON) == {1}


SEQS = st.integers(1, 12)
INTERVALS = st.tuples(SEQS, st.none() | SEQS)
ROWS = st.lists(
    st.tuples(st.sampled_from(["f", "g", "direct"]), st.none() | SEQS), min_size=1, max_size=12
)


@given(
    rows=ROWS,
    subscribed=st.lists(st.tuples(st.sampled_from(["f", "g"]), INTERVALS), max_size=4),
    named=st.sets(SEQS, max_size=3),
    cursor=st.integers(0, 12),
    begins=st.integers(0, 12),
)
@example(rows=[("f", None)], subscribed=[], named={1}, cursor=0, begins=0)
def test_a_lane_is_given_the_same_rows_however_they_are_found(
    empty_database: Path,
    rows: list[tuple[str, int | None]],
    subscribed: list[tuple[str, tuple[int, int | None]]],
    named: set[int],
    cursor: int,
    begins: int,
) -> None:
    """From the log, from its tail, and by the rule itself."""
    items = [
        Item(seq, "direct" if kind == "direct" else "wrapped", f"a{seq}", "s", f"k{seq}", kind,
             f"x{seq}", first, False, 1, NOON)
        for seq, (kind, first) in enumerate(rows, start=1)
    ]  # fmt: skip
    named &= {item.seq for item in items}
    expected = [
        item.seq
        for item in items
        if item.seq > cursor
        and (
            item.seq in named
            or any(
                item.form != "direct" and audience == item.audience and covers(*interval, item)
                for audience, interval in subscribed
            )
        )
    ]

    path = empty_database.with_name("lanes.db")
    if not path.exists():
        shutil.copy(empty_database, path)

    database = Database(f"sqlite:///{path}")
    asyncio.run(_look(database, items, subscribed, named, cursor, begins, expected))


async def _look(
    database: Database,
    items: list[Item],
    subscribed: list[tuple[str, tuple[int, int | None]]],
    named: set[int],
    cursor: int,
    begins: int,
    expected: list[int],
) -> None:
    """Lay the rows out, and ask for them in each way."""
    try:
        async with database.writer.transaction() as session:
            for table in (LogRecipient, Subscription, LogRow, ActivityBody, Lane):
                await session.execute(delete(table))
            session.add(ActivityBody(id=1, body="", subject=""))
            session.add(
                Lane(id=1, inbox="i", peer="p", cursor=cursor, last_refusal="", created=NOON)
            )
            await session.flush()
            await session.execute(
                insert(LogRow),
                [{name: getattr(item, name) for name in Item.__slots__} for item in items],
            )
            for number, (audience, (from_seq, until_seq)) in enumerate(subscribed):
                session.add(
                    Subscription(
                        id=number, audience=audience, lane_id=1, from_seq=from_seq,
                        until_seq=until_seq,
                    )
                )  # fmt: skip
            session.add_all(LogRecipient(seq=seq, lane_id=1) for seq in named)
            await session.flush()
            tail = [item for item in items if item.seq > begins]
            for known in ([], tail):
                work = Work(1, "i", "p", cursor)
                await lanes.fill(session, [work], known, NOON, 100)
                assert [item.seq for item in work.items] == expected
                assert work.until >= max(expected, default=0)
            waiting = await lanes.waiting(session, "anybody", NOON)
            assert waiting == ({1} if expected else set())
            fresh = [item for item in items if item.seq > cursor]
            assert await lanes.interested(session, fresh) == ({1} if expected else set())
    finally:
        await database.close()
