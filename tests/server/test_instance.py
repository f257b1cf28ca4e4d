# SPDX-License-Identifier: Apache-2.0
"""An instance and its transactions."""

from pathlib import Path

import pytest
from sqlalchemy import select

from server.errors import SettingsError
from server.facts import ThreadPosted, pack, unpack
from server.instance import Instance
from server.settings import Settings
from storage import numbers
from storage.errors import DatabaseError
from storage.facts import FactRow, waiting
from storage.posts import Post
from tests import databases, makers
from tests.clock import TurnableClock
from tests.server.town import Town, settle

database_url = databases.database_url


@pytest.fixture
async def town(instance: Instance) -> Town:
    """Riverton with its forum."""
    return await settle(instance)


async def test_a_deed_and_its_fact_are_stored_together_and_wake_the_worker(town: Town) -> None:
    woken: list[int] = []
    town.instance.on_wake(lambda: woken.append(1))
    post = await makers.thread(town.instance, town.ana, town.forum)
    async with town.instance.reading() as session:
        (fact,) = await waiting(session, town.instance.clock.now(), 50)
    assert unpack(fact.kind, fact.payload) == ThreadPosted(post.id)
    assert fact.payload == pack(ThreadPosted(post.id))
    assert woken == [1]
    async with town.instance.transaction():
        pass
    assert woken == [1], "nothing happened, so nobody is woken"


async def test_a_deed_that_fails_records_nothing_and_wakes_nobody(town: Town) -> None:
    woken: list[int] = []
    town.instance.on_wake(lambda: woken.append(1))

    async def fail() -> None:
        async with town.instance.transaction() as tx:
            tx.record(ThreadPosted(1))
            raise RuntimeError("changed its mind")

    with pytest.raises(RuntimeError, match="changed its mind"):
        await fail()
    async with town.instance.reading() as session:
        assert (await session.execute(select(FactRow))).first() is None
    assert woken == []


async def test_a_reaction_that_fails_takes_its_deed_along(town: Town) -> None:
    async def fail() -> None:
        async with town.instance.transaction() as tx:
            (await tx.session.get_one(type(town.forum), town.forum.id)).title = "Half done"
            tx.record(ThreadPosted(404))

    with pytest.raises(Exception, match="No row"):
        await fail()
    assert (await town.forum_now()).title == "Service counters"


async def test_ids_grow_when_the_clock_steps_back(town: Town) -> None:
    clock = town.instance.clock
    assert isinstance(clock, TurnableClock)
    ids = [town.instance.ids.next()]
    for minutes in (0, -60, 0, 1, -5):
        clock.turn(minutes=minutes)
        ids.append(town.instance.ids.next())
    assert ids == sorted(set(ids))
    assert all(0 < identifier < 1 << 63 for identifier in ids)


async def test_an_instance_opened_again_holds_what_it_held(
    town: Town, settings: Settings, clock: TurnableClock
) -> None:
    post = await makers.thread(town.instance, town.ana, town.forum)
    again = await Instance.open(settings, clock=clock)
    async with again.reading() as session:
        assert (await session.get_one(Post, post.id)).title == post.title
    async with again.reading() as session:
        below = again.ids.ahead
        given_out = await numbers.highest(session, below)
        assert await numbers.highest(session, given_out) < given_out
    assert post.id <= given_out < below
    # Within the same millisecond, and when the clock was set back while it was closed.
    assert again.ids.next() > given_out
    await again.close()
    clock.turn(hours=-3)
    again = await Instance.open(settings, clock=clock)
    beside = await Instance.open(settings, clock=clock)
    theirs, others = ({one.ids.next() for _ in range(1_000)} for one in (again, beside))
    assert min(theirs | others) > given_out
    assert not theirs & others, "processes that count on at once give out the same ids"
    await beside.close()
    await again.close()
    # An id of a clock that was a month ahead is not gone on from.
    clock.turn(days=-30)
    again = await Instance.open(settings, clock=clock)
    assert again.ids.next() < post.id
    sealed = makers.keys(town.instance.vault)[0].sealed
    assert again.vault.unseal(sealed).startswith(b"-----BEGIN")
    await again.close()


async def test_a_wrong_database_or_key_is_one_sentence(settings: Settings, tmp_path: Path) -> None:
    values = settings.model_dump()
    with pytest.raises(DatabaseError):
        await Instance.open(Settings(**values | {"database": "mysql://x"}))
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "master.key").write_bytes(b"short")
    with pytest.raises(SettingsError, match="damaged"):
        await Instance.open(Settings(**values | {"state": broken}))
