# SPDX-License-Identifier: Apache-2.0
"""An agency of the demo: a server of its own, in a folder of its own."""

import asyncio
import itertools
import os
import shutil
import signal
from dataclasses import dataclass
from pathlib import Path

import httpx

from web.demo.nursery import Child, Nursery, outer_environment
from web.demo.roads import Road
from web.demo.visitor import Visitor

START_SECONDS = 60.0
STOP_SECONDS = 15.0
STREAMS = ("in", "out", "err")
NOTHING = Path(os.devnull)


class CommandFailed(Exception):
    """A command said no, or the server did not start; the message is what it said."""


@dataclass(frozen=True)
class Sign:
    """What is written over the door of an agency."""

    key: str
    agency: str
    name: str

    @property
    def host(self) -> str:
        return f"{self.key}.localhost"


class Agency:
    """One agency's instance; `others` maps hosts to the ports they are reached at.

    The other agencies come by its `road`. Its processes come from the nursery. `federation` is
    whom it exchanges with.
    """

    def __init__(
        self,
        sign: Sign,
        port: int,
        folder: Path,
        others: dict[str, int],
        road: Road,
        nursery: Nursery,
        federation: str = "allowlist",
    ) -> None:
        self.sign = sign
        self.port = port
        self.road = road
        self.netloc = f"{sign.host}:{port}"
        self.origin = f"http://{self.netloc}"
        self.folder = folder / sign.key
        self.folder.mkdir(parents=True, exist_ok=True)
        self.database = self.folder / "guildhall.db"
        self._log = self.folder / "log.txt"
        self._nursery = nursery
        self._server: Child | None = None
        self._commands = itertools.count(1)
        self._environment = outer_environment() | {
            "GUILDHALL_MODE": "demo",
            "GUILDHALL_FEDERATION": federation,
            "GUILDHALL_ORIGIN": self.origin,
            "GUILDHALL_DATABASE": f"sqlite:///{self.database}",
            "GUILDHALL_STATE": str(self.folder),
            "GUILDHALL_AGENCY": sign.agency,
            "GUILDHALL_NAME": sign.name,
            "GUILDHALL_RESOLVE": ",".join(
                f"{host}=127.0.0.1:{other}" for host, other in others.items()
            ),
        }

    def visitor(self) -> Visitor:
        """Somebody with a browser, not signed in."""
        return Visitor(self.netloc, self.port)

    async def start(self, sabotage: str = "") -> None:
        """Start the server and wait until it answers."""
        extra = ("--sabotage", sabotage) if sabotage else ()
        self._server = await self._nursery.start(
            ("serve", "--host", "127.0.0.1", "--port", str(self.port), *extra),
            self._environment,
            (NOTHING, self._log, self._log),
        )
        try:
            async with asyncio.timeout(START_SECONDS):
                await self._answers(self._server)
        except TimeoutError:
            await self.stop()
            raise CommandFailed(f"{self.sign.agency} did not start: {self.last_words()}") from None

    async def _answers(self, server: Child) -> None:
        async with httpx.AsyncClient(trust_env=False, timeout=5) as client:
            while True:
                if server.ended.done():
                    said = self.last_words()
                    raise CommandFailed(f"{self.sign.agency} did not start: {said}")
                try:
                    answer = await client.get(f"http://127.0.0.1:{self.port}/healthz")
                except httpx.HTTPError:
                    answer = None
                if answer is not None and _is_of(answer, server.process):
                    return
                await asyncio.sleep(0.05)

    async def stop(self) -> None:
        """Stop the server: kindly, then not."""
        server, self._server = self._server, None
        if server is None:
            return
        self._nursery.send(server, signal.SIGTERM)
        try:
            async with asyncio.timeout(STOP_SECONDS):
                await asyncio.shield(server.ended)
        except TimeoutError:
            self._nursery.send(server, signal.SIGKILL)
            await server.ended

    async def kill(self) -> None:
        """Kill the server where it stands (SIGKILL); CommandFailed unless that is how it ended."""
        server, self._server = self._server, None
        if server is None or server.ended.done():
            raise CommandFailed(f"{self.sign.agency} had stopped already: {self.last_words()}")
        self._nursery.send(server, signal.SIGKILL)
        if await server.ended != -signal.SIGKILL:
            raise CommandFailed(f"{self.sign.agency} ended before it was killed.")

    async def died(self) -> None:
        """Wait until the server ends by itself."""
        if self._server is not None:
            await asyncio.shield(self._server.ended)

    async def command(self, *arguments: str, stdin: str = "") -> str:
        """Run a command on this instance; answers what it printed."""
        number = next(self._commands)
        given, printed, said = (self.folder / f"command-{number}.{kind}" for kind in STREAMS)
        given.write_text(stdin, encoding="utf-8")
        process = await self._nursery.start(arguments, self._environment, (given, printed, said))
        try:
            async with asyncio.timeout(START_SECONDS):
                status = await asyncio.shield(process.ended)
        except BaseException:
            self._nursery.send(process, signal.SIGKILL)
            raise
        finally:
            given.unlink()
        if status != 0:
            shown = " ".join(("guildhall", *arguments[:2]))
            why = said.read_text(encoding="utf-8").strip()[-500:]
            raise CommandFailed(f"{shown} at {self.netloc}: {why}")
        return printed.read_text(encoding="utf-8").strip()

    def last_words(self) -> str:
        """The end of what the server logged."""
        text = self._log.read_text(encoding="utf-8", errors="replace") if self._log.exists() else ""
        return text.strip()[-800:] or "it said nothing"


async def lay_tables(first: Agency, *others: Agency) -> None:
    """Give agencies that have nothing yet their tables, made once and copied.

    Each would make its own at its first command, which takes longer than what the command does.
    """
    await first.command("migrate")
    for other in others:
        await asyncio.to_thread(shutil.copyfile, first.database, other.database)


def _is_of(answer: httpx.Response, process: int) -> bool:
    """Whether our own server says that it is well, and not another program at its port."""
    if answer.status_code != 200:
        return False
    try:
        said = answer.json()
    except ValueError:
        return False
    return isinstance(said, dict) and said.get("process") == process
