# SPDX-License-Identifier: Apache-2.0
"""Open pages hear of what other processes write, and end with the server."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from server.instance import Instance
from server.settings import Settings
from storage.members import Member
from tests import makers
from tests.web.listening import Listener, told
from web.app import create_app
from web.demo.ports import free_port
from web.hub import Hub

STREAMS = 50
SECONDS = 60
Reader = asyncio.StreamReader


@asynccontextmanager
async def served(settings: Settings, port: int) -> AsyncIterator[asyncio.subprocess.Process]:
    """The instance in a process of its own."""
    values = {
        "GUILDHALL_MODE": "test",
        "GUILDHALL_ORIGIN": settings.origin,
        "GUILDHALL_DATABASE": settings.database,
        "GUILDHALL_STATE": str(settings.state),
    }
    server = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", "web.cli", "serve", "--port", str(port)),
        env={k: v for k, v in os.environ.items() if not k.startswith("GUILDHALL_")} | values,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        yield server
    finally:
        if server.returncode is None:
            server.kill()
        await server.wait()


async def opened(settings: Settings, port: int, thread: int) -> tuple[Reader, asyncio.StreamWriter]:
    """A stream over a connection of its own, once the server answers."""
    while True:
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            break
        except OSError:
            await asyncio.sleep(0.05)
    lines = (
        f"GET /p/{thread}/events HTTP/1.1",
        f"Host: {settings.host}",
        "Accept: text/event-stream",
    )
    writer.write(("\r\n".join(lines) + "\r\n\r\n").encode())
    assert (await reader.readuntil(b"\r\n")).split()[1] == b"200"
    await reader.readuntil(b"id: 0-0\n\n")
    return reader, writer


async def test_a_served_process_tells_of_another_ones_reply_and_stops_at_once(
    instance: Instance, admin: Member
) -> None:
    thread = await makers.thread(instance, admin, await makers.forum(instance, admin))
    port = free_port()
    settings = instance.settings
    async with asyncio.timeout(SECONDS), served(settings, port) as server:
        streams = [await opened(settings, port, thread.id) for _ in range(STREAMS)]
        reply = await makers.reply(instance, admin, thread)
        for reader, _ in streams:
            heard = (await reader.readuntil(b"}\n\n")).decode()
            # What stands before it is the length of the chunk.
            event = heard[heard.index("id: ") :]
            assert told(event) == [{"replies": 1, "newest": str(reply.id)}]
        server.send_signal(signal.SIGTERM)
        # Each is brought to its end, not cut off after the time for open requests has run out.
        for reader, writer in streams:
            assert (await reader.read()).endswith(b"\r\n0\r\n\r\n")
            writer.close()
        assert await server.wait() == 0


@pytest.mark.postgres
async def test_pages_without_a_worker_hear_of_what_another_process_wrote(
    settings: Settings, postgres_url: str
) -> None:
    """No look is due by itself within the test: it is the database that wakes us."""
    chosen = Settings(**settings.model_dump() | {"database": postgres_url})
    other = await Instance.open(chosen)
    instance = await Instance.open(chosen)
    app = create_app(instance, worker=False)
    app.state.live = hub = Hub(instance, beat=10_000)
    await hub.start(listen=True)
    sam = await makers.member(other, "sam", admin=True)
    thread = await makers.thread(other, sam, await makers.forum(other, sam))
    page = await Listener(app, f"/p/{thread.id}/events").open()
    reply = await makers.reply(other, sam, thread)
    assert await page.hears() == [{"replies": 1, "newest": str(reply.id)}]
    await page.leave()
    await hub.stop()
    await instance.close()
    await other.close()
