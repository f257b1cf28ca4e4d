# SPDX-License-Identifier: Apache-2.0
"""The log of activities sent, and which lane takes what."""

import asyncio
from datetime import UTC, datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from storage import lanes, log
from storage.database import Database
from storage.lanes import Item, Work
from storage.log import ActivityBody, Entry, Form, Lane, LogRow, Parked

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
RIVERTON = "https://riverton.example.gov"
PERMITS = f"{RIVERTON}/f/permits/followers"
PARKS = f"{RIVERTON}/f/parks/followers"


class Writing:
    """Appends rows to a log, each about a subject."""

    def __init__(self, session: AsyncSession) -> None:
        self.session = session

    async def lane(self, number: int) -> Lane:
        inbox = f"https://peer{number}.example/inbox"
        return await log.lane_to(self.session, inbox, f"peer{number}.example", number, NOON)

    async def body(self, number: int, subject: str = "") -> int:
        self.session.add(ActivityBody(id=number, body=f"body {number}", subject=subject))
        await self.session.flush()
        return number

    async def append(
        self,
        name: str,
        subject: str = "",
        *,
        audience: str = PERMITS,
        form: Form = Form.WRAPPED,
        follows: bool = False,
        lanes: tuple[int, ...] = (),
    ) -> int | None:
        await log.lock(self.session)
        entry = Entry(
            form=form,
            activity_id=f"{RIVERTON}/u/ana#{name}",
            signer=f"{RIVERTON}/u/ana",
            order_key=f"{RIVERTON}/p/{subject or name}",
            audience=audience,
            subject=f"{RIVERTON}/p/{subject or name}",
            follows_subject=follows,
        )
        number = await self.body(await log.last_seq(self.session) + 1000)
        return await log.append(self.session, entry, number, NOON, lanes)

    async def taken(self, lane: Lane, after: int = 0, limit: int = 100) -> list[str]:
        """The names of the activities a lane takes, in order, however they are looked up."""
        found = await self.work(lane, [], after=after, limit=limit)
        tail = await lanes.rows_after(self.session, 0, 1_000)
        assert (await self.work(lane, tail, after=after, limit=limit)).items == found.items
        waiting = lane.id in await lanes.waiting(self.session, "anybody", NOON)
        assert waiting or after or not found.items
        return [item.activity_id.partition("#")[2] for item in found.items]

    async def work(
        self, lane: Lane, tail: list[Item], *, after: int = 0, limit: int = 100, late: float = 0
    ) -> Work:
        """What a lane has to send; an empty tail has the log itself asked."""
        work = Work(lane.id, lane.inbox, lane.peer, after)
        now = NOON + timedelta(minutes=late)
        await lanes.fill(self.session, [work], tail, now, limit)
        return work


async def test_rows_are_numbered_one_after_the_other(database: Database) -> None:
    async with database.writer.transaction() as session:
        writing = Writing(session)
        assert await log.last_seq(session) == 0
        assert [await writing.append(f"create-{n}") for n in range(1, 5)] == [1, 2, 3, 4]
        assert await log.last_seq(session) == 4


async def test_an_activity_stands_once_in_each_form(database: Database) -> None:
    async with database.writer.transaction() as session:
        writing = Writing(session)
        assert await writing.append("create-1") == 1
        assert await writing.append("create-1", form=Form.BOOST) == 2
        await writing.body(5)
        entry = Entry(Form.WRAPPED, f"{RIVERTON}/u/ana#create-1", "s", "o", PERMITS, "x")
        assert await log.append(session, entry, 5, NOON) is None
        assert await log.last_seq(session) == 2


async def test_appends_at_once_share_no_number_and_lose_no_row(database: Database) -> None:
    """The one that began first commits last: seq order must still be commit order."""
    entered = asyncio.Event()
    release = asyncio.Event()

    async def slow() -> int | None:
        async with database.writer.transaction() as session:
            seq = await Writing(session).append("slow")
            entered.set()
            await release.wait()
            return seq

    async def quick() -> int | None:
        await entered.wait()
        async with database.writer.transaction() as session:
            return await Writing(session).append("quick")

    tasks = [asyncio.create_task(slow()), asyncio.create_task(quick())]
    await entered.wait()
    await asyncio.sleep(0.1)
    async with database.reading() as session:
        # Nothing may show above a number that is not yet committed.
        assert await log.last_seq(session) == 0
    assert not tasks[1].done()
    release.set()
    assert await asyncio.gather(*tasks) == [1, 2]
    async with database.reading() as session:
        assert (await session.get_one(LogRow, 1)).activity_id.endswith("#slow")
        assert (await session.get_one(LogRow, 2)).activity_id.endswith("#quick")


async def test_many_appends_at_once_leave_no_gap(database: Database) -> None:
    async def one(number: int) -> int | None:
        async with database.writer.transaction() as session:
            return await Writing(session).append(f"create-{number}")

    found = await asyncio.gather(*(one(n) for n in range(12)))
    assert sorted(seq for seq in found if seq) == list(range(1, 13))


async def test_a_lane_takes_what_was_said_while_it_was_subscribed(database: Database) -> None:
    async with database.writer.transaction() as session:
        writing = Writing(session)
        await writing.append("before")
        lane = await writing.lane(1)
        await log.subscribe(session, PERMITS, lane, 1)
        await log.subscribe(session, PERMITS, lane, 2)
        await writing.append("during-1")
        await writing.append("elsewhere", audience=PARKS)
        await writing.append("during-2")
        await log.unsubscribe(session, PERMITS, lane)
        await session.flush()
        await writing.append("after")
        assert await writing.taken(lane) == ["during-1", "during-2"]
        await log.subscribe(session, PERMITS, lane, 3)
        await writing.append("again")
        assert await writing.taken(lane) == ["during-1", "during-2", "again"]
        assert await writing.taken(lane, after=2) == ["during-2", "again"]
        assert await writing.taken(lane, limit=1) == ["during-1"]


async def test_a_new_lane_begins_at_the_end_of_the_log(database: Database) -> None:
    async with database.writer.transaction() as session:
        writing = Writing(session)
        await writing.append("old-1")
        await writing.append("old-2")
        lane = await writing.lane(1)
        assert lane.cursor == 2
        assert (await writing.lane(1)) is lane


async def test_an_update_follows_its_subject_to_lanes_that_have_left(database: Database) -> None:
    async with database.writer.transaction() as session:
        writing = Writing(session)
        stayed, left, late = [await writing.lane(n) for n in (1, 2, 3)]
        await log.subscribe(session, PERMITS, stayed, 1)
        await log.subscribe(session, PERMITS, left, 2)
        await writing.append("create-7", "7")
        await log.unsubscribe(session, PERMITS, left)
        await session.flush()
        await writing.append("create-8", "8")
        await log.subscribe(session, PERMITS, late, 3)
        await writing.append("update-7-1", "7", follows=True)
        await writing.append("update-8-1", "8", follows=True)
        await writing.append("delete-7", "7", follows=True)
        await writing.append("reply-to-7", "7")
        assert await writing.taken(left) == ["create-7", "update-7-1", "delete-7"]
        assert await writing.taken(stayed) == [
            "create-7",
            "create-8",
            "update-7-1",
            "update-8-1",
            "delete-7",
            "reply-to-7",
        ]
        assert await writing.taken(late) == ["update-7-1", "update-8-1", "delete-7", "reply-to-7"]


async def test_who_left_and_came_back_is_told_of_changes_to_what_they_had(
    database: Database,
) -> None:
    async with database.writer.transaction() as session:
        writing = Writing(session)
        lane = await writing.lane(1)
        await log.subscribe(session, PERMITS, lane, 1)
        await writing.append("create-had", "had")
        await log.unsubscribe(session, PERMITS, lane)
        await session.flush()
        await writing.append("create-missed", "missed")
        # Neither what they had before nor the new row of a change makes up for the gap.
        for subject in ("had", "missed"):
            await writing.append(f"update-{subject}-away", subject, follows=True)
        await log.subscribe(session, PERMITS, lane, 2)
        await writing.append("create-new", "new")
        assert await writing.taken(lane) == ["create-had", "update-had-away", "create-new"]
        await log.unsubscribe(session, PERMITS, lane)
        await session.flush()
        for subject in ("had", "missed", "new"):
            await writing.append(f"delete-{subject}", subject, follows=True)
        assert await writing.taken(lane, after=4) == ["create-new", "delete-had", "delete-new"]


async def test_what_has_no_first_row_goes_to_present_lanes_only(database: Database) -> None:
    async with database.writer.transaction() as session:
        writing = Writing(session)
        left, present = [await writing.lane(n) for n in (1, 2)]
        await log.subscribe(session, PERMITS, left, 1)
        await log.unsubscribe(session, PERMITS, left)
        await log.subscribe(session, PERMITS, present, 2)
        await writing.append("delete-3", "3", follows=True)
        assert await writing.taken(left) == []
        assert await writing.taken(present) == ["delete-3"]


async def test_a_direct_row_goes_to_whom_it_names_and_to_nobody_else(database: Database) -> None:
    async with database.writer.transaction() as session:
        writing = Writing(session)
        named, other = [await writing.lane(n) for n in (1, 2)]
        await log.subscribe(session, PERMITS, other, 1)
        await writing.append("accept-1", form=Form.DIRECT, lanes=(named.id, named.id))
        await writing.append("create-1")
        assert await writing.taken(named) == ["accept-1"]
        assert await writing.taken(other) == ["create-1"]


async def test_a_scrubbed_body_leaves_its_row(database: Database) -> None:
    async with database.writer.transaction() as session:
        writing = Writing(session)
        lane = await writing.lane(1)
        await log.subscribe(session, PERMITS, lane, 1)
        seq = await writing.append("create-1")
        row = await session.get_one(LogRow, seq)
        (await session.get_one(ActivityBody, row.body_id)).body = None
        await session.flush()
        assert await writing.taken(lane) == ["create-1"]
        assert await lanes.bodies(session, [row.body_id]) == {row.body_id: None}


async def _parked(session: AsyncSession, lane: Lane, seq: int, key: str, after: float) -> None:
    session.add(
        Parked(
            lane_id=lane.id,
            seq=seq,
            order_key=key,
            next_try=NOON + timedelta(minutes=after),
        )
    )
    await session.flush()


async def test_of_what_is_parked_the_first_of_each_thread_is_tried(database: Database) -> None:
    async with database.writer.transaction() as session:
        writing = Writing(session)
        lane, other = [await writing.lane(n) for n in (1, 2)]
        for number in range(1, 7):
            await writing.append(f"create-{number}")
        await _parked(session, lane, 1, "a", after=0)
        await _parked(session, lane, 2, "b", after=5)
        await _parked(session, lane, 3, "a", after=0)
        await _parked(session, lane, 4, "b", after=0)
        await _parked(session, lane, 5, "c", after=-1)
        await _parked(session, other, 6, "d", after=0)
        work = await writing.work(lane, [])
        assert [held.item.seq for held in work.held] == [1, 5]
        assert work.behind == {"a", "b", "c"}
        later = await writing.work(lane, [], late=5)
        assert [held.item.seq for held in later.held] == [1, 2, 5]


async def test_a_long_row_of_parked_entries_hides_no_other_thread(database: Database) -> None:
    async with database.writer.transaction() as session:
        writing = Writing(session)
        lane = await writing.lane(1)
        await writing.body(1)
        for number in range(1, 252):
            name = f"n-{number}"
            row = LogRow(
                seq=number, form=Form.WRAPPED, activity_id=name, signer="s", order_key="long",
                audience=PERMITS, subject="x", subject_seq=None, body_id=1, at=NOON,
            )  # fmt: skip
            session.add(row)
        await session.flush()
        for number in range(1, 251):
            await _parked(session, lane, number, "long", after=60)
        await _parked(session, lane, 251, "short", after=0)
        work = await writing.work(lane, [])
        assert [held.item.seq for held in work.held] == [251]
