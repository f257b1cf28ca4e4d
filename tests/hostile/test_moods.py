# SPDX-License-Identifier: Apache-2.0
"""A server of many moods: all arrives in order, and once."""

import asyncio
import random

import orjson
import pytest

from storage.posts import Post
from tests import makers
from tests.hostile.commons import Commons
from tests.hostile.followed import followed as followed
from tests.hostile.followed import lane_of, parked
from tests.hostile.peer import Asked, Page, ScriptedPeer

ROUNDS = 8
MOODS = (202, 202, 202, 500, 503, 401, 408, 301, 429)


class Moody:
    """An inbox that answers by chance: some posts it cannot bear, sometimes it is away."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._hated: dict[str, int] = {}
        self.is_well = False
        self.taken: list[str] = []

    def answer(self, asked: Asked) -> Page:
        post: str = orjson.loads(asked.body)["object"]["object"]["id"]
        status = 202 if self.is_well else self._status(post)
        if status == 202:
            self.taken.append(post)
        return Page(status=status, seconds=self._chance.choice((0.0, 0.0, 0.01, 0.03)))

    def _status(self, post: str) -> int:
        if post not in self._hated:
            hates = self._chance.random() < 0.25
            self._hated[post] = self._chance.choice((500, 401, 301)) if hates else 0
        return self._hated[post] or self._chance.choice(MOODS)


@pytest.mark.parametrize("seed", range(4))
async def test_all_arrives_in_order_and_once_from_any_mood(
    followed: Commons, vic: ScriptedPeer, seed: int
) -> None:
    chance = random.Random(seed)
    inbox = Moody(chance)
    vic.inbox_answer = inbox.answer
    threads: list[Post] = []
    # The ids of the posts of each thread, in the order in which they were written.
    said: dict[int, list[str]] = {}
    for _ in range(ROUNDS):
        for _ in range(chance.randrange(1, 5)):
            if not threads or chance.random() < 0.4:
                post = await makers.thread(followed.instance, followed.admin, followed.forum)
                threads.append(post)
            else:
                above = chance.choice(threads)
                post = await makers.reply(followed.instance, followed.admin, above)
            said.setdefault(post.thread_id, []).append(post.uri)
        if chance.random() < 0.8:
            await followed.settled()
        followed.clock.turn(minutes=chance.choice((0, 1, 11, 60)))
    everything = sorted(uri for mine in said.values() for uri in mine)
    inbox.is_well = True
    for _ in range(40):
        followed.clock.turn(hours=7)
        await followed.settled()
        if len(inbox.taken) >= len(everything):
            break
    assert sorted(inbox.taken) == everything
    for mine in said.values():
        assert [uri for uri in inbox.taken if uri in mine] == mine
    await followed.settled()
    assert await parked(followed) == 0
    # No turn goes on for ever: the lane is let go of.
    for _ in range(100):
        if (await lane_of(followed)).owner is None:
            break
        await asyncio.sleep(0.05)
    assert (await lane_of(followed)).owner is None
