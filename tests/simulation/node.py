# SPDX-License-Identifier: Apache-2.0
"""One agency's machine: a real instance that can be switched off."""

import asyncio
import gc
import random
from collections.abc import Callable, Coroutine
from contextvars import Context, ContextVar, copy_context
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar, cast

import aiohttp
from starlette.applications import Starlette

from federation.station import Station
from federation.worker import Worker
from server.instance import Instance
from server.members.accounts import add_keys
from server.randomness import SeededRandomness
from server.settings import Settings
from tests import makers
from tests.simulation.doors import Line, Session
from tests.simulation.inline_sqlite import InlineConnection
from tests.simulation.network import Answered, Asked, Network, scope_of
from tests.simulation.virtual_time import NodeClock, VirtualLoop
from web.app import create_app

T = TypeVar("T")
# Whose work the running task is: (node, how often it had been started).
RUNNING: ContextVar["tuple[Node, int] | None"] = ContextVar("running", default=None)
# How many signatures were found good while a request was served.
CHECKED: ContextVar[list[str] | None] = ContextVar("checked", default=None)


class Machine:
    """The database side of one start of a node: dead once that node crashed."""

    def __init__(self, node: "Node") -> None:
        self._node = node
        self.alive = True
        self.connections: list[InlineConnection] = []
        self.writing: InlineConnection | None = None

    def opened(self, connection: InlineConnection) -> None:
        self.connections.append(connection)

    def begun(self, connection: InlineConnection) -> None:
        if self.writing is not None and self.writing is not connection:
            self._node.complain("two writers are in a transaction on one database")
        self.writing = connection

    def ended(self, connection: InlineConnection) -> None:
        if self.writing is connection:
            self.writing = None

    def committing(self, commit: Callable[[], None]) -> None:
        self._node.committing(self, commit)

    def dawdles(self) -> bool:
        return self._node.random.random() < 0.05


class Node:
    """A machine with one instance on it, reached under `host`."""

    def __init__(self, loop: VirtualLoop, network: Network, settings: Settings, seed: int) -> None:
        self.loop = loop
        self.network = network
        self.settings = settings
        self.host = settings.host
        self.name = self.host.partition(".")[0]
        self.seed = seed
        self.random = random.Random(seed)
        self.clock = NodeClock(loop)
        self.alive = False
        self.starts = 0
        self.commits = 0
        self.crash_at: int | None = None
        self.verified = 0
        # While somebody else has its database locked, whom it asked to come again.
        self.is_held = False
        self.put_off: list[str] = []
        self.complaints: list[str] = []
        self.tasks: dict[asyncio.Task[Any], None] = {}
        self.machine: Machine
        self.instance: Instance
        self.app: Starlette
        self.worker: Worker
        network.hosts[self.host] = self

    @property
    def station(self) -> Station:
        station: Station = self.app.state.wire
        return station

    @property
    def database_path(self) -> Path:
        return Path(str(self.settings.database).removeprefix("sqlite:///"))

    def complain(self, what: str) -> None:
        """Something happened that never may."""
        self.network.note(f"{self.name} complains: {what}")
        self.complaints.append(what)

    def context(self) -> Context:
        """What a task of this node runs in, so that it is known as one."""
        context = copy_context()
        context.run(RUNNING.set, (self, self.starts))
        return context

    async def start(self) -> None:
        """Switch it on: the database as of the last commit, and nothing else."""
        # What a crash left behind goes now, and not in the middle of something.
        gc.collect()
        self.starts += 1
        self.alive = True
        self.machine = Machine(self)
        self.network.note(f"{self.name} starts")
        await self.do(self._open)

    async def _open(self) -> None:
        number = self.starts
        randomness = SeededRandomness(self.seed * 1_000 + self.starts)
        instance = await Instance.open(self.settings, clock=self.clock, randomness=randomness)
        app = create_app(instance, worker=False)
        station: Station = app.state.wire
        # The door stays the real one; its session and its lines lead into our network.
        source = _Line(self, self.machine)
        station.door._opened = cast(aiohttp.ClientSession, Session(self.network, source))

        async def connect(*_: object) -> Line:
            return Line(self.network, source)

        station.door._lines._connect = connect  # type: ignore[assignment]
        if number == 1:
            # The instance actor's pair is one made once: RSA keys take long.
            async with instance.transaction() as tx:
                add_keys(tx, station.urls.instance, makers.keys(instance.vault))
        await station.open()
        if number != self.starts or not self.alive:
            return
        self.instance, self.app, self.worker = instance, app, Worker(station)
        await self.worker.start()

    def crash(self) -> None:
        """Switch it off at once: nothing that runs can change its rows any more."""
        if not self.alive:
            return
        self.network.note(f"{self.name} crashes")
        self.alive = False
        self.machine.alive = False
        for connection in self.machine.connections:
            connection.stop()
        doomed, self.tasks = list(self.tasks), {}
        for task in doomed:
            task.cancel()

    def committing(self, machine: Machine, commit: Callable[[], None]) -> None:
        """A commit; the machine may be switched off right before or right after it."""
        self.commits += 1
        if self.crash_at != self.commits or not machine.alive:
            commit()
            return
        self.crash_at = None
        if self.random.random() < 0.5:
            commit()
        self.crash()
        raise asyncio.CancelledError

    async def do(self, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Run something on this node; CancelledError when it crashes meanwhile."""
        return await self.loop.create_task(work(), context=self.context())

    def calls(self, machine: Machine, target: str) -> None:
        """A request goes out; a write transaction must not be open meanwhile."""
        writing = machine.writing
        if writing is not None and writing.writer is asyncio.current_task():
            self.complain(f"asks {target} inside a write transaction")

    def serve(self, asked: Asked) -> "asyncio.Future[Answered | None]":
        """Hand a request to the application, in a task of this node."""
        return self.loop.create_task(
            self._guarded(asked), context=self._plain_context(), name="serving"
        )

    def _plain_context(self) -> Context:
        context = Context()
        context.run(RUNNING.set, None)
        return context

    async def _guarded(self, asked: Asked) -> Answered | None:
        """The answer, or None when the machine went down meanwhile."""
        started = self.starts
        try:
            return await self.do(lambda: self._serve(asked))
        except asyncio.CancelledError:
            if self.alive and self.starts == started:
                raise
            return None

    async def _serve(self, asked: Asked) -> Answered | None:
        started = self.starts
        checked: list[str] = []
        CHECKED.set(checked)
        parts: list[dict[str, Any]] = []
        received = False

        async def receive() -> dict[str, Any]:
            nonlocal received
            if received:
                await asyncio.Event().wait()
            received = True
            return {"type": "http.request", "body": asked.body, "more_body": False}

        async def send(message: Any) -> None:
            parts.append(dict(message))

        try:
            await self.app(scope_of(asked), receive, send)
        except Exception as error:  # what the server would log as a fault
            if self.alive and started == self.starts:
                self.complain(f"{asked.about} failed: {type(error).__name__}: {error}")
        if not parts:
            return None
        body = b"".join(part.get("body", b"") for part in parts[1:])
        answer = Answered(parts[0]["status"], tuple(parts[0]["headers"]), body)
        if answer.status == 503 and self.is_held:
            later = dict(answer.headers).get(b"retry-after", b"")
            self.put_off.append(f"{asked.about}: {later.decode()}")
        elif answer.status >= 500 and (answer.status != 503 or self.network.is_fair):
            # Where a key cannot be had from its home, 503 asks to come again.
            self.complain(f"{asked.about} was answered {answer.status}")
        if asked.method == "POST" and answer.status == 202 and not checked:
            self.complain(f"{asked.about} was accepted without a good signature")
        return answer

    def step_back(self, back: timedelta) -> None:
        """Its clock is set back."""
        self.clock.skew -= back
        self.network.note(f"{self.name} sets its clock back by {back}")


class _Line:
    """The wire out of one start of a node: dead with it."""

    def __init__(self, node: Node, machine: Machine) -> None:
        self._node = node
        self._machine = machine
        self.host = node.host

    def calls(self, target: str) -> None:
        if not self._machine.alive:
            raise ConnectionError("the machine is off")
        self._node.calls(self._machine, target)


def tasks_of_nodes(loop: VirtualLoop) -> None:
    """Have each node know its own tasks, those that tidy up after a crash left out."""

    def made(
        _loop: asyncio.AbstractEventLoop, coro: Any, context: Context | None = None, **how: Any
    ) -> asyncio.Task[Any]:
        task: asyncio.Task[Any] = asyncio.Task(coro, loop=loop, context=context, **how)
        running = (context or copy_context()).get(RUNNING)
        if running is not None:
            node, number = running
            if node.alive and node.starts == number:
                node.tasks[task] = None
                task.add_done_callback(lambda done: node.tasks.pop(done, None))
        return task

    loop.set_task_factory(made)
