# SPDX-License-Identifier: Apache-2.0
"""A disk that takes nothing any more, as one mounted anew to be read."""

import asyncio
import contextlib
import resource
import shutil
import sqlite3
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import orjson
import pytest

from federation.signatures.keys import SigningKey
from federation.signatures.sign import sign_draft
from server.clock import SystemClock
from server.instance import Instance
from server.settings import Settings
from storage.posts import Post
from tests import makers
from tests.crash.disks import disk
from tests.crash.zygote import Zygote
from tests.federation.test_accepted_is_durable import ACTOR, furnish
from web.demo.ports import free_port

HTML = {"Accept": "text/html"}


@contextlib.contextmanager
def nothing_written_by(process: int) -> Iterator[None]:
    """While the block runs each write of a process to a file fails, on whatever disk it is."""
    before = resource.prlimit(process, resource.RLIMIT_FSIZE)
    resource.prlimit(process, resource.RLIMIT_FSIZE, (0, before[1]))
    yield
    resource.prlimit(process, resource.RLIMIT_FSIZE, before)


@dataclass
class Sender:
    """Marek's server and a visitor, who both talk to ours."""

    client: httpx.AsyncClient
    key: SigningKey
    origin: str

    async def like(self, number: int, what: str) -> httpx.Response:
        """Deliver an endorsement of `what`, signed."""
        said = {"id": f"{ACTOR}#like-{number}", "type": "Like", "actor": ACTOR, "object": what}
        body = orjson.dumps(said)
        headers = sign_draft(
            method="POST",
            url=f"{self.origin}/inbox",
            body=body,
            key=self.key,
            key_id=f"{ACTOR}#main-key",
            now=SystemClock().now(),
        )
        return await self.client.post("/inbox", content=body, headers=headers)

    async def sign_in(self) -> httpx.Response:
        """What a member is answered who signs in, for which a row is written."""
        form = await self.client.get("/sign-in", headers=HTML)
        token = form.text.partition('name="csrf" value="')[2].partition('"')[0]
        fields = {"csrf": token, "login": "ana", "password": makers.PASSWORD}
        return await self.client.post("/sign-in", data=fields, headers=HTML)

    async def wait(self) -> None:
        """Until our server answers."""
        for _ in range(600):
            with contextlib.suppress(httpx.TransportError):
                await self.client.get("/healthz")
                return
            await asyncio.sleep(0.1)


async def furnished(settings: Settings, key: SigningKey) -> Post:
    """A thread in a public forum, at an instance that knows Marek's key."""
    await furnish(settings, key)
    instance = await Instance.open(settings)
    ana = await makers.member(instance)
    forum = await makers.forum(instance, await makers.member(instance, "lou", admin=True))
    thread = await makers.thread(instance, ana, forum)
    await instance.close()
    return thread


@dataclass
class Place:
    """An instance in a folder, and where it is served."""

    settings: Settings
    file: Path
    port: int
    key: SigningKey
    thread: Post

    @contextlib.asynccontextmanager
    async def visited(self) -> AsyncIterator[Sender]:
        """Marek's server and a visitor, once it answers."""
        host = {"Host": f"riverton.localhost:{self.port}"}
        base = f"http://127.0.0.1:{self.port}"
        async with httpx.AsyncClient(base_url=base, headers=host, timeout=60) as client:
            sender = Sender(client, self.key, self.settings.origin)
            await sender.wait()
            yield sender

    async def refuses(self, sender: Sender) -> None:
        """Nothing is promised, and everything can be read."""
        for number in (2, 3):
            refused = await sender.like(number, self.thread.uri)
            assert refused.status_code == 503, refused.text
            assert int(refused.headers["Retry-After"]) > 0
            assert refused.text.count("\n") == 1
        page = await sender.client.get(f"/p/{self.thread.id}/x", headers=HTML)
        assert (page.status_code, self.thread.title in page.text) == (200, True)
        assert (await sender.client.get("/forums", headers=HTML)).status_code == 200
        said = await sender.sign_in()
        assert said.status_code == 503
        assert "try again in a little while" in said.text

    async def is_well(self, sender: Sender) -> None:
        """What was refused is taken when it comes again."""
        again = await asyncio.gather(*(sender.like(n, self.thread.uri) for n in (2, 3)))
        assert [answer.status_code for answer in again] == [202, 202]
        assert (await sender.sign_in()).status_code == 303

    def must_be_whole(self) -> None:
        """What was promised is there, and nothing else."""
        with contextlib.closing(sqlite3.connect(self.file)) as held:
            assert held.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            stored = {row[0] for row in held.execute("SELECT activity_id FROM inbox")}
        assert stored == {f"{ACTOR}#like-{number}" for number in (1, 2, 3)}


async def place(folder: Path, empty_database: Path, loaded: Settings) -> Place:
    port, file = free_port(), folder / "guildhall.db"
    shutil.copy(empty_database, file)
    own = {"database": f"sqlite:///{file}", "state": folder / "state"}
    settings = loaded.model_copy(update=own | {"origin": f"http://riverton.localhost:{port}"})
    key = SigningKey.generate_rsa()
    return Place(settings, file, port, key, await furnished(settings, key))


@pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="Only Linux limits other processes.")
async def test_where_nothing_can_be_written_nothing_is_promised_and_reading_goes_on(
    tmp_path: Path, empty_database: Path, loaded_settings: Settings, processes: Zygote
) -> None:
    made = await place(tmp_path, empty_database, loaded_settings)
    process = processes.serve(made.settings, made.port, worker=False)
    async with made.visited() as sender:
        assert (await sender.like(1, made.thread.uri)).status_code == 202
        with nothing_written_by(process):
            await made.refuses(sender)
        # It is the same process, and nobody has to tell it that the disk is well again.
        await made.is_well(sender)
    processes.kill(process)
    made.must_be_whole()


async def test_a_file_system_that_can_only_be_read_any_more_is_waited_out(
    tmp_path: Path, empty_database: Path, loaded_settings: Settings, processes: Zygote
) -> None:
    with disk(tmp_path) as broken:
        made = await place(broken.folder, empty_database, loaded_settings)
        process = processes.serve(made.settings, made.port, worker=False)
        async with made.visited() as sender:
            assert (await sender.like(1, made.thread.uri)).status_code == 202
            broken.breaks()
            await made.refuses(sender)
        processes.kill(process)
        # Such a file system is mounted anew, for which nothing may use it.
        broken.repair()
        process = processes.serve(made.settings, made.port, worker=False)
        async with made.visited() as sender:
            await made.is_well(sender)
        processes.kill(process)
        made.must_be_whole()
