# SPDX-License-Identifier: Apache-2.0
"""Running an instance: server, worker, migration."""

import asyncio
import errno
import gc
import resource
import signal
import socket
from collections.abc import Coroutine
from types import FrameType
from typing import Annotated, Any
from urllib.parse import urlsplit

import structlog
import typer
import uvicorn
from starlette.applications import Starlette
from uvicorn.loops.auto import auto_loop_factory

from federation.station import Station
from federation.worker import Worker
from server.errors import Refusal, Unavailable
from server.instance import Instance
from server.settings import Mode, Settings, load
from storage.database import Database, prepare
from web.app import create_app
from web.cli import logs
from web.connections import Connection
from web.demo import sabotage

DRAIN_SECONDS = 10
# Longer than other servers keep an idle connection to us (ours 15 s): who lets go first is then
# always they, and no delivery meets the end of its connection.
IDLE_SECONDS = 20
DEFAULT_PORT = 8000
OPEN_FILES = 8_192
log = structlog.get_logger("guildhall.serve")


class _Server(uvicorn.Server):
    """Stops at a signal without raising it again, so that the instance is closed in order."""

    def __init__(self, app: Starlette, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._app = app

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self.force_exit = self.should_exit
        self.should_exit = True

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Streams end by themselves never, and it waits for every request to end."""
        self._app.state.live.close()
        self._app.state.streams.close()
        await super().shutdown(sockets)


def serve(
    host: Annotated[str, typer.Option(help="The address to listen at.")] = "127.0.0.1",
    port: Annotated[
        int | None, typer.Option(help="By default the port of an http origin, else 8000.")
    ] = None,
    worker: Annotated[
        bool, typer.Option("--worker/--no-worker", help="Send and receive in this process.")
    ] = True,
    broken: Annotated[str, typer.Option("--sabotage", hidden=True)] = "",
) -> None:
    """Serve this instance until it is stopped."""
    settings = load()
    # The port is taken before anything else is touched.
    listening = listen(host, port if port is not None else _own_port(settings))
    logs.configure(settings.log_level, plain=settings.mode is Mode.DEMO)
    if broken:
        sabotage.commit(settings, broken)
    _make_room()
    _run(_serve(settings, listening, worker=worker))


def work() -> None:
    """Send and receive without serving pages; needs `serve --no-worker` beside it."""
    settings = load()
    logs.configure(settings.log_level, plain=settings.mode is Mode.DEMO)
    _run(_work(settings))


class WorkerFailed(Refusal):
    """The worker failed three times within a minute and ends: the log says why."""


def migrate() -> None:
    """Bring the database to this version."""
    settings = load()
    logs.configure("warning", plain=True)

    async def task() -> None:
        database = Database(settings.database)
        try:
            await prepare(database, upgrade=True)
        finally:
            await database.close()

    asyncio.run(task())
    typer.echo("The database is of this version.")


def listen(host: str, port: int) -> socket.socket:
    """A socket bound there; Unavailable, in one sentence, when it cannot be."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((host, port))
        # Two programs may both bind; only one of them may listen.
        bound.listen(2048)
    except OverflowError as error:
        bound.close()
        raise Unavailable(f"{port} is not a port: choose one from 1 to 65535.") from error
    except OSError as error:
        bound.close()
        if error.errno == errno.EADDRINUSE:
            raise Unavailable(
                f"Port {port} at {host} is in use: stop what uses it, or choose another."
            ) from error
        raise Unavailable(f"Cannot listen at {host}:{port}: {error.strerror or error}.") from error
    return bound


def _make_room() -> None:
    """Allow ourselves more open files than the usual 1,024: each open page is one."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = OPEN_FILES if hard == resource.RLIM_INFINITY else min(OPEN_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


def _own_port(settings: Settings) -> int:
    origin = urlsplit(settings.origin)
    return (origin.port or DEFAULT_PORT) if origin.scheme == "http" else DEFAULT_PORT


def _run(task: Coroutine[Any, Any, None]) -> None:
    with asyncio.Runner(loop_factory=auto_loop_factory()) as runner:
        runner.run(task)


def _spare_the_collector() -> None:
    """What is there once we have started stays: the garbage collector need not look at it again.

    Rounds over everything young are made less often too; a tenth of all processor time went there.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


async def _serve(settings: Settings, listening: socket.socket, *, worker: bool) -> None:
    instance = await Instance.open(settings)
    try:
        app = create_app(instance, worker=worker)
        config = uvicorn.Config(
            app,
            http=Connection,
            ws="websockets-sansio",
            ws_max_size=65_536,
            log_config=None,
            access_log=False,
            proxy_headers=bool(settings.proxies),
            forwarded_allow_ips=list(settings.proxies),
            server_header=False,
            lifespan="on",
            timeout_graceful_shutdown=DRAIN_SECONDS,
            timeout_keep_alive=IDLE_SECONDS,
        )
        _spare_the_collector()
        log.info("serving", origin=settings.origin, federation=str(settings.federates))
        await _Server(app, config).serve(sockets=[listening])
    finally:
        await instance.close()
        log.info("stopped")


async def _work(settings: Settings) -> None:
    instance = await Instance.open(settings)
    wire = Station(instance)
    worker = Worker(wire)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    try:
        await wire.open()
        await worker.start()
        _spare_the_collector()
        log.info("working", origin=settings.origin)
        failing = asyncio.create_task(worker.crashes.too_often.wait())
        failing.add_done_callback(lambda _: stop.set())
        await stop.wait()
        has_failed = worker.crashes.too_often.is_set()
        failing.cancel()
        await worker.stop()
        if has_failed:
            # Nobody asks this process how it is: whoever supervises it sees how it ends.
            raise WorkerFailed
    finally:
        await wire.close()
        await instance.close()
