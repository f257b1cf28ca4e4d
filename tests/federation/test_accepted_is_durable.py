# SPDX-License-Identifier: Apache-2.0
"""What was answered with 202 is there after kill -9, on each database."""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import orjson
from sqlalchemy import select

from federation.signatures.keys import SigningKey
from federation.signatures.sign import sign_draft
from server import peers
from server.clock import SystemClock
from server.instance import Instance
from server.peers import RuleDraft
from server.settings import Mode, Settings, load
from storage.database import Database
from storage.inbox import InboxRow
from storage.keys import ActorKey
from tests import databases, makers
from web.demo.ports import free_port

ROOT = Path(__file__).resolve().parents[2]
ACTOR = "http://lakeside.localhost/u/marek"
SENDERS, KILLED_AFTER = 8, 20
database_url = databases.database_url


async def furnish(settings: Settings, key: SigningKey) -> None:
    """An instance with an admin that lists a host and holds its key."""
    instance = await Instance.open(settings)
    await makers.member(instance, "sam", name="Sam Hale", admin=True)
    async with instance.transaction() as tx:
        await peers.add_rule(tx, None, RuleDraft("lakeside.localhost"))
        tx.session.add(
            ActorKey(
                key_id=f"{ACTOR}#main-key",
                owner=ACTOR,
                kind="pem",
                public=key.public.pem(),
                created=tx.now,
                checked=tx.now,
            )
        )
    await instance.close()


@contextlib.asynccontextmanager
async def served(settings: Settings, port: int) -> AsyncIterator[asyncio.subprocess.Process]:
    """The instance in a process of its own, without a worker."""
    environment = {
        "GUILDHALL_ORIGIN": settings.origin,
        "GUILDHALL_DATABASE": settings.database,
        "GUILDHALL_STATE": str(settings.state),
        "GUILDHALL_MODE": "test",
        "PYTHONPATH": str(ROOT),
    }
    command = [sys.executable, "-m", "web.cli", "serve", "--port", str(port), "--no-worker"]
    process = await asyncio.create_subprocess_exec(
        *command,
        env=os.environ | environment,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def test_what_was_accepted_survives_the_process(database_url: str, tmp_path: Path) -> None:
    port, key = free_port(), SigningKey.generate_rsa()
    origin = f"http://riverton.localhost:{port}"
    settings = load(origin=origin, database=database_url, state=tmp_path / "state", mode=Mode.TEST)
    await furnish(settings, key)
    accepted: set[str] = set()
    async with (
        served(settings, port) as process,
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=60) as client,
    ):
        for _ in range(600):
            with contextlib.suppress(httpx.TransportError):
                await client.get("/healthz")
                break
            await asyncio.sleep(0.1)
        numbers = iter(range(10_000))

        async def send() -> None:
            for number in numbers:
                said = {"id": f"{ACTOR}#like-{number}", "type": "Like", "actor": ACTOR}
                body = orjson.dumps(said | {"object": f"{origin}/p/1"})
                headers = sign_draft(
                    method="POST",
                    url=f"{origin}/inbox",
                    body=body,
                    key=key,
                    key_id=f"{ACTOR}#main-key",
                    now=SystemClock().now(),
                )
                answer = await client.post("/inbox", content=body, headers=headers)
                assert answer.status_code == 202, answer.text
                accepted.add(said["id"])
                if len(accepted) == KILLED_AFTER:
                    process.send_signal(signal.SIGKILL)

        ends = await asyncio.gather(*(send() for _ in range(SENDERS)), return_exceptions=True)
        assert all(isinstance(end, httpx.TransportError) for end in ends), ends
    database = Database(database_url)
    async with database.reading() as session:
        stored = set((await session.execute(select(InboxRow.activity_id))).scalars())
    await database.close()
    assert len(accepted) >= KILLED_AFTER
    assert accepted <= stored
