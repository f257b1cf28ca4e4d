# SPDX-License-Identifier: Apache-2.0
"""Servers of other software: started, told what to do, asked what they hold."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import httpx

from tests.peers.programs import HERE, NODE_22, NODE_FOLDER, PYTHON, Json, environment
from web.demo.waiting import TooLate, until

FEDIFY = ("node", str(NODE_FOLDER / "fedify.mjs"))
# Its second line wants Node 22, which a package carries for Linux on x64.
FEDIFY_2 = ("env", "FEDIFY_LINE=2", str(NODE_22), str(NODE_FOLDER / "fedify.mjs"))
BOVINE = (str(PYTHON), str(HERE / "python/bovine_server.py"))
SECONDS = 60.0


class Server:
    """A server of other software on a host of its own."""

    def __init__(self, host: str, port: int, folder: Path) -> None:
        self.host = host
        self.port = port
        self.origin = f"http://{host}:{port}"
        self.log = folder / f"{host}.log"

    async def tell(self, do: str, **given: Any) -> Json:
        """Have it do something; AssertionError with what it said when it could not."""
        answer = await self._ask("POST", "/control", {"do": do, **given})
        assert answer.status_code == 200, f"{do}: {answer.text}"
        found: Json = answer.json()
        return found

    async def state(self) -> Json:
        """What it holds."""
        found: Json = (await self._ask("GET", "/state", None)).json()
        return found

    async def holds(self, what: str, seen: Callable[[Json], Any], seconds: float = 20.0) -> Any:
        """What it holds of something, once that is true."""

        async def probe() -> Any:
            return seen(await self.state()) or None

        try:
            return await until(f"{what} at {self.host}", probe, seconds)
        except TooLate as error:
            state = await self.state()
            told = {name: state[name] for name in ("follows", "received", "refused")}
            raise AssertionError(f"{error}: {told}") from None

    async def _ask(self, method: str, path: str, given: Json | None) -> httpx.Response:
        async with httpx.AsyncClient(trust_env=False, timeout=30) as client:
            return await client.request(
                method,
                f"http://127.0.0.1:{self.port}{path}",
                headers={"host": f"{self.host}:{self.port}"},
                json=given,
            )


@contextlib.asynccontextmanager
async def running(
    program: tuple[str, ...], host: str, port: int, folder: Path
) -> AsyncIterator[Server]:
    """The server while the block runs; it says `ready` on a line of its own first."""
    server = Server(host, port, folder)
    with server.log.open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            *program,
            host,
            str(port),
            cwd=folder,
            env=environment(),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=log,
        )
    try:
        assert process.stdout
        async with asyncio.timeout(SECONDS):
            line = await process.stdout.readline()
        assert line == b"ready\n", server.log.read_text()[-2000:]
        yield server
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
