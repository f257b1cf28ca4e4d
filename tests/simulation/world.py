# SPDX-License-Identifier: Apache-2.0
"""A few agencies that follow one another's forums, under one clock."""

import asyncio
import gc
import os
import random
import shutil
import tempfile
import warnings
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path
from unittest import mock

from federation import worker as worker_module
from federation.signatures.keys import VerificationKey
from server import peers
from server.forums import deeds, follows
from server.peers import RuleDraft
from server.settings import Mode, Settings, load
from storage import forums
from storage.database import Database, prepare
from storage.forums import Forum, Visibility
from storage.members import Member
from tests import makers
from tests.simulation.inline_sqlite import Machine, inline_sqlite
from tests.simulation.network import Network
from tests.simulation.node import CHECKED, Node, tasks_of_nodes
from tests.simulation.virtual_time import VirtualLoop, shown

NAMES = ("riverton", "lakeside", "harbor", "cascadia", "stranger")
MASTER_KEY = bytes(range(32))


@dataclass(frozen=True)
class Place:
    """A forum: where it lives, its id as others know it, and the word all its posts carry."""

    home: Node
    uri: str
    word: str
    visibility: Visibility


class World:
    """The agencies of one run."""

    def __init__(
        self, seed: int, loop: VirtualLoop, folder: Path, size: int, *, stranger: bool = False
    ) -> None:
        self.seed = seed
        self.loop = loop
        self.random = random.Random(seed * 31 + 7)
        self.network = Network(loop, seed * 31 + 11)
        hosts = [f"{name}.localhost" for name in NAMES]
        self.nodes = [
            Node(loop, self.network, _settings(folder / host, host, hosts), seed * 100 + number)
            for number, host in enumerate([*hosts[:size], *(hosts[-1:] if stranger else [])])
        ]
        self.places: list[Place] = []
        # On no list and listing everybody: nothing may ever reach it.
        self.stranger = next((node for node in self.nodes if node.name == "stranger"), None)
        if self.stranger is not None:
            self.network.tapped = self.stranger.host
        self.people: dict[str, list[str]] = {}
        self.findings: list[str] = []
        loop.on_busy = self._busy

    @property
    def agencies(self) -> list[Node]:
        """The nodes that have one another on their lists."""
        return [node for node in self.nodes if node is not self.stranger]

    def machine_of(self, database: str) -> Machine:
        return next(n.machine for n in self.nodes if str(n.database_path) == database)

    def _busy(self) -> None:
        """Somebody works without ever waiting."""
        running = {
            (n.name, getattr(t.get_coro(), "__qualname__", "")) for n in self.nodes for t in n.tasks
        }
        names = sorted(" ".join(pair) for pair in running)
        self.findings.append(
            f"busy: at {shown(self.loop.time())} somebody works without ever waiting; what runs: "
            + ", ".join(names)
        )

    @property
    def digest(self) -> str:
        """What happened on the network, as one hash."""
        return sha256("\n".join(self.network.trace).encode()).hexdigest()

    async def found(self) -> None:
        """Start every node, with people and forums on each that all others follow."""
        for node in self.nodes:
            await node.start()
            await node.do(lambda node=node: self._settle(node))  # type: ignore[misc]
        await self.meet()
        for node in self.agencies:
            for place in self.places:
                if place.home is not node:
                    await node.do(
                        lambda node=node, place=place: self._follow(node, place)  # type: ignore[misc]
                    )
        # Each forum has a steward at another agency.
        for number, place in enumerate(self.places):
            node = self.agencies[(number + 1) % len(self.agencies)]
            await place.home.do(
                lambda node=node, place=place: self._name_steward(node, place)  # type: ignore[misc]
            )
        await self.pass_time(30)

    async def _name_steward(self, node: Node, place: Place) -> None:
        """The home makes the one called dee at `node` a steward of its forum."""
        home = place.home
        person = await home.app.state.lookup.find((await self.member(node, "dee")).uri)
        assert isinstance(person, Member), place.uri
        admin = await self.member(home, "sam")
        async with home.instance.reading() as session:
            forum = await forums.by_uri(session, place.uri)
        assert forum is not None, place.uri
        async with home.instance.transaction() as tx:
            await deeds.name_steward(tx, admin, forum, person, named=True)

    async def _settle(self, node: Node) -> None:
        instance = node.instance
        admin = await makers.member(instance, "sam", name="Sam Hale", admin=True)
        for handle in ("ana", "dee"):
            await makers.member(instance, handle)
        self.people[node.name] = ["sam", "ana", "dee"]
        async with instance.transaction() as tx:
            for other in self.nodes:
                if other is not node and (other is not self.stranger or node is self.stranger):
                    await peers.add_rule(tx, admin, RuleDraft(other.host))
        if node is self.stranger:
            return
        # One forum of each world is for agencies only.
        closed = node is self.nodes[1]
        visibility = Visibility.AGENCIES if closed else Visibility.PUBLIC
        handle, word = f"{node.name}_counters", f"word{node.name}"
        forum = await makers.forum(
            instance, admin, handle, title=f"Counters of {word}", visibility=visibility
        )
        self.places.append(Place(node, forum.uri, word, visibility))

    async def meet(self) -> None:
        """Every agency learns what the others run, as an admin does with the list's button."""
        for node in self.agencies:
            for other in self.agencies:
                if other is not node:
                    await node.do(
                        lambda node=node, other=other: node.station.actors.meet(other.host)  # type: ignore[misc]
                    )

    async def _follow(self, node: Node, place: Place) -> None:
        found = await node.app.state.lookup.find(place.uri)
        assert isinstance(found, Forum), place.uri
        member = await self.member(node, "ana")
        async with node.instance.transaction() as tx:
            await follows.follow(tx, member, found)

    async def member(self, node: Node, handle: str) -> Member:
        """A local member of a node."""
        async with node.instance.reading() as session:
            found = await session.execute(
                Member.__table__.select().where(Member.handle == handle, Member.peer.is_(None))
            )
            return await session.get_one(Member, found.first().id)  # type: ignore[union-attr]

    async def pass_time(self, seconds: float, longest_leap: float = 1.0) -> None:
        """Let virtual time go by; while the network is silent in steps up to `longest_leap`."""
        self.loop.longest_leap, self.loop.lively = longest_leap, True
        self.loop.calm_down()
        await self.loop.pause(seconds)

    async def let_fly(self, seconds: float, step: float) -> None:
        """Let much time go by in such steps, whatever moves meanwhile."""
        self.loop.longest_leap = step
        self.loop.lively = False
        await self.loop.pause(seconds)
        self.loop.lively = True
        self.loop.calm_down()

    async def until(
        self, what: Callable[[], Awaitable[str]], seconds: float, every: float = 5.0
    ) -> float | None:
        """Wait until `what` answers ""; the seconds that took, or None when it never did."""
        begun = self.loop.time()
        while self.loop.time() - begun <= seconds:
            if not await what():
                return self.loop.time() - begun
            await self.pass_time(every, every)
            # At first it is looked at closely.
            every = min(60.0, every * 1.3)
        return None


@cache
def _template() -> Path:
    """A migrated database without rows, and instance keys, made once for the process."""
    folder = Path(tempfile.mkdtemp(prefix="guildhall-simulation-"))
    path = folder / "empty.db"

    async def make() -> None:
        database = Database(f"sqlite:///{path}")
        await prepare(database)
        await database.close()

    asyncio.run(make())
    return path


def _settings(folder: Path, host: str, hosts: list[str]) -> Settings:
    (folder / "state").mkdir(parents=True)
    (folder / "state" / "master.key").write_bytes(MASTER_KEY)
    return load(
        origin=f"http://{host}",
        database=f"sqlite:///{folder / 'guildhall.db'}",
        state=folder / "state",
        mode=Mode.TEST,
        agency=host.partition(".")[0].title(),
        resolve={name: "127.0.0.1:80" for name in hosts},
    )


def _counted(verify: Callable[..., bool]) -> Callable[..., bool]:
    """The real check of a signature, which also notes that it was good."""

    def checked(key: VerificationKey, signature: bytes, signed: bytes) -> bool:
        good = verify(key, signature, signed)
        noted = CHECKED.get()
        if good and noted is not None:
            noted.append("good")
        return good

    return checked


@contextmanager
def world(seed: int, size: int = 3, *, stranger: bool = False) -> Iterator[World]:
    """A world that is not founded yet, with all that makes it repeatable in place."""
    shared_memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    template = _template()
    folder = Path(tempfile.mkdtemp(prefix="guildhall-simulation-", dir=shared_memory))
    loop = VirtualLoop(seed)
    tasks_of_nodes(loop)
    made = World(seed, loop, folder, size, stranger=stranger)
    for node in made.nodes:
        shutil.copy(template, node.database_path)
    with ExitStack() as stack:
        # Collected between the turns of a node, and not within: a connection that a crash left
        # must not be tidied up in the middle of what another is doing.
        gc.disable()
        stack.callback(gc.enable)
        # What was there before is none of this world, and need not be gone through each time.
        gc.collect()
        gc.freeze()
        # A crash leaves connections behind, as it does in earnest.
        stack.enter_context(warnings.catch_warnings())
        warnings.filterwarnings("ignore", "The garbage collector is trying to clean up")
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        stack.callback(_bury, loop, made)
        stack.enter_context(inline_sqlite(made.machine_of))
        stack.enter_context(
            mock.patch.object(VerificationKey, "verify", _counted(VerificationKey.verify))
        )
        # One process has each database: nobody else commits to it.
        if hasattr(worker_module, "VERSION_EVERY"):
            stack.enter_context(mock.patch.object(worker_module, "VERSION_EVERY", 86_400.0))
        asyncio.set_event_loop(loop)
        yield made


def _bury(loop: VirtualLoop, made: World) -> None:
    """End whatever still runs."""
    for node in made.nodes:
        node.crash()

    async def drained() -> None:
        mine = asyncio.current_task()
        for attempt in range(20):
            tasks = [task for task in asyncio.all_tasks() if task is not mine]
            # What is cancelled may tidy up in tasks of its own, which are let be at first.
            for task in tasks if attempt % 10 == 0 else []:
                task.cancel()
            if not tasks:
                return
            await asyncio.wait(tasks, timeout=60)

    loop.run_until_complete(drained())
    asyncio.set_event_loop(None)
    loop.close()
    gc.collect()
