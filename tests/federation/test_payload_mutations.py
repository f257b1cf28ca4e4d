# SPDX-License-Identifier: Apache-2.0
"""What is nearly a real payload breaks nothing, and holds nothing up."""

import asyncio
import contextlib
import re
from itertools import count

import hypothesis
import pytest
from hypothesis import HealthCheck, given, strategies
from sqlalchemy import select

from federation.signatures.keys import SigningKey
from federation.signatures.request import Request
from federation.station import Station
from server.instance import Instance
from server.settings import Settings
from storage import inbox
from storage.inbox import InboxRow, InboxState
from tests import makers
from tests.clock import TurnableClock
from tests.federation import payloads
from tests.federation.everywhere import Everywhere
from tests.federation.mutations import Mutation, afresh, mutations
from tests.federation.outcomes import OUTCOMES
from tests.federation.payloads import FIXTURES, Json, Place
from tests.hostile.commons import HOST, ORIGIN, SECONDS

pytestmark = [
    pytest.mark.skipif(not FIXTURES.is_dir(), reason="The payloads are not here."),
    # Many payloads are played in one test, which is what is run where properties are.
    pytest.mark.hypothesis,
]

# Twenty of each payload, the same every time; 500 where properties are tested in full.
IN_FULL = hypothesis.settings().max_examples > 1_000
EACH, BATCHES = 20, 25 if IN_FULL else 1
# In full each part has a server of its own, so that they run beside one another and each ends.
PARTS = 24 if IN_FULL else 1
A_BUG = re.compile(r"\w+: ")
ACCEPTED = [name for name, outcome in OUTCOMES.items() if outcome.end == "applied"]


class Nearly:
    """Our server without its worker, every other server, and what they send."""

    def __init__(self, station: Station, everywhere: Everywhere, names: dict[str, str]) -> None:
        self._station = station
        self._instance = station.instance
        self._everywhere = everywhere
        self._names = names
        self._numbers = count()

    async def begin(self, clock: TurnableClock) -> None:
        """A forum of ours with a thread in it."""
        self._clock = clock
        admin = await makers.member(self._instance, "sam", admin=True)
        forum = await makers.forum(self._instance, admin)
        self._forum = forum.uri
        self._thread = (await makers.thread(self._instance, admin, forum)).uri

    async def sent(self, name: str) -> Json:
        """A payload as its own server sends it."""
        document = payloads.payload(name, self._names[name])
        found = Place(self._forum, self._thread, {}).towards(document)
        assert found is not None
        if found["type"] == "Announce":
            await payloads.followed(self._instance, found["actor"])
            for uri in payloads.announced_about(found):
                self._everywhere.post(uri, found["actor"])
        return found

    async def play(self, name: str, wrongs: list[Mutation]) -> None:
        """Deliver all of them and an honest Like right behind; only that counts for anything."""
        activity = await self.sent(name)
        signer = activity["actor"]
        for wrong in wrongs:
            fresh = afresh(activity, next(self._numbers))
            self._everywhere.know(fresh)
            mutated = wrong.of(fresh)
            status = await self._deliver(mutated, signer)
            assert status < 500, (status, mutated)
            assert status not in {410, 418}
        good = payloads.doing("Like", f"http://{signer.split('/')[2]}/u/good", self._thread)
        good["id"] += f"-{next(self._numbers)}"
        self._everywhere.know(good)
        assert await self._deliver(good, good["actor"]) == 202
        assert await self._ended(good) == "applied"

    async def _ended(self, document: Json) -> str:
        """How an activity ended, once everything before it has ended too."""
        async with asyncio.timeout(SECONDS):
            while True:
                await self._station.receiver.run_due()
                async with self._instance.reading() as session:
                    row = await inbox.by_activity(session, document["actor"], document["id"])
                assert row is not None
                if row.state != InboxState.WAITING:
                    return row.state
                # A host that is slow goes on by itself.
                await asyncio.sleep(0.01)

    async def _deliver(self, document: Json, signer: str) -> int:
        self._clock.turn(minutes=0.2)
        body, headers = self._everywhere.sign(document, self._clock.now(), signer)
        request = Request("POST", "/inbox", HOST, "http", tuple(headers.items()), body)
        return (await self._station.inbox.accept(request)).status

    async def nothing_is_stuck(self) -> None:
        """No row waits because of a bug of ours, and none for a row of the same."""
        async with self._instance.reading() as session:
            rows = await session.execute(select(InboxRow).where(InboxRow.state == "waiting"))
            stuck = [
                (row.kind, row.note, row.body)
                for row in rows.scalars()
                if A_BUG.match(row.note) or "same" in row.note
            ]
        assert not stuck


@pytest.mark.parametrize("part", range(PARTS))
def test_a_payload_with_something_wrong_breaks_nothing(
    settings: Settings, clock: TurnableClock, part: int
) -> None:
    names = {name: f"n{number}" for number, name in enumerate(ACCEPTED[part::PARTS])}
    with asyncio.Runner() as runner:
        stack = contextlib.AsyncExitStack()
        nearly = runner.run(opened(stack, settings, clock, names))

        @hypothesis.settings(max_examples=BATCHES, suppress_health_check=list(HealthCheck))
        @given(seed=strategies.integers(0, 2**32))
        def play(name: str, seed: int) -> None:
            runner.run(nearly.play(name, mutations(f"{name} {seed}", EACH)))

        try:
            for name in names:
                play(name)
            runner.run(nearly.nothing_is_stuck())
        finally:
            runner.run(stack.aclose())


async def opened(
    stack: contextlib.AsyncExitStack,
    settings: Settings,
    clock: TurnableClock,
    names: dict[str, str],
) -> Nearly:
    everywhere = await stack.enter_async_context(Everywhere(SigningKey.generate_rsa()))
    for name, label in names.items():
        everywhere.know(payloads.payload(name, label))
    resolve = {host: f"127.0.0.1:{everywhere.port}" for host in payloads.hosts(names)}
    values = settings.model_dump() | {"origin": ORIGIN, "resolve": resolve, "federation": "open"}
    instance = await Instance.open(Settings(**values), clock=clock)
    stack.push_async_callback(instance.close)
    station = Station(instance)
    stack.push_async_callback(station.close)
    await station.open()
    nearly = Nearly(station, everywhere, names)
    await nearly.begin(clock)
    return nearly
