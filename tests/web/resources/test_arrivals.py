# SPDX-License-Identifier: Apache-2.0
"""Files of a resource that come in pieces, over a line that breaks."""

import base64
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass

import httpx
import pytest
from sqlalchemy import func, select
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect

from server.instance import Instance
from server.resources import pieces
from server.settings import Settings
from storage.arrivals import Arrival, Piece
from storage.members import Member
from tests import makers
from tests.clock import TurnableClock
from tests.web.page import Page

TUS = {"Tus-Resumable": "1.0.0"}
PIECE = {**TUS, "Content-Type": "application/offset+octet-stream"}
PLAN = b"Register,Owner\n" + b"People,Health\n" * 12_000


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Riverton, with little room for files."""
    small = {"upload_size": 1, "upload_quota": 2}
    return Settings(**settings.model_dump() | small)


@dataclass
class Sender:
    """A member's browser with a draft open in it."""

    client: httpx.AsyncClient
    draft: str
    token: str

    async def announce(self, name: str, size: int, **over: str) -> httpx.Response:
        said = ",".join(
            f"{key} {base64.b64encode(value.encode()).decode()}"
            for key, value in {"filename": name, "mark": f"{name}|{size}"}.items()
        )
        headers = {**TUS, "X-CSRF-Token": self.token, "Upload-Length": str(size)}
        return await self.client.post(
            f"{self.draft}/arrivals", headers={**headers, "Upload-Metadata": said, **over}
        )

    async def ask(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str] = TUS,
        content: bytes | AsyncIterator[bytes] | None = None,
    ) -> httpx.Response:
        told = {"X-CSRF-Token": self.token, **headers}
        return await self.client.request(method, path, headers=told, content=content)

    async def piece(self, path: str, start: int, content: bytes) -> httpx.Response:
        return await self.ask(
            "PATCH", path, {**PIECE, "Upload-Offset": str(start)}, content=content
        )

    async def arrived(self, path: str, **fields: str) -> httpx.Response:
        action = f"arrived:{path.split('/')[-1]}"
        return await makers.submit(self.client, self.draft, action=action, **fields)


@pytest.fixture
async def sender(client: httpx.AsyncClient, instance: Instance, admin: Member) -> Sender:
    await makers.sign_in(client, instance, admin)
    begun = await makers.submit(client, "/resources/new", kind="template", name="Half")
    return Sender(client, begun.headers["location"], await makers.form_token(client))


async def rows(instance: Instance) -> tuple[int, int]:
    """How many files are on their way, in how many pieces."""
    async with instance.reading() as session:
        arrivals = await session.execute(select(func.count()).select_from(Arrival))
        parts = await session.execute(select(func.count()).select_from(Piece))
        return arrivals.scalar_one(), parts.scalar_one()


def lying(instance: Instance) -> list[bytes]:
    """Everything that lies in the folders of files."""
    state = instance.settings.state
    return [
        one.read_bytes()
        for folder in ("files", "arriving")
        for one in (state / folder).rglob("*")
        if one.is_file()
    ]


async def test_a_file_goes_on_where_its_line_broke(sender: Sender, instance: Instance) -> None:
    begun = await sender.announce("../plan.csv", len(PLAN))
    assert begun.status_code == 201, begun.text
    path = begun.headers["location"]
    assert "Upload-Expires" in begun.headers
    half = 100_000
    first = await sender.piece(path, 0, PLAN[:half])
    assert (first.status_code, first.headers["upload-offset"]) == (204, str(half))

    async def breaking() -> AsyncIterator[bytes]:
        yield PLAN[half : half + 66_000]
        raise ClientDisconnect

    length = {"Content-Length": str(len(PLAN) - half)}
    on = {**PIECE, **length, "Upload-Offset": str(half)}
    broken = await sender.ask("PATCH", path, on, content=breaking())
    assert broken.status_code == 204
    found = await sender.ask("HEAD", path)
    come = int(found.headers["upload-offset"])
    assert (come, found.headers["upload-length"]) == (half + 66_000, str(len(PLAN)))
    # The draft says how far it is, and by what the browser knows it again.
    shown = Page(await sender.client.get(sender.draft))
    assert "166 kB of 168 kB have come" in shown.main
    assert "Choose the same file again" in shown.main
    assert [one.get("data-mark") for one in shown.all("li") if one.get("data-mark")] == [
        f"../plan.csv|{len(PLAN)}"
    ]
    # Neither what came already nor what leaves a gap is taken, and half a file is none.
    for start in (0, half, come + 1):
        assert (await sender.piece(path, start, b"x" * 10)).status_code == 409
    assert (await sender.piece(path, come, PLAN)).status_code == 409
    assert "not come as a whole" in (await sender.arrived(path)).text
    assert (await sender.piece(path, come, PLAN[come:])).status_code == 204
    done = await sender.arrived(path, name="A plan", summary="Typed meanwhile")
    assert done.status_code == 303, done.text
    shown = Page(await sender.client.get(sender.draft))
    assert "plan.csv" in shown.main
    assert shown.value("summary") == "Typed meanwhile"
    assert await rows(instance) == (0, 0)
    assert lying(instance) == [PLAN]


async def test_what_comes_in_pieces_goes_by_the_same_rules(
    app: Starlette, sender: Sender, instance: Instance, clock: TurnableClock
) -> None:
    large = await sender.announce("large.csv", 1_000_001)
    assert (large.status_code, "over 1 MB" in large.text) == (422, True)
    assert (await sender.announce("none.csv", 0)).status_code == 422
    assert (await sender.announce("x.csv", 9, **{"Upload-Length": "many"})).status_code == 400
    assert (await sender.announce("x.csv", 9, **{"Upload-Metadata": "name ?"})).status_code == 400
    old = await sender.announce("x.csv", 9, **{"Tus-Resumable": "0.2.2"})
    assert (old.status_code, old.headers["tus-version"]) == (412, "1.0.0")
    able = await sender.client.options(f"{sender.draft}/arrivals")
    assert able.headers["tus-max-size"] == "1000000"
    # What is announced counts: two files of 0.9 MB fit into 2 MB, a third does not.
    paths = []
    for name in ("page.png", "b.csv"):
        begun = await sender.announce(name, 900_000)
        paths.append(begun.headers["location"])
    assert "at most 2.0 MB" in (await sender.announce("c.csv", 900_000)).text
    gone = await sender.ask("DELETE", paths.pop())
    assert gone.status_code == 204
    assert (await sender.ask("HEAD", f"{paths[0]}0")).status_code == 404
    # Nobody else's page and nobody else gets near it.
    for headers in (
        {**TUS, "X-CSRF-Token": "wrong"},
        {**TUS, "Origin": "https://elsewhere.example"},
    ):
        assert (await sender.ask("HEAD", paths[0], headers)).status_code == 403
    lee = await makers.member(instance, "lee")
    async with makers.browser(app) as other:
        await makers.sign_in(other, instance, lee)
        theirs = Sender(other, sender.draft, await makers.form_token(other))
        for asked in (
            await theirs.ask("HEAD", paths[0]),
            await theirs.piece(paths[0], 0, b"x"),
            await theirs.ask("DELETE", paths[0]),
            await theirs.announce("mine.csv", 9),
        ):
            assert asked.status_code == 404
    typed = {**TUS, "Content-Type": "text/plain", "Upload-Offset": "0"}
    assert (await sender.ask("PATCH", paths[0], typed, content=b"x")).status_code == 415
    # A line that lets no PATCH through; then what is none of what it is called, which is dropped.
    wrong = b"<html><script>alert(1)</script>".ljust(900_000)
    as_post = {**PIECE, "Upload-Offset": "0", "X-HTTP-Method-Override": "PATCH"}
    assert (await sender.ask("POST", paths[0], as_post, content=wrong)).status_code == 204
    refused = await sender.arrived(paths[0], summary="Stays")
    assert (refused.status_code, "holds HTML" in refused.text) == (422, True)
    assert Page(refused).value("summary") == "Stays"
    assert await rows(instance) == (0, 0)
    assert lying(instance) == []
    # What nobody goes on with is kept for a day.
    begun = await sender.announce("late.csv", 100_000)
    await sender.piece(begun.headers["location"], 0, b"x" * 90_000)
    clock.turn(hours=23)
    for hours, left in ((0, (1, 1)), (2, (0, 0))):
        clock.turn(hours=hours)
        async with instance.transaction() as tx:
            await pieces.tidy(tx)
        assert await rows(instance) == left
    assert lying(instance) == []
