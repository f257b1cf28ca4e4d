# SPDX-License-Identifier: Apache-2.0
"""A forum of ours with one follower, and what its server was told."""

import asyncio
import time
from collections.abc import Callable

import pytest
from sqlalchemy import select

from storage.log import Lane, Parked
from storage.peers import Peer
from tests import makers
from tests.hostile.commons import SECONDS, Commons, doing
from tests.hostile.peer import Asked, Page, ScriptedPeer, vera


@pytest.fixture
async def followed(gh: Commons, vic: ScriptedPeer) -> Commons:
    """Our forum, followed by Vera whose server takes whole activities only."""
    vic.software = "lemmy"
    vic.describe()
    assert (await gh.sent(vic, doing("Follow", vera(vic), gh.forum.uri))).state == "applied"
    await gh.settled()
    assert [one["type"] for one in vic.delivered] == ["Accept"]
    vic.requests.clear()
    return gh


@pytest.fixture
async def waiting(followed: Commons, vic: ScriptedPeer) -> Commons:
    """A thread waits for Vic, whose server was down and is up again; nobody has noticed."""
    vic.inbox_answer = lambda _: Page(status=503)
    await makers.thread(followed.instance, followed.admin, followed.forum, "Late")
    await followed.settled()
    vic.inbox_answer = lambda _: Page(status=202)
    vic.requests.clear()
    await followed.settled()
    assert told(vic) == []
    return followed


def told(peer: ScriptedPeer) -> list[tuple[str, str]]:
    """(kind, title or id) of what was announced to a peer and taken, in order."""
    found = []
    for document in peer.delivered:
        inner = document["object"]
        thing = inner["object"]
        found.append((inner["type"], str(thing.get("name", thing["id"]))))
    return found


def refusing(words: str, status: int) -> Callable[[Asked], Page]:
    """An inbox that refuses whatever holds these words."""
    return lambda asked: Page(status=status if words.encode() in asked.body else 202)


async def until(holds: Callable[[], object]) -> None:
    """Wait until something holds, for at most SECONDS."""
    end = time.monotonic() + SECONDS
    while not holds():
        assert time.monotonic() < end
        await asyncio.sleep(0.01)


async def peer_of(gh: Commons, host: str) -> Peer:
    async with gh.instance.reading() as session:
        return await session.get_one(Peer, host)


async def parked(gh: Commons) -> int:
    async with gh.instance.reading() as session:
        return len((await session.execute(select(Parked))).scalars().all())


async def lane_of(gh: Commons) -> Lane:
    async with gh.instance.reading() as session:
        return (await session.execute(select(Lane))).scalars().one()
