# SPDX-License-Identifier: Apache-2.0
"""Places at an event: given once each, in order, by the organiser."""

import asyncio

import pytest
from sqlalchemy import insert, select

from server.calendar import attendance, feeds, joining, writing
from server.calendar.lists import Chosen
from server.calendar.typed import check
from server.errors import NotAllowed, NotFound
from server.events import telling
from server.instance import Instance
from server.posts import editing
from server.viewers import VISITOR
from storage import events
from storage.events import Event, EventGuest, GuestState
from storage.facts import FactRow
from storage.letters import Letter
from storage.members import Member
from storage.notifications import Notification
from storage.posts import Post
from tests import databases, makers
from tests.clock import TurnableClock
from tests.server.calendar.bench import WEBINAR, announced
from tests.server.town import Town, row, settle

database_url = databases.database_url


@pytest.fixture
async def town(instance: Instance) -> Town:
    return await settle(instance)


async def guest(town: Town, post: Post, member: Member) -> EventGuest | None:
    async with town.instance.reading() as session:
        return await events.guest_of(session, post.id, member.id)


async def state(town: Town, post: Post, member: Member) -> str:
    found = await guest(town, post, member)
    return found.state if found else ""


async def join(town: Town, member: Member, post: Post) -> None:
    async with town.instance.transaction() as tx:
        await joining.sign_up(tx, member, post)


async def decide(town: Town, person: Member, post: Post, join: str) -> None:
    async with town.instance.transaction() as tx:
        await joining.decide(tx, person, post, join)


async def counts(town: Town, post: Post) -> tuple[int, int]:
    event = await row(town.instance, Event, post.id)
    return event.going, event.waiting


async def test_two_instances_take_the_last_place_and_exactly_one_gets_it(town: Town) -> None:
    marek = await makers.person_elsewhere(town.instance)
    for number in range(4):
        post = await announced(town.instance, town.ana, town.forum, title=f"Webinar {number}")
        await asyncio.gather(
            join(town, town.dee, post), decide(town, marek, post, f"{marek.uri}#join-{number}-1")
        )
        states = [await state(town, post, one) for one in (town.dee, marek)]
        assert sorted(states) == [GuestState.GOING, GuestState.WAITING]
        assert await counts(town, post) == (1, 1)
        late = await guest(town, post, (town.dee, marek)[states.index(GuestState.WAITING)])
        assert late is not None
        async with town.instance.reading() as session:
            assert await events.place_of(session, late) == 1


async def test_a_freed_place_goes_to_whoever_waited_longest_and_to_nobody_twice(
    town: Town, clock: TurnableClock
) -> None:
    marek = await makers.person_elsewhere(town.instance)
    lou = await makers.person_elsewhere(town.instance, "lou", name="Lou Berg")
    post = await announced(town.instance, town.ana, town.forum)
    await join(town, town.dee, post)
    await decide(town, marek, post, f"{marek.uri}#join-9-1")
    await join(town, town.sam, post)
    await decide(town, lou, post, f"{lou.uri}#join-9-1")
    # Told twice is asked once.
    await decide(town, marek, post, f"{marek.uri}#join-9-1")
    await join(town, town.sam, post)
    assert await counts(town, post) == (1, 3)
    before = await guest(town, post, lou)
    assert before is not None
    async with town.instance.transaction() as tx:
        await joining.take_back(tx, town.dee, post)
    assert [await state(town, post, one) for one in (town.dee, marek, town.sam, lou)] == [
        GuestState.LEFT, GuestState.GOING, GuestState.WAITING, GuestState.WAITING,
    ]  # fmt: skip
    # Lou, who waits elsewhere, is told the new number; Sam, who waits here, sees it.
    after = await guest(town, post, lou)
    assert after is not None
    assert after.answers == before.answers + 1
    async with town.instance.transaction() as tx:
        assert await joining.leave(tx, marek, post)
    async with town.instance.transaction() as tx:
        assert not await joining.leave(tx, marek, post)
    assert await state(town, post, town.sam) == GuestState.GOING
    assert await counts(town, post) == (1, 1)
    async with town.instance.reading() as session:
        notices = (await session.execute(select(Notification))).scalars().all()
        letters = (await session.execute(select(Letter.subject))).scalars().all()
    assert [(one.member_id, one.kind) for one in notices] == [(town.sam.id, "event_place")]
    assert list(letters) == [f"You have a place: {WEBINAR['title']}"]

    # More places: everybody who waits moves up.
    clock.turn(minutes=2)
    async with town.instance.transaction() as tx:
        await writing.revise(tx, town.ana, post, check({**WEBINAR, "capacity": "5"}))
    assert await counts(town, post) == (2, 0)
    assert await state(town, post, lou) == GuestState.GOING


async def test_what_is_over_off_or_not_ours_is_not_joined(town: Town, clock: TurnableClock) -> None:
    marek = await makers.person_elsewhere(town.instance)
    post = await announced(town.instance, town.ana, town.forum)
    open_house = await announced(town.instance, town.ana, town.forum, joining="none", hidden="")
    with pytest.raises(NotAllowed, match="Nobody signs up"):
        await join(town, town.dee, open_house)
    thread = await makers.thread(town.instance, town.ana, town.forum)
    with pytest.raises(NotFound):
        await join(town, town.dee, thread)
    with pytest.raises(NotAllowed, match="no place"):
        async with town.instance.transaction() as tx:
            await joining.take_back(tx, town.dee, post)
    # A Leave that overtakes its Join leaves nothing to be joined.
    async with town.instance.transaction() as tx:
        await joining.leave(tx, marek, post, f"{marek.uri}#join-9-1")
    await decide(town, marek, post, f"{marek.uri}#join-9-1")
    assert await state(town, post, marek) == GuestState.LEFT
    clock.turn(minutes=2)
    async with town.instance.transaction() as tx:
        await writing.amend(tx, town.ana, post, status="cancelled")
    with pytest.raises(NotAllowed, match="cancelled"):
        await join(town, town.dee, post)
    await decide(town, marek, post, f"{marek.uri}#join-9-2")
    told = await guest(town, post, marek)
    assert told is not None
    assert (told.state, told.reason) == (GuestState.REFUSED, "This event is cancelled.")
    async with town.instance.reading() as session:
        kinds = (await session.execute(select(FactRow.kind).order_by(FactRow.id))).scalars().all()
    assert kinds[-1] == "GuestAnswered"


async def test_only_who_runs_an_event_notes_who_was_there(town: Town, clock: TurnableClock) -> None:
    post = await announced(town.instance, town.ana, town.forum, capacity="")
    await join(town, town.dee, post)
    found = await guest(town, post, town.dee)
    assert found is not None
    with pytest.raises(NotAllowed, match="once it has begun"):
        async with town.instance.transaction() as tx:
            await attendance.note(tx, town.ana, post, found.id, "came")
    clock.turn(days=11)
    with pytest.raises(NotAllowed, match="run an event"):
        async with town.instance.transaction() as tx:
            await attendance.note(tx, town.dee, post, found.id, "came")
    async with town.instance.transaction() as tx:
        await attendance.note(tx, town.ana, post, found.id, "came")
    noted = await guest(town, post, town.dee)
    assert noted is not None
    assert noted.attended


async def test_all_hear_of_a_change_however_many_there_are(town: Town) -> None:
    post = await announced(town.instance, town.ana, town.forum, capacity="")
    blank = {
        "post_id": post.id, "member_id": None, "name": "", "token": "", "queue": 0, "uri": "",
        "n": 0, "answers": 0, "place": None, "link": "", "reason": "", "attended": None,
        "certificate": "", "at": town.instance.clock.now(),
    }  # fmt: skip
    many = telling.AT_ONCE + 1
    async with town.instance.transaction() as tx:
        rows = [
            {**blank, "id": n, "email": f"p{n}@x.example", "state": GuestState.GOING}
            for n in range(1, many + 1)
        ]
        rows.append({**blank, "id": many + 1, "email": "no@x.example", "state": GuestState.LEFT})
        await tx.session.execute(insert(EventGuest), rows)
    async with town.instance.transaction() as tx:
        await writing.change(tx, post, place="Rathaus")

    async def told(subject: str, about: int | None) -> int:
        question = select(Letter.recipient).where(
            Letter.subject.startswith(subject), Letter.post_id.is_not_distinct_from(about)
        )
        async with town.instance.reading() as session:
            found = (await session.execute(question)).scalars().all()
        assert "no@x.example" not in found
        assert len(set(found)) == len(found)
        return len(found)

    assert await told("Changed: ", post.id) == many
    async with town.instance.transaction() as tx:
        await editing.remove(tx, town.ana, post)
    assert await told("", post.id) == 0
    assert await told("An event you signed up for was deleted", None) == many


async def test_a_full_feed_leaves_out_what_is_long_over_first(
    town: Town, clock: TurnableClock
) -> None:
    over = [
        await announced(town.instance, town.ana, town.forum, start_date=f"2026-11-2{day}")
        for day in (5, 6)
    ]
    post = await announced(town.instance, town.ana, town.forum)
    async with town.instance.transaction() as tx:
        kept = await tx.session.get_one(Post, post.id)
        event = await tx.session.get_one(Event, post.id)
        first, second = (
            {column.key: getattr(row, column.key) for column in row.__table__.columns}
            for row in (kept, event)
        )
        more = range(1, feeds.MOST - 1)
        await tx.session.execute(
            insert(Post),
            [{**first, "id": n, "thread_id": n, "uri": f"https://x.example/{n}"} for n in more],
        )
        await tx.session.execute(insert(Event), [{**second, "post_id": n} for n in more])
    clock.turn(days=5)
    async with town.instance.reading() as session:
        listed = await feeds.of_viewer(session, VISITOR, Chosen(), town.instance.clock.now())
    assert len(listed) == feeds.MOST
    # All that is to come, and of the two that are over the later.
    assert [one.post.id for one in listed][:1] == [over[1].id]
    assert over[0].id not in {one.post.id for one in listed}
    assert sum(one.event.ends > town.instance.clock.now() for one in listed) == feeds.MOST - 1
