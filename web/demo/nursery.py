# SPDX-License-Identifier: Apache-2.0
"""Where the processes of the demo come from, quickly."""

import asyncio
import json
import os
import runpy
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Any, NoReturn, Self

GONE = -signal.SIGKILL
_MOST_FILES = 2**31 - 1


@dataclass(frozen=True)
class Child:
    """A process of `guildhall`; `ended` becomes its exit status, negative for a signal."""

    process: int
    ended: "asyncio.Future[int]"


@dataclass(frozen=True)
class Hatched:
    """The process of a nursery: where it is asked, where it tells, and how its end is waited for.

    It ends when `asks` is closed, and closes `tells` by that.
    """

    asks: IO[bytes]
    tells: IO[bytes]
    wait: Callable[[], object]


def started() -> Hatched:
    """A nursery from a program of its own."""
    program = subprocess.Popen(
        [sys.executable, "-P", "-m", "web.cli.nursery"],
        env=outer_environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        # Ctrl-C reaches us alone, so that the servers are stopped in order.
        start_new_session=True,
    )
    if program.stdin is None or program.stdout is None:
        raise OSError("A nursery cannot be talked to.")
    return Hatched(program.stdin, program.stdout, program.wait)


def forked() -> Hatched:
    """A nursery that has what this process has imported, which must not run other threads."""
    asked, asks = os.pipe()
    tells, told = os.pipe()
    # What is not written yet would be written by both.
    sys.stdout.flush()
    sys.stderr.flush()
    process = os.fork()
    if not process:
        _become_a_nursery(asked, told)
    os.close(asked)
    os.close(told)
    return Hatched(
        open(asks, "wb", buffering=0),
        open(tells, "rb", buffering=0),
        lambda: os.waitpid(process, 0),
    )


def _become_a_nursery(asked: int, told: int) -> NoReturn:
    """In the new process: share neither files nor signals with the old one, and be the program."""
    status = 1
    try:
        # Ctrl-C reaches the old one alone, so that the servers are stopped in order.
        os.setsid()
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        for number in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_DFL)
        os.dup2(asked, 0)
        os.dup2(told, 1)
        os.closerange(3, _MOST_FILES)
        runpy.run_module("web.cli.nursery", run_name="__main__")
        status = 0
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        os._exit(status)


class Nursery:
    """One process that imports the program and becomes each of the others, by forking.

    Importing takes longer than most commands do. All of them end with the nursery, and it ends
    with us, however we end. `hatch` makes it.
    """

    def __init__(self, hatch: Callable[[], Hatched] = started) -> None:
        self._hatch = hatch
        self._asking: asyncio.WriteTransport | None = None
        self._reading: asyncio.Task[None] | None = None
        self._beginning: list[asyncio.Future[Child]] = []
        self._children: dict[int, Child] = {}

    async def __aenter__(self) -> Self:
        hatched = self._hatch()
        loop = asyncio.get_running_loop()
        self._asking, _ = await loop.connect_write_pipe(asyncio.BaseProtocol, hatched.asks)
        self._reading = asyncio.create_task(self._read(hatched))
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._asking is not None and self._reading is not None:
            self._asking.close()
            await self._reading

    async def start(
        self, arguments: tuple[str, ...], environment: dict[str, str], files: tuple[Path, ...]
    ) -> Child:
        """Run `guildhall` with these arguments; `files` are its input, output and error."""
        beginning: asyncio.Future[Child] = asyncio.get_running_loop().create_future()
        self._beginning.append(beginning)
        self._ask(run=arguments, env=environment, files=[str(path) for path in files])
        return await beginning

    def send(self, child: Child, number: signal.Signals) -> None:
        """Send a signal to a process, unless it has ended."""
        if not child.ended.done():
            self._ask(signal=number, to=child.process)

    def _ask(self, **what: Any) -> None:
        if self._asking is not None:
            self._asking.write(json.dumps(what).encode() + b"\n")

    async def _read(self, hatched: Hatched) -> None:
        told = asyncio.StreamReader()
        await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(told), hatched.tells
        )
        async for line in told:
            self._heard(json.loads(line))
        # It told all there is as it ended.
        hatched.wait()
        for child in self._children.values():
            child.ended.set_result(GONE)
        for beginning in self._beginning:
            beginning.cancel()

    def _heard(self, what: dict[str, int]) -> None:
        if "started" in what:
            child = Child(what["started"], asyncio.get_running_loop().create_future())
            self._children[child.process] = child
            beginning = self._beginning.pop(0)
            if not beginning.cancelled():
                beginning.set_result(child)
        else:
            self._children.pop(what["ended"]).ended.set_result(what["status"])


def outer_environment() -> dict[str, str]:
    """Ours, without what is said to this program."""
    return {name: value for name, value in os.environ.items() if not name.startswith("GUILDHALL_")}
