# SPDX-License-Identifier: Apache-2.0
"""Streams tell an app what happens, and no more than its member may read."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from server import endorsements
from server.apps import tokens
from server.instance import Instance
from server.polls.drafts import PollDraft
from server.posts import counting, editing, voting
from server.posts.drafts import EditDraft
from storage.forums import Forum, Visibility
from storage.members import Member
from tests import makers
from tests.hostile.serving import serving
from web.api.streaming.hub import MOST_EACH
from web.connections import Connection

PATIENCE = 30.0


@dataclass
class Studio:
    """Sam's forum, which Ana follows, and a server."""

    instance: Instance
    app: Starlette
    sam: Member
    ana: Member
    forum: Forum
    token: str
    port: int

    def client(self) -> httpx.AsyncClient:
        headers = {"Host": self.instance.settings.host, "Authorization": f"Bearer {self.token}"}
        address = f"http://127.0.0.1:{self.port}"
        return httpx.AsyncClient(base_url=address, headers=headers, timeout=PATIENCE)

    @asynccontextmanager
    async def socket(self, query: str = "") -> AsyncIterator[ClientConnection]:
        address = f"ws://{self.instance.settings.host}/api/v1/streaming?{query}"
        place = {"host": "127.0.0.1", "port": self.port}
        async with connect(address, proxy=None, **place) as opened:  # type: ignore[arg-type]
            yield opened


@pytest.fixture
async def studio(app: Starlette, instance: Instance, admin: Member) -> AsyncIterator[Studio]:
    ana = await makers.member(instance)
    forum = await makers.forum(instance, admin)
    await makers.follow(instance, ana, forum)
    token = await makers.token(instance, ana, "read write follow push")
    async with serving(app, http=Connection, ws="websockets-sansio") as port:
        yield Studio(instance, app, admin, ana, forum, token, port)
        await app.state.streams.stop()


async def _told(opened: ClientConnection, event: str) -> dict[str, Any]:
    """The next message of this kind; its payload read."""
    async with asyncio.timeout(PATIENCE):
        while True:
            found: dict[str, Any] = json.loads(await opened.recv())
            if found.get("event") == event:
                if event != "delete":
                    found["payload"] = json.loads(found["payload"])
                return found


async def _event(lines: AsyncIterator[str], event: str) -> str:
    """The data of the next server-sent event of this kind."""
    async with asyncio.timeout(PATIENCE):
        async for line in lines:
            if line == f"event: {event}":
                return (await anext(lines)).removeprefix("data: ")
    raise AssertionError("the stream ended")


async def test_a_member_hears_of_what_concerns_them_in_both_ways(studio: Studio) -> None:
    closed = await makers.forum(studio.instance, studio.sam, "board", visibility=Visibility.MEMBERS)
    own = await makers.thread(studio.instance, studio.ana, studio.forum, "Mine")
    async with (
        studio.socket(f"access_token={studio.token}&stream=user") as opened,
        studio.client() as client,
        client.stream("GET", "/api/v1/streaming/public/local") as events,
    ):
        assert events.headers["content-type"].startswith("text/event-stream")
        lines = events.aiter_lines()
        assert await anext(lines) == ":)"
        of_list = {"stream": "list", "list": str(studio.forum.id)}
        for more in ({"stream": "hashtag", "tag": "queues"}, of_list):
            await opened.send(json.dumps({"type": "subscribe", **more}))
        await opened.send("nonsense")
        assert json.loads(await opened.recv())["status"] == 400
        hidden = await makers.thread(studio.instance, studio.sam, closed, "Hidden", "@ana")
        thread = await makers.thread(
            studio.instance, studio.sam, studio.forum, "News", tags=("queues",)
        )
        first = await _told(opened, "update")
        assert (first["stream"], first["payload"]["reblog"]["id"]) == (["user"], str(thread.id))
        others = sorted([(await _told(opened, "update"))["stream"] for _ in range(2)])
        assert others == [["hashtag", "queues"], [*of_list.values()]]
        assert json.loads(await _event(lines, "update"))["id"] == str(thread.id)
        reply = await makers.reply(studio.instance, studio.sam, own, "For @ana")
        assert (await _told(opened, "update"))["payload"]["id"] == str(reply.id)
        notice = await _told(opened, "notification")
        assert notice["payload"]["status"]["id"] == str(reply.id)
        async with studio.instance.transaction() as tx:
            await editing.apply_edit(tx, thread, EditDraft("Newer", "News", ()))
            await endorsements.endorse(tx, studio.sam, own)
        assert "Newer" in json.loads(await _event(lines, "status.update"))["content"]
        assert "Newer" in (await _told(opened, "status.update"))["payload"]["content"]
        favoured = await _told(opened, "notification")
        assert favoured["payload"]["type"] == "favourite"
        async with studio.instance.transaction() as tx:
            voting.attach(tx, thread, PollDraft(("Paper", "Online"), 3_600))
            await voting.vote(tx, studio.sam, thread, {1})
            await counting.tend(tx)
        counted = json.loads(await _event(lines, "status.update"))["poll"]
        assert [one["votes_count"] for one in counted["options"]] == [0, 1]
        async with studio.instance.transaction() as tx:
            await editing.remove(tx, studio.sam, hidden)
            await editing.remove(tx, studio.sam, reply)
        # The first that is told: nobody learns that something hidden was there.
        assert (await _told(opened, "delete"))["payload"] == str(reply.id)
        assert await _event(lines, "delete") == str(reply.id)


async def test_ACC_12_a_stream_ends_with_its_token(studio: Studio) -> None:
    async with (
        studio.socket(f"access_token={studio.token}&stream=user") as opened,
        studio.client() as client,
        client.stream("GET", "/api/v1/streaming/user") as events,
    ):
        async with studio.instance.reading() as session:
            held = await tokens.page(session, studio.ana)
        async with studio.instance.transaction() as tx:
            await tokens.shut_out(tx, studio.ana, held[0].app.id)
        async with asyncio.timeout(PATIENCE):
            async for _ in events.aiter_lines():
                pass
            with pytest.raises(ConnectionClosed):
                await _to_the_end(opened)
    assert opened.close_code == 1008


async def test_ACC_12_nobody_listens_without_leave_and_few_at_once(studio: Studio) -> None:
    narrow = await makers.token(studio.instance, studio.ana, "read:notifications")
    for query in (
        "stream=user",
        "access_token=x&stream=user",
        f"access_token={narrow}&stream=user",
    ):
        with pytest.raises(InvalidStatus):
            async with studio.socket(query):
                pass
    async with studio.client() as client:
        for name, status in (("x", 404), ("list", 404), ("list?list=7", 404), ("hashtag", 404)):
            answer = await client.get(f"/api/v1/streaming/{name}")
            assert (answer.status_code, "error" in answer.json()) == (status, True)
        for headers, status in (
            ({"Authorization": ""}, 401),
            ({"Authorization": f"Bearer {narrow}"}, 403),
        ):
            answer = await client.get("/api/v1/streaming/user", headers=headers)
            assert answer.status_code == status
        assert (await client.get("/api/v1/streaming/health")).text == "OK"
        limits = httpx.Limits(max_connections=None)
        headers = dict(client.headers)
        async with httpx.AsyncClient(
            base_url=client.base_url, headers=headers, limits=limits, timeout=PATIENCE
        ) as crowd:
            opened = await asyncio.gather(*(_opened(crowd) for _ in range(200)))
            statuses = [answer.status_code for answer in opened]
            assert statuses.count(200) == MOST_EACH
            assert statuses.count(429) == 200 - MOST_EACH
            for answer in opened:
                await answer.aclose()


async def _to_the_end(opened: ClientConnection) -> None:
    while True:
        await opened.recv()


async def _opened(client: httpx.AsyncClient) -> httpx.Response:
    request = client.build_request("GET", "/api/v1/streaming/user")
    return await client.send(request, stream=True)
