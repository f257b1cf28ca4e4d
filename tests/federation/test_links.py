# SPDX-License-Identifier: Apache-2.0
"""The links of our resources are visited, and a dead one is told."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from federation.links import Visits
from federation.station import Station
from server.instance import Instance
from server.settings import Settings
from storage.members import Member
from tests import makers
from tests.clock import TurnableClock
from tests.hostile.serving import serving
from tests.server.hub import bench
from tests.web.page import Page
from web.demo.ports import free_port


@dataclass
class Site:
    """A site that answers each method with a status, and keeps what it was asked."""

    statuses: dict[str, int] = field(default_factory=lambda: {"HEAD": 200, "GET": 200})
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        self.asked.append((scope["method"], headers))
        status = self.statuses[scope["method"]]
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": b"x" * 100})

    def asked_by(self) -> list[str]:
        """The methods it was asked by since the last look."""
        found, self.asked = [method for method, _ in self.asked], []
        return found


@pytest.fixture(scope="module")
def port() -> int:
    return free_port()


@pytest.fixture
def settings(settings: Settings, port: int) -> Settings:
    known = {"tool.localhost": f"127.0.0.1:{port}"}
    return Settings(**settings.model_dump() | {"resolve": known})


@pytest.fixture
async def site(port: int) -> AsyncIterator[Site]:
    site = Site()
    async with serving(site, port=port):
        yield site


async def test_a_dead_link_is_noticed_and_its_author_is_told(
    instance: Instance, client: httpx.AsyncClient, admin: Member, site: Site, clock: TurnableClock
) -> None:
    wire = Station(instance)
    visits = Visits(wire, every=0.0)
    forum = await makers.forum(instance, admin)
    ana = await makers.member(instance, "ana")
    said = {"link": "http://tool.localhost/permits", "name": "Permit finder"}
    post = await bench.shared(instance, ana, forum, said=said)
    # What is tried out on one machine visits nobody outside; another agency's is its home's.
    await bench.shared(instance, ana, forum, said={"link": "https://elsewhere.example/x"})

    async def visit(days: float, *asked: str) -> bool:
        """Whether the page says that the link is dead, once this much time has passed."""
        clock.turn(hours=24 * days + 1)
        await visits.run(await visits.due())
        assert site.asked_by() == list(asked)
        page = Page(await client.get(f"/p/{post.id}"))
        return "did not answer when it was last tried" in page.main

    async def told() -> int:
        # Weeks have passed, so she has to sign in again.
        await makers.sign_in(client, instance, ana)
        return (await client.get("/notifications")).text.count("The link does not answer of")

    assert not await visit(0, "HEAD")
    assert not await visit(1)
    # That a server asks for a name, or knows no HEAD, is an answer.
    for statuses in ({"HEAD": 401, "GET": 500}, {"HEAD": 405, "GET": 200}):
        site.statuses = statuses
        assert not await visit(7, *(["HEAD", "GET"] if statuses["HEAD"] == 405 else ["HEAD"]))
    site.statuses = {"HEAD": 404, "GET": 404}
    assert not await visit(7, "HEAD", "GET")
    assert await told() == 0
    # One visit in vain may be chance: it is looked again the next day, and then told, once.
    assert await visit(1, "HEAD", "GET")
    assert await visit(7, "HEAD", "GET")
    assert await told() == 1
    site.statuses = {"HEAD": 204, "GET": 500}
    clock.turn(hours=24 * 7)
    await visits.run(await visits.due())
    (method, headers), *_ = site.asked
    assert method == "HEAD"
    assert not {"signature", "signature-input", "cookie", "authorization"} & set(headers)
    assert site.asked_by() == ["HEAD"]
    assert not await visit(0.1)
    # A version without the link, or none at all, is visited no more.
    await bench.shared(instance, ana, forum, said={"link": "", "note": "x"}, revises=post)
    assert not await visit(30)
    await wire.close()


async def test_links_are_left_alone_where_an_admin_says_so(
    instance: Instance, admin: Member
) -> None:
    forum = await makers.forum(instance, admin)
    await bench.shared(instance, admin, forum, said={"link": "https://elsewhere.example/x"})
    wire = Station(instance)
    assert len(await wire.visits.due()) == 1
    object.__setattr__(
        instance, "settings", instance.settings.model_copy(update={"check_links": False})
    )
    assert await wire.visits.due() == []
    await wire.close()
