# SPDX-License-Identifier: Apache-2.0
"""Which copies are compared with their homes now, one worker each."""

import asyncio
import hashlib
from datetime import timedelta

import structlog

from federation import past_versions
from federation.errors import BadAnswer, Forbidden, StatusError, WireError
from federation.fetch.pace import Pace, paced
from federation.receive import Receiver
from federation.repair.asking import NoDigest
from federation.repair.collections import Filling
from federation.repair.comparing import Comparison
from federation.repair.opened import Opened
from federation.repair.pages import Pages
from federation.wire import Wire
from server import digests, peers
from server.forums import comparing
from server.forums.comparing import Outcome
from storage import digests as storage
from storage import leases, plain
from storage.forums import CopyState, Forum
from storage.peers import Peer

logger = structlog.get_logger("guildhall.repair")
AT_ONCE = 32
AT_ONCE_A_PEER = 2
CALM = 0.25
PATIENCE = 0.5
LONGEST_SLEEP = 30.0
LEASE = timedelta(seconds=60)
RENEWED_EVERY = 20.0
INCOMPLETE = "Some of it could not be had yet."


class Repair:
    """Fills copies and keeps them equal to their homes; all it knows stands in the database."""

    def __init__(self, wire: Wire, receiver: Receiver, owner: str) -> None:
        self._wire = wire
        self._receiver = receiver
        self._owner = owner
        self.pages = Pages(wire)
        self.pace = Pace(wire.instance.clock, wire.instance.randomness)
        self.opened = Opened(wire, receiver, self.pages, self.pace)
        self._running: dict[int, tuple[str, asyncio.Task[bool]]] = {}
        self._started = False
        self._looked = 0.0

    async def run_due(self) -> float:
        """Start on what is due; answers the seconds until the next is.

        Quick ones are waited for; others go on by themselves, so that none delays another.
        """
        instance = self._wire.instance
        # Woken by every deed: one look serves all of a quarter of a second.
        loop = asyncio.get_running_loop()
        await asyncio.sleep(max(0.0, self._looked + CALM - loop.time()))
        self._looked = loop.time()
        if not self._started:
            self._started = True
            async with instance.transaction() as tx:
                await comparing.bring_forward(tx)
        now = instance.clock.now()
        rules = await self._rules()
        async with instance.reading() as session:
            waiting = await comparing.due(session, now, rules, 200, self._busy())
            following = await comparing.next_due(session)
        for forum in waiting:
            self._start(forum, rules)
        if self._running:
            await asyncio.wait([task for _, task in self._running.values()], timeout=PATIENCE)
        if following is None:
            return LONGEST_SLEEP
        return min(LONGEST_SLEEP, max(PATIENCE, (following - now).total_seconds()))

    def _busy(self) -> list[str]:
        """The homes that are asked as much as they may be, so that none holds up the others."""
        homes = [home for home, _ in self._running.values()]
        return [home for home in set(homes) if homes.count(home) >= AT_ONCE_A_PEER]

    def _start(self, forum: Forum, rules: str) -> None:
        home = forum.peer or ""
        full = len(self._running) >= AT_ONCE or home in self._busy()
        if full or forum.id in self._running:
            return
        task = asyncio.create_task(self._alone(forum, rules))
        self._running[forum.id] = (home, task)

        def ended(finished: asyncio.Task[bool]) -> None:
            self._running.pop(forum.id, None)
            if finished.cancelled():
                return
            if finished.exception() is None:
                if finished.result():
                    self._wire.instance.wake()
            else:
                # Begun again with the next round, not at once: it may well fail again.
                logger.error("comparing failed", forum=forum.uri, exc_info=finished.exception())

        task.add_done_callback(ended)

    async def stop(self) -> None:
        """Leave off; what was not finished is still due."""
        await self.opened.stop()
        tasks = [task for _, task in self._running.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _alone(self, forum: Forum, rules: str) -> bool:
        """Compare one copy; False where another worker does."""
        name = f"repair:{forum.id}"
        if not await self._claim(name):
            return False
        renewing = asyncio.create_task(self._renew(name))
        try:
            outcome = await self._outcome(forum, rules)
            async with self._wire.instance.transaction() as tx:
                await comparing.ended(tx, forum.id, forum.compare_next, rules, outcome)
        finally:
            renewing.cancel()
            await asyncio.gather(renewing, return_exceptions=True)
            async with self._wire.instance.transaction() as tx:
                await leases.release(tx.session, [name], self._owner)
        return True

    async def _claim(self, name: str) -> bool:
        async with self._wire.instance.transaction() as tx:
            until = tx.now + LEASE
            return bool(await leases.claim(tx.session, [name], self._owner, tx.now, until))

    async def _renew(self, name: str) -> None:
        while True:
            await asyncio.sleep(RENEWED_EVERY)
            await self._claim(name)

    async def _outcome(self, forum: Forum, rules: str) -> Outcome:
        """How it went, whatever happened."""
        try:
            return await self._compare(forum, rules)
        except WireError as error:
            logger.warning("copy not compared", forum=forum.uri, why=str(error))
            return Outcome(in_plain_words(error))
        except Exception as error:  # the outermost loop: one bad home must not stop the rest
            logger.error("comparing failed", forum=forum.uri, exc_info=error)
            return Outcome("Something went wrong on our side.")

    async def _compare(self, forum: Forum, rules: str) -> Outcome:
        async with self._wire.instance.reading() as session:
            peer = await plain.found(session, Peer, forum.peer or "")
        if peer is None or peer.software != peers.GUILDHALL:
            return await self._fill(forum, repeats=False)
        filling = forum.copy_state == CopyState.FILLING
        forum = await self._receiver.actors.forum(forum.uri, fresh=filling)
        if forum.compare_rules != rules:
            await self._look_again(forum)
        try:
            outcome = await Comparison(self._wire, self._receiver, forum).run()
            # No digest sums up what a practice said before.
            await past_versions.complete(self._wire, forum.id)
            return outcome
        except NoDigest:
            # A Guildhall from before there were digests, or a forum that is closed to us now.
            if filling:
                return await self._fill(forum, repeats=True)
            return Outcome("Their site does not show us what is in the forum.", through=True)

    async def _fill(self, forum: Forum, *, repeats: bool) -> Outcome:
        with paced(self.pace):
            complete = await Filling(self._wire, self._receiver, self.pages).fill(forum)
        return Outcome("" if complete else INCOMPLETE, through=True, repeats=repeats)

    async def _look_again(self, forum: Forum) -> None:
        """Other rules are in force: what they kept out may come in now."""
        async with self._wire.instance.transaction() as tx:
            days = await storage.forget_differences(tx.session, forum.id, digests.BY_RULES)
            await storage.mark(tx.session, forum.id, days)

    async def _rules(self) -> str:
        """A name for the rules in force now."""
        now = self._wire.instance.clock.now()
        async with self._wire.instance.reading() as session:
            found = await peers.rules(session)
        live = [
            f"{rule.verdict} {rule.pattern}"
            for rule in found
            if rule.expires is None or rule.expires > now
        ]
        live.append(self._wire.instance.settings.federates)
        return hashlib.sha256("\n".join(sorted(live)).encode()).hexdigest()


def in_plain_words(error: WireError) -> str:
    """Why a home could not be asked, as people read it."""
    if isinstance(error, StatusError):
        if error.status in {401, 403}:
            return "Their site does not show it to us: ask their administrators to list us."
        if error.status in {404, 410}:
            return "Their site says that the forum is there no longer."
        return "Their site has trouble answering."
    if isinstance(error, Forbidden):
        return "Our own rules keep us from asking them."
    if isinstance(error, BadAnswer):
        return "Their site answered with something we cannot read."
    return "Their site did not answer."
