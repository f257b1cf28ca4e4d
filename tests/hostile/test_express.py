# SPDX-License-Identifier: Apache-2.0
"""Single entries over connections that stand open, whatever is answered."""

from collections.abc import Callable

import pytest
from sqlalchemy import select

from federation.delivery import express
from federation.delivery.express import Express, Moment, Parcel
from federation.delivery.health import Origin
from federation.delivery.sending import Office
from federation.fetch.line import Answer, Late
from server.peers import remove_rule, rules
from server.rulebook import Rules
from storage.forums import Visibility
from storage.lanes import Work
from storage.log import Lane, Parked
from storage.peers import Peer
from tests import makers
from tests.hostile.commons import Commons, doing
from tests.hostile.followed import followed as followed
from tests.hostile.peer import Page, ScriptedPeer, mallory

# What a connection that stands open was answered: a status, or what kept it from one.
Came = list[int | str]


@pytest.fixture
def came(monkeypatch: pytest.MonkeyPatch) -> Came:
    """Everything that was answered to what went this way."""
    found: Came = []
    answered: Callable[[Express, Parcel, Answer | Exception], None] = Express.answered

    def heard(self: Express, parcel: Parcel, said: Answer | Exception) -> None:
        found.append(said.status if isinstance(said, Answer) else type(said).__name__)
        answered(self, parcel, said)

    monkeypatch.setattr(Express, "answered", heard)
    return found


async def noted(gh: Commons, host: str) -> tuple[int, int, int, int]:
    """What is written down of a peer: delivered, refused, failures, parked."""
    async with gh.instance.reading() as session:
        lanes = (await session.execute(select(Lane).where(Lane.peer == host))).scalars().all()
        parked = len((await session.execute(select(Parked))).scalars().all())
        peer = await session.get_one(Peer, host)
    delivered, refused = sum(one.delivered for one in lanes), sum(one.refused for one in lanes)
    return delivered, refused, peer.failures, parked


@pytest.mark.parametrize(
    ("status", "posts", "changed"),
    [
        (202, 1, (1, 0, 0, 0)),
        # This very request has come before.
        (409, 1, (1, 0, 0, 0)),
        (410, 1, (0, 1, 0, 0)),
        # Perhaps the other kind of signature is meant.
        (400, 2, (0, 1, 0, 0)),
        (403, 1, (0, 0, 0, 1)),
        (503, 1, (0, 0, 1, 0)),
    ],
)
async def test_every_answer_means_what_it_means_on_a_new_connection(
    followed: Commons,
    vic: ScriptedPeer,
    came: Came,
    status: int,
    posts: int,
    changed: tuple[int, ...],
) -> None:
    before = await noted(followed, vic.host)
    vic.inbox_answer = lambda _: Page(status=status)
    await makers.thread(followed.instance, followed.admin, followed.forum, "Permits")
    await followed.settled()
    assert came == [status]
    assert len(vic.delivered) == posts
    after = await noted(followed, vic.host)
    assert tuple(now - then for now, then in zip(after, before, strict=True)) == changed
    # Whatever came of it, the next goes its way, and in the end each was taken once.
    vic.inbox_answer = lambda _: Page(status=202)
    vic.requests.clear()
    followed.clock.turn(hours=7)
    await makers.thread(followed.instance, followed.admin, followed.forum, "Roads")
    await followed.settled()
    titles = [one["object"]["object"]["name"] for one in vic.delivered]
    assert titles == (["Permits"] if status in {403, 503} else []) + ["Roads"]


async def test_who_does_not_answer_in_time_is_down(
    followed: Commons, vic: ScriptedPeer, came: Came, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(express, "DEADLINE", 0.2)
    vic.inbox_answer = lambda _: Page(status=202, seconds=0.5)
    await makers.thread(followed.instance, followed.admin, followed.forum, "Permits")
    await followed.settled()
    assert came == [Late.__name__]
    assert (await noted(followed, vic.host))[2] == 1
    # It had read it all the same; a sign of life, and it is told again.
    vic.inbox_answer = lambda _: Page(status=409)
    await followed.deliver(vic, doing("View", mallory(vic), followed.thread.uri))
    await followed.settled()
    assert [one["object"]["object"]["name"] for one in vic.delivered] == ["Permits"] * 2
    assert (await noted(followed, vic.host))[2:] == (0, 0)


async def test_nothing_goes_to_who_is_on_no_list_any_more(
    followed: Commons, vic: ScriptedPeer, came: Came
) -> None:
    async with followed.instance.transaction() as tx:
        for rule in await rules(tx.session):
            await remove_rule(tx, followed.admin, rule.id)
    await makers.thread(followed.instance, followed.admin, followed.forum, "Permits")
    await followed.settled()
    assert (came, vic.delivered) == ([], [])


async def test_nothing_goes_from_a_forum_closed_before_it_is_sent(
    followed: Commons, vic: ScriptedPeer, came: Came, monkeypatch: pytest.MonkeyPatch
) -> None:
    quick: list[bool] = []
    put, moment = Express.put, Express._moment

    def puts(self: Express, work: Work, origin: Origin) -> bool:
        quick.append(put(self, work, origin))
        return quick[-1]

    monkeypatch.setattr(Express, "put", puts)
    await makers.thread(followed.instance, followed.admin, followed.forum, "Permits")
    await followed.settled()
    assert (quick, came, len(vic.delivered)) == ([True], [202], 1)

    async def closes_first(self: Express) -> Moment:
        await followed.narrow(Visibility.MEMBERS)
        return await moment(self)

    # Its lane was claimed and its entry read; it is about to be signed.
    monkeypatch.setattr(Express, "_moment", closes_first)
    await makers.thread(followed.instance, followed.admin, followed.forum, "Roads")
    await followed.settled()
    followed.clock.turn(hours=7)
    await followed.settled()
    assert quick[:2] == [True, True]
    assert (came, len(vic.delivered)) == ([202], 1)


async def test_a_fault_at_the_start_leaves_it_to_the_lanes_own_turn(
    followed: Commons, vic: ScriptedPeer, came: Came, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, rules_of = [], Office.rules

    async def fails_once(self: Office) -> Rules:
        asked.append(1)
        if len(asked) == 1:
            raise OSError("the database is gone for a moment")
        return await rules_of(self)

    monkeypatch.setattr(Office, "rules", fails_once)
    await makers.thread(followed.instance, followed.admin, followed.forum, "Permits")
    await followed.settled()
    assert (came, len(vic.delivered), len(asked)) == ([], 1, 2)
