# SPDX-License-Identifier: Apache-2.0
"""Events that repeat, and what the calendar does by itself."""

import pytest
from icalendar import Calendar
from sqlalchemy import select

from server.calendar import feeds, joining, series, tending, writing
from server.calendar.lists import Chosen
from server.calendar.series import MOST_AHEAD
from server.calendar.typed import check
from server.errors import Invalid
from server.events import times
from server.events.details import of_row
from server.instance import Instance
from server.posts import editing
from server.viewers import VISITOR
from storage.events import Event, EventSeries
from storage.letters import Letter
from storage.notifications import Notification
from storage.posts import Post
from tests import databases
from tests.clock import TurnableClock
from tests.server.calendar.bench import WEBINAR, announced
from tests.server.town import Town, holds, settle

database_url = databases.database_url
WEEKLY = {**WEBINAR, "repeat": "weekly", "except_on": "2026-12-24\n2026-12-31"}


@pytest.fixture
async def town(instance: Instance) -> Town:
    return await settle(instance)


async def repeated(town: Town, **fields: str) -> Post:
    async with town.instance.transaction() as tx:
        return await series.publish(tx, town.ana, town.forum, {**WEEKLY, **fields})


async def starts(town: Town) -> list[str]:
    """The local starts of every event, in order."""
    async with town.instance.reading() as session:
        rows = (await session.execute(select(Event).order_by(Event.starts))).scalars().all()
    return [f"{times.wall(row.starts, row.zone):%m-%d %H:%M}" for row in rows]


async def test_each_occurrence_is_an_event_of_its_own_and_the_next_are_made_in_time(
    town: Town, clock: TurnableClock
) -> None:
    first = await repeated(town)
    made = ["12-03", "12-10", "12-17", "01-07", "01-14", "01-21"]
    assert await starts(town) == [f"{day} 14:00" for day in made]
    async with town.instance.reading() as session:
        rows = (await session.execute(select(Event).order_by(Event.starts))).scalars().all()
        assert len({row.series for row in rows}) == 1
        assert rows[0].series_at == "2026-12-03T14:00"
        assert of_row(rows[3]).capacity == 1
    # Nothing is made twice, and what has passed makes room.
    await tending.tend(town.instance)
    assert len(await starts(town)) == 6
    clock.turn(days=125)
    await tending.tend(town.instance)
    after = await starts(town)
    # The clocks have gone forward meanwhile: it is still two o'clock.
    assert all(start.endswith("14:00") for start in after)
    assert after[-1] == "05-20 14:00"
    async with town.instance.reading() as session:
        held = (await session.execute(select(EventSeries))).scalar_one()
        assert (held.ended, held.made) == (False, len(after))
    assert first.title == WEBINAR["title"]
    await _each_stands_once_in_a_feed(town, rows[0].series)


async def _each_stands_once_in_a_feed(town: Town, uri: str) -> None:
    """No rule beside what it made: whoever takes the feed and single files has each time once."""
    now = town.instance.clock.now()
    async with town.instance.reading() as session:
        listed = await feeds.of_viewer(session, VISITOR, Chosen(), now)
    assert len(listed) > MOST_AHEAD
    body = feeds.calendar("All", listed, now)
    entries = list(Calendar.from_ical(body).walk("VEVENT"))
    assert len({entry["UID"] for entry in entries}) == len(listed)
    assert {str(entry["REFID"]) for entry in entries} == {uri}
    assert not any("RRULE" in entry for entry in entries)
    [alone] = Calendar.from_ical(feeds.calendar("One", listed[:1], now)).walk("VEVENT")
    assert alone["UID"] == entries[0]["UID"]


async def test_a_series_is_changed_from_one_on_and_called_off(
    town: Town, clock: TurnableClock
) -> None:
    first = await repeated(town, repeat_count="5")
    assert await starts(town) == [f"{day} 14:00" for day in ("12-03", "12-10", "12-17")]
    async with town.instance.reading() as session:
        question = select(Post).join(Event, Event.post_id == Post.id).order_by(Event.starts)
        posts = (await session.execute(question)).scalars().all()
    clock.turn(minutes=2)
    moved = {**WEBINAR, "start_date": "2026-12-10", "start_time": "16:00", "end_time": "17:00"}
    async with town.instance.transaction() as tx:
        await series.revise(tx, town.ana, posts[1], moved)
    assert await starts(town) == ["12-03 14:00", "12-10 16:00", "12-17 16:00"]
    with pytest.raises(Invalid, match="another day"):
        async with town.instance.transaction() as tx:
            await series.revise(tx, town.ana, posts[1], {**moved, "start_date": "2026-12-11"})
    clock.turn(minutes=2)
    async with town.instance.transaction() as tx:
        # One alone may move to any day.
        await writing.revise(tx, town.ana, first, check({**WEBINAR, "start_date": "2026-12-04"}))
    async with town.instance.transaction() as tx:
        await series.call_off(tx, town.ana, posts[1])
    async with town.instance.reading() as session:
        rows = (await session.execute(select(Event).order_by(Event.starts))).scalars().all()
    assert [row.status for row in rows] == ["confirmed", "cancelled", "cancelled"]
    assert [row.sequence for row in rows] == [1, 2, 2]
    clock.turn(days=60)
    await tending.tend(town.instance)
    assert len(await starts(town)) == 3


async def test_nothing_remains_of_what_was_deleted(town: Town, clock: TurnableClock) -> None:
    said = {"title": "Quokkas in the counter hall", "place": "Quokkas' hall", "agenda": "Quokkas"}
    await repeated(town, repeat_count="2", **said)
    async with town.instance.reading() as session:
        posts = (await session.execute(select(Post))).scalars().all()
    assert len(posts) == 2
    for post in posts:
        async with town.instance.transaction() as tx:
            await joining.sign_up(tx, town.dee, post)
    clock.turn(days=9, hours=12)
    await tending.tend(town.instance)
    assert {"events", "event_series", "letters"} <= set(await holds(town.instance, "quokkas"))
    for post in posts:
        async with town.instance.transaction() as tx:
            await editing.remove(tx, town.ana, post)
    assert await holds(town.instance, "quokkas") == []
    async with town.instance.reading() as session:
        told = (await session.execute(select(Letter.subject))).scalars().all()
    assert list(told) == ["An event you signed up for was deleted"] * 2


async def test_faults_of_what_repeats_stand_beside_their_fields(town: Town) -> None:
    for fields, fault in (
        ({"repeat": "hourly"}, "repeat"),
        ({"repeat_until": "2026-12-03"}, "repeat_until"),
        ({"repeat_until": "2027-12-03", "repeat_count": "3"}, "repeat_count"),
        ({"except_on": "Christmas"}, "except_on"),
        ({"repeat_count": "1001"}, "repeat_count"),
        ({"repeat_count": "1", "except_on": "2026-12-03"}, "except_on"),
        ({"start_date": "2026-02-30"}, "start_date"),
        ({"start_date": "2027-03-28", "start_time": "02:30"}, "start_time"),
        ({"end_time": "13:00"}, "end_time"),
        ({"zone": "../../etc/passwd"}, "zone"),
        ({"online": "javascript:alert(1)"}, "online"),
        ({"capacity": "0"}, "capacity"),
        ({"joining": "external"}, "external"),
        ({"title": " "}, "title"),
    ):
        with pytest.raises(Invalid) as refused:
            check({**WEEKLY, **fields})
        assert fault in refused.value.fields, fields


async def test_whoever_comes_is_reminded_a_day_ahead_and_once(
    town: Town, clock: TurnableClock
) -> None:
    post = await announced(town.instance, town.ana, town.forum, capacity="1")
    for member in (town.dee, town.sam):
        async with town.instance.transaction() as tx:
            await joining.sign_up(tx, member, post)
    await tending.tend(town.instance)
    clock.turn(days=9, hours=6)
    for _ in range(2):
        await tending.tend(town.instance)
    async with town.instance.reading() as session:
        notices = (await session.execute(select(Notification))).scalars().all()
        letters = (await session.execute(select(Letter))).scalars().all()
    assert [(one.member_id, one.kind) for one in notices] == [(town.dee.id, "event_reminder")]
    assert [letter.subject for letter in letters] == [f"Soon: {WEBINAR['title']}"]
    assert WEBINAR["online"] in letters[0].text
