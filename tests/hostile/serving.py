# SPDX-License-Identifier: Apache-2.0
"""Programs served for real on loopback, inside the test's loop."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import uvicorn


@contextlib.asynccontextmanager
async def serving(
    app: Any, *, lifespan: bool = False, port: int = 0, http: Any = "auto", ws: Any = "none"
) -> AsyncIterator[int]:
    """Serve an ASGI application while the block runs; yields its port."""
    config = uvicorn.Config(
        app,
        http=http,
        host="127.0.0.1",
        port=port,
        log_level="error",
        access_log=False,
        lifespan="on" if lifespan else "off",
        ws=ws,
        timeout_graceful_shutdown=1,
        # Longer than clients keep an idle connection, so that only one side lets go: on a busy
        # machine a request may else meet the end of its connection.
        timeout_keep_alive=60,
    )
    config.load()
    server = uvicorn.Server(config)
    # Without its main loop: no signals are caught, and the end need not wait for a tick.
    server.lifespan = config.lifespan_class(config)
    await server.startup()
    if server.should_exit:
        raise RuntimeError("the server did not start")
    try:
        yield int(server.servers[0].sockets[0].getsockname()[1])
    finally:
        await server.shutdown()


class Canary:
    """A listener on an address nobody may be led to: what counts is that it sees nothing."""

    def __init__(self) -> None:
        self.connections = 0
        self.port = 0

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        writer.close()

    @classmethod
    @contextlib.asynccontextmanager
    async def listening(cls) -> AsyncIterator["Canary"]:
        canary = cls()
        server = await asyncio.start_server(canary._connected, "127.0.0.1", 0)
        canary.port = int(server.sockets[0].getsockname()[1])
        try:
            yield canary
        finally:
            server.close()
            await server.wait_closed()
