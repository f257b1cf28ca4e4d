# SPDX-License-Identifier: Apache-2.0
"""A running Guildhall that other software talks to, seen from outside."""

import contextlib
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import httpx

from tests.peers.programs import Json
from web.demo.agencies import Agency, CommandFailed
from web.demo.nursery import Nursery
from web.demo.pages import Page, SeenPost
from web.demo.ports import free_port
from web.demo.readers import Reader
from web.demo.roads import Road
from web.demo.story import RIVERTON
from web.demo.waiting import until

PASSWORD = "twelve easy words"
ACTIVITY = "application/activity+json"


class Town:
    """The City of Riverton with Sam, who administers, Ana, and the forum for permits."""

    def __init__(self, agency: Agency) -> None:
        self.agency = agency
        self.forum = f"{agency.origin}/f/permits"
        self.ana = Reader(agency, "ana", PASSWORD)

    @property
    def origin(self) -> str:
        return self.agency.origin

    async def send(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes = b""
    ) -> httpx.Response:
        """A request of another server, exactly as it was signed."""
        assert url.startswith(self.origin), url
        path = url.removeprefix(self.origin)
        async with httpx.AsyncClient(trust_env=False, timeout=20) as client:
            return await client.request(
                method,
                f"http://127.0.0.1:{self.agency.port}{path}",
                headers={"host": self.agency.netloc, **headers},
                content=body,
            )

    async def document(self, url: str) -> Json:
        """What the agency says to whoever asks, such as the keys of its people."""
        answer = await self.send("GET", url.partition("#")[0], {"accept": ACTIVITY})
        found: Json = answer.json()
        return found

    async def listed(self) -> dict[str, str]:
        """The threads a visitor finds in the forum: address -> path."""
        async with self.agency.visitor() as visitor:
            return (await visitor.open("/f/permits")).threads

    async def thread_page(self, uri: str) -> Page:
        """The page of a thread, once a visitor finds it in the forum."""

        async def probe() -> str | None:
            return (await self.listed()).get(uri)

        path = await until(f"{uri} in the forum", probe)
        async with self.agency.visitor() as visitor:
            return await visitor.open(path)

    async def follow(self, forum: str) -> None:
        """Ana follows a forum elsewhere; asked again while its server is slow to answer."""

        async def tried() -> bool | None:
            try:
                await self.agency.command("forum", "follow", forum, "--as", "ana")
            except CommandFailed as error:
                if "try again" not in str(error):
                    raise
                return None
            return True

        await until(f"the follow of {forum}", tried, 60)

    async def shows(self, path: str, uri: str) -> SeenPost:
        """A post on a page, once it is there."""
        return await self.ana.seen(path, uri)


@contextlib.asynccontextmanager
async def riverton(
    folder: Path, others: dict[str, int], sabotage: str = "", federation: str = "allowlist"
) -> AsyncIterator[Town]:
    """The agency served while the block runs; it lists the `others` (host -> port)."""
    port = free_port()
    async with Nursery() as nursery:
        agency = Agency(RIVERTON, port, folder, others, Road(port), nursery, federation)
        for name, options in (("sam", ("--admin",)), ("ana", ())):
            person = ("--name", f"{name.title()} Ruiz", "--email", f"{name}@riverton.example.gov")
            await agency.command(
                *("member", "add", name, *person, "--password-stdin", *options),
                stdin=f"{PASSWORD}\n",
            )
        await agency.command("forum", "add", "permits", "--title", "Permits and licensing")
        for host in others:
            await agency.command("allow", "add", host, "--reason", "They try what we send.")
        town = Town(agency)
        await agency.start(sabotage)
        try:
            await town.ana.sign_in()
            yield town
        finally:
            await town.ana.close()
            await agency.stop()


async def listed(town: Town, path: str, uri: str) -> str | None:
    """The path of a thread on a forum's page as Ana sees it, if it is there."""
    return (await town.ana.browser.open(path)).threads.get(uri)


async def accepted(town: Town, path: str) -> bool | None:
    """Whether the page of a forum says that Ana's follow is accepted."""
    return (await town.ana.browser.open(path)).follow == "accepted" or None


async def confirmed(town: Town, path: str, uri: str) -> bool | None:
    """Whether a post of Ana's is shown without a word about its way."""
    post = (await town.ana.browser.open(path)).posts.get(uri)
    return (post is not None and post.status in {"", "confirmed"}) or None


async def says(town: Town, path: str, uri: str, text: str) -> None:
    """Wait until a post says something."""

    async def probe() -> bool | None:
        post = (await town.ana.browser.open(path)).posts.get(uri)
        return (post is not None and post.body == text) or None

    await until(f"“{text}” at {path}", probe)


async def endorsed(town: Town, path: str, uri: str, count: int) -> None:
    """Wait until a post is shown with so many endorsements."""

    async def probe() -> bool | None:
        post = (await town.ana.browser.open(path)).posts.get(uri)
        return (post is not None and post.endorsements == count) or None

    await until(f"{count} endorsements of {uri}", probe)


async def gone(town: Town, path: str, uri: str) -> None:
    """Wait until a post is not shown any more."""

    async def probe() -> bool | None:
        post = (await town.ana.browser.look(path)).posts.get(uri)
        return (post is None or post.state != "live") or None

    await until(f"{uri} gone", probe)
