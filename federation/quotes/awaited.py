# SPDX-License-Identifier: Apache-2.0
"""Stamps of quotes that could not be had when their posts came."""

import asyncio
from collections import OrderedDict
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import orjson
from sqlalchemy.ext.asyncio import AsyncSession

from federation.actors import Actors
from federation.fetch.allowance import Allowance, limited
from federation.incoming import Incoming
from federation.quotes.checking import Leave, leave
from federation.verification import Verifier
from federation.vocabulary.errors import Malformed
from federation.vocabulary.posts import parse_post
from federation.wire import Wire
from storage import posts
from storage.posts import Post, RawObject

IDLE = 300.0
AT_ONCE = 50
MOST_LISTED = 1_000
MOST_REMEMBERED = 10_000
SOONEST = timedelta(minutes=1)
LONGEST = timedelta(hours=6)
# Some two days; a stamp that was never there is asked for no longer than that.
MOST_TRIES = 15


@dataclass(frozen=True)
class _Tried:
    """How often a stamp was asked for in vain, and when it is asked for again."""

    times: int
    again: datetime


class Awaited:
    """Asks for them again, each time twice as long after, and gives up after MOST_TRIES.

    How often each was tried is kept in memory: after a restart they are tried anew.
    """

    def __init__(self, wire: Wire, actors: Actors, verifier: Verifier) -> None:
        self._wire = wire
        self._actors = actors
        self._verifier = verifier
        self._tried: OrderedDict[int, _Tried] = OrderedDict()
        self._asking = asyncio.Lock()

    async def are_wanted(self) -> bool:
        """Whether there are any."""
        async with self._wire.instance.reading() as session:
            return bool(await posts.without_their_stamp(session, 1))

    async def run_due(self) -> float:
        """Ask for those that are due, one after the other; answers the seconds until the next."""
        async with self._asking:
            return await self._run_due()

    async def _run_due(self) -> float:
        clock = self._wire.instance.clock
        async with self._wire.instance.reading() as session:
            waiting = await posts.without_their_stamp(session, MOST_LISTED)
        wait, asked = IDLE, 0
        for post, stamp in waiting.items():
            # It was asked for when the post came.
            tried = self._tried.get(post) or self._note(post, 1)
            if tried.again <= clock.now() and asked < AT_ONCE:
                asked += 1
                await self._again(post, stamp, tried.times + 1)
                tried = self._tried.get(post, tried)
            wait = min(wait, max(1.0, (tried.again - clock.now()).total_seconds()))
        return wait

    def _note(self, post: int, times: int) -> _Tried:
        pause = min(LONGEST, SOONEST * 2 ** (times - 1))
        tried = _Tried(times, self._wire.instance.clock.now() + pause)
        self._tried[post] = tried
        self._tried.move_to_end(post)
        while len(self._tried) > MOST_REMEMBERED:
            self._tried.popitem(last=False)
        return tried

    async def _again(self, post: int, stamp: str, times: int) -> None:
        found = await self._leave(post, stamp)
        if not found.quoted and found.stamp and times < MOST_TRIES:
            self._note(post, times)
            return
        self._tried.pop(post, None)
        async with self._wire.instance.transaction() as tx:
            held = await tx.session.get_one(Post, post)
            if held.quoted_uri is None and held.quote_stamp == stamp:
                # One that was given up is gone too, or it would be asked for for ever.
                held.quoted_uri = found.quoted or None
                held.quote_stamp = found.stamp or None if found.quoted else None

    async def _leave(self, post: int, stamp: str) -> Leave:
        """What its stamp says of a post by now."""
        async with self._wire.instance.reading() as session:
            sent = await _as_sent(session, post)
        try:
            read = replace(parse_post(sent), stamp=stamp)
        except Malformed:
            return Leave()
        with limited(Allowance()):
            return await leave(Incoming(self._wire, self._actors, self._verifier), read)


async def _as_sent(session: AsyncSession, post: int) -> dict[str, Any]:
    """A post as its author sent it; empty where that is not kept."""
    raw = await session.get(RawObject, post)
    sent: dict[str, Any] = orjson.loads(raw.body) if raw is not None and raw.body else {}
    return sent
