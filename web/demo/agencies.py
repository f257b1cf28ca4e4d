# SPDX-License-Identifier: Apache-2.0
"""An agency of the demo: a server of its own, in a folder of its own."""

import asyncio
import os
import signal
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx

from web.demo.roads import Road
from web.demo.visitor import Visitor

START_SECONDS = 60.0
STOP_SECONDS = 15.0


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

    The other agencies come by its `road`.
    """

    def __init__(
        self, sign: Sign, port: int, folder: Path, others: dict[str, int], road: Road
    ) -> None:
        self.sign = sign
        self.port = port
        self.road = road
        self.netloc = f"{sign.host}:{port}"
        self.origin = f"http://{self.netloc}"
        self.folder = folder / sign.key
        self.folder.mkdir(parents=True, exist_ok=True)
        self._log = self.folder / "log.txt"
        self._server: asyncio.subprocess.Process | None = None
        self._environment = _outer_environment() | {
            "GUILDHALL_MODE": "demo",
            "GUILDHALL_ORIGIN": self.origin,
            "GUILDHALL_DATABASE": f"sqlite:///{self.folder / 'guildhall.db'}",
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
        extra = ["--sabotage", sabotage] if sabotage else []
        with self._log.open("ab") as log:
            self._server = await asyncio.create_subprocess_exec(
                *_guildhall(),
                *("serve", "--host", "127.0.0.1", "--port", str(self.port), *extra),
                env=self._environment,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                # Ctrl-C reaches us alone, so that the servers are stopped in order.
                start_new_session=True,
            )
        try:
            async with asyncio.timeout(START_SECONDS):
                await self._answers(self._server)
        except TimeoutError:
            await self.stop()
            raise CommandFailed(f"{self.sign.agency} did not start: {self.last_words()}") from None

    async def _answers(self, server: asyncio.subprocess.Process) -> None:
        async with httpx.AsyncClient(trust_env=False, timeout=5) as client:
            while True:
                if server.returncode is not None:
                    said = self.last_words()
                    raise CommandFailed(f"{self.sign.agency} did not start: {said}")
                try:
                    answer = await client.get(f"http://127.0.0.1:{self.port}/healthz")
                except httpx.HTTPError:
                    answer = None
                if answer is not None and _is_of(answer, server.pid):
                    return
                await asyncio.sleep(0.05)

    async def stop(self) -> None:
        """Stop the server: kindly, then not."""
        server, self._server = self._server, None
        if server is None or server.returncode is not None:
            return
        server.send_signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(STOP_SECONDS):
                await server.wait()
        except TimeoutError:
            server.kill()
            await server.wait()

    async def kill(self) -> None:
        """Kill the server where it stands (SIGKILL); CommandFailed unless that is how it ended."""
        server, self._server = self._server, None
        if server is None or server.returncode is not None:
            raise CommandFailed(f"{self.sign.agency} had stopped already: {self.last_words()}")
        server.kill()
        if await server.wait() != -signal.SIGKILL:
            raise CommandFailed(f"{self.sign.agency} ended before it was killed.")

    def abandon(self) -> None:
        """Kill the server without waiting, when there is no time left."""
        if self._server is not None and self._server.returncode is None:
            self._server.kill()

    async def died(self) -> None:
        """Wait until the server ends by itself."""
        if self._server is not None:
            await self._server.wait()

    async def command(self, *arguments: str, stdin: str = "") -> str:
        """Run a command on this instance; answers what it printed."""
        process = await asyncio.create_subprocess_exec(
            *_guildhall(),
            *arguments,
            env=self._environment,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,
        )
        try:
            async with asyncio.timeout(START_SECONDS):
                printed, said = await process.communicate(stdin.encode())
        except BaseException:
            if process.returncode is None:
                process.kill()
                await process.wait()
            raise
        if process.returncode != 0:
            shown = " ".join(("guildhall", *arguments[:2]))
            raise CommandFailed(f"{shown} at {self.netloc}: {said.decode().strip()[-500:]}")
        return printed.decode().strip()

    def last_words(self) -> str:
        """The end of what the server logged."""
        text = self._log.read_text(encoding="utf-8", errors="replace") if self._log.exists() else ""
        return text.strip()[-800:] or "it said nothing"


def _is_of(answer: httpx.Response, process: int) -> bool:
    """Whether our own server says that it is well, and not another program at its port."""
    if answer.status_code != 200:
        return False
    try:
        said = answer.json()
    except ValueError:
        return False
    return isinstance(said, dict) and said.get("process") == process


def _guildhall() -> Sequence[str]:
    return (sys.executable, "-P", "-m", "web.cli")


def _outer_environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("GUILDHALL_")}
