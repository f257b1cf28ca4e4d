# SPDX-License-Identifier: Apache-2.0
"""Comparing a copy with its home, day by day, and putting it right."""

import asyncio
from collections.abc import Iterable

import structlog
from sqlalchemy.exc import IntegrityError

from federation.digests.reading import Line
from federation.digests.serving import buckets
from federation.errors import WireError
from federation.receive import Receiver
from federation.repair.collections import take_stewards
from federation.repair.mending import Mending, NotNow
from federation.wire import Wire
from server import digests
from server.forums import elsewhere
from server.forums.comparing import Outcome
from storage import digests as storage
from storage.forums import CopyState, Forum

logger = structlog.get_logger("guildhall.repair")
AT_ONCE = 4
MOST_LINES = 20_000
MOST_UNREAD = 10
MOST_DIFFERENCES = 100_000


class Comparison:
    """One copy and its home; both sum their days up by the same function."""

    def __init__(self, wire: Wire, receiver: Receiver, forum: Forum) -> None:
        self._wire = wire
        self._receiver = receiver
        self._forum = forum
        self._mending = Mending(wire, receiver, forum)
        self._later: list[tuple[Line, str]] = []
        self._stray: list[tuple[str, str]] = []
        self._failed = ""
        self._done = self._whole = self._looked_at = self._unread = 0

    async def run(self) -> Outcome:
        """Ask, list the days that differ, newest first, and repair. Raises WireError."""
        instance = self._wire.instance
        if self._forum.copy_state == CopyState.FILLING:
            # Named before anybody here followed, and so told to nobody here.
            await take_stewards(self._wire, self._receiver, self._forum)
        own = await buckets(instance, self._forum)
        theirs = await self._mending.home.days(digests.total_of(own))
        if theirs is None:
            return Outcome(through=True)
        async with instance.reading() as session:
            known = await storage.count_differences(session, self._forum.id)
        if known > MOST_DIFFERENCES:
            return Outcome("Their list names too many posts that cannot be had.", through=True)
        ours = {bucket.day: bucket for bucket in own}
        await take_stewards(self._wire, self._receiver, self._forum)
        differing = sorted(
            (day for day in {**ours, **theirs} if ours.get(day) != theirs.get(day)), reverse=True
        )
        self._whole = sum(bucket.posts for bucket in theirs.values())
        self._done = sum(bucket.posts for day, bucket in theirs.items() if day not in differing)
        for day in differing:
            if self._looked_at >= MOST_LINES:
                return Outcome(more=True)
            await self._day_safely(day, listed=day in theirs)
        await self._leftovers()
        return Outcome(self._failed, through=True)

    async def _day_safely(self, day: str, *, listed: bool) -> None:
        """One day; a few that cannot be read do not stop the others."""
        try:
            await self._day(day, listed=listed)
        except WireError as error:
            self._unread += 1
            if not error.permanent or self._unread > MOST_UNREAD:
                raise
            self._fail(day, str(error))

    async def _day(self, day: str, *, listed: bool) -> None:
        theirs = await self._mending.home.lines(day) if listed else {}
        async with self._wire.instance.reading() as session:
            ours = await digests.lines_of_day(session, self._forum, day)
        differing = [line for uri, line in theirs.items() if ours.get(uri) != line.text]
        self._done += len(theirs) - len(differing)
        self._looked_at += len(theirs) + 1
        await self._progress()
        await self._mend_all((line, day) for line in differing)
        for uri in ours.keys() - theirs.keys():
            await self._unlisted(uri, day, ours[uri])
        async with self._wire.instance.transaction() as tx:
            # Whatever was summed up of it, it was not what the home has.
            await storage.mark(tx.session, self._forum.id, {day})
        await self._progress()

    async def _mend_all(self, lines: Iterable[tuple[Line, str]]) -> None:
        room = asyncio.Semaphore(AT_ONCE)

        async def mended(line: Line, day: str) -> None:
            async with room:
                if not await self._mended(line, day, last=False):
                    self._later.append((line, day))

        await asyncio.gather(*(mended(*line) for line in lines))

    async def _mended(self, line: Line, day: str, *, last: bool) -> bool:
        """One line; what cannot be had now does not stop the others."""
        try:
            if not await self._mending.mend(line, day, last=last):
                return False
        except (NotNow, WireError) as error:
            self._fail(line.uri, str(error))
        except IntegrityError:
            # Something else brought the same thing at the same moment.
            if not last:
                return False
            self._fail(line.uri, "The same was being stored already.")
        self._done += 1
        return True

    async def _unlisted(self, uri: str, day: str, line: str) -> None:
        try:
            if not await self._mending.unlisted(uri, day, line):
                self._stray.append((uri, day))
        except WireError as error:
            self._fail(uri, str(error))

    async def _leftovers(self) -> None:
        """What answers posts of earlier days, now that those are here; what no day lists."""
        await self._mending.look_again()
        waiting = sorted(self._later, key=lambda one: (one[1], one[0].uri))
        while waiting:
            # What was brought now may be what another one answers.
            unmet = [one for one in waiting if not await self._mended(*one, last=True)]
            if len(unmet) == len(waiting):
                self._done += len(unmet)
                break
            waiting = unmet
        async with self._wire.instance.reading() as session:
            settled = await storage.differences_of(
                session, self._forum.id, {uri for uri, _ in self._stray}
            )
        for uri, day in self._stray:
            if uri not in settled:
                await self._mending.unlisted_for_good(uri, day)
        await self._progress()

    def _fail(self, what: str, why: str) -> None:
        self._failed = self._failed or "Some of it could not be had yet."
        logger.info("not compared", forum=self._forum.uri, what=what, why=why)

    async def _progress(self) -> None:
        """How far a first copy has come."""
        if self._forum.copy_state != CopyState.FILLING:
            return
        async with self._wire.instance.transaction() as tx:
            await elsewhere.progress(tx, self._forum.id, self._done, self._whole)
