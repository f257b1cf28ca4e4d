# SPDX-License-Identifier: Apache-2.0
"""Apps made for Mastodon, unmodified, at two agencies that federate."""

import asyncio
import re
import sys
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from mastodon import CallbackStreamListener, Mastodon

from storage.forums import Forum
from storage.members import Member
from storage.posts import Post
from tests import makers
from tests.journeys.agency import Agency, until
from tests.journeys.names import known_elsewhere, known_here

CODE = re.compile(r'id="code" value="([^"]+)"')
SCOPES = ["read", "write", "follow", "push"]


@dataclass
class Town:
    """Marek's thread in Lakeside's permits forum; Ana works at Riverton."""

    riverton: Agency
    lakeside: Agency
    ana: Member
    marek: Member
    forum: Forum
    thread: Post
    ports: dict[str, int]

    async def code(self, address: str) -> str:
        """Ana signs in where an app sends her, lets it in, and copies the code."""
        asked = dict(parse_qsl(urlsplit(address).query))
        async with makers.browser(self.riverton.app) as browser:
            await makers.sign_in(browser, self.riverton.instance, self.ana)
            page = await browser.get(urlsplit(address).path, params=asked)
            assert page.status_code == 200, page.text
            answer = await makers.submit(browser, "/oauth/authorize", **asked, action="allow")
        found = CODE.search(answer.text)
        assert found is not None, answer.text
        return found[1]

    async def copied(self) -> None:
        """Wait until Riverton holds what Ana has just asked for."""
        await self.riverton.sees(self.thread.uri)

    async def held_at_lakeside(self, words: str) -> Post:
        """Wait until a post with these words has arrived at the forum's home."""

        async def there() -> Post | None:
            posts = await self.lakeside.thread_of(self.thread)
            return next((post for post in posts if words in post.html), None)

        return await until(f"“{words}” at Lakeside", there)


@pytest.fixture
async def town(riverton: Agency, lakeside: Agency, monkeypatch: pytest.MonkeyPatch) -> Town:
    ana = await makers.member(riverton.instance, "ana")
    marek = await makers.member(lakeside.instance, "marek", name="Marek Nowak")
    forum = await makers.forum(
        lakeside.instance, lakeside.admin, "permits", title="Permits and licensing"
    )
    thread = await makers.thread(lakeside.instance, marek, forum, "21 days to 12.6", "Ask me how.")
    ports = {agency.host: agency.port for agency in (riverton, lakeside)}
    known_here(monkeypatch, ports)
    return Town(riverton, lakeside, ana, marek, forum, thread, ports)


async def test_Mastodon_py_and_toot_work_across_two_agencies(town: Town, tmp_path: Path) -> None:
    client = await _signed_in(town)
    await _follows_and_reads(town, client)
    await _answers_and_is_told(town, client)
    await _toot(town, tmp_path / "toot")


async def _signed_in(town: Town) -> Any:
    """Mastodon.py, registered and let in."""
    origin = town.riverton.settings.origin
    made = await asyncio.to_thread(
        Mastodon.create_app, "Mastodon.py", scopes=SCOPES, api_base_url=origin
    )
    client = await asyncio.to_thread(Mastodon, *made, api_base_url=origin)
    address = await asyncio.to_thread(client.auth_request_url, scopes=SCOPES, allow_http=True)
    code = await town.code(address)
    await asyncio.to_thread(client.log_in, code=code, scopes=SCOPES, allow_http=True)
    me = await asyncio.to_thread(client.me)
    assert (me.acct, me.display_name) == ("ana", "Ana Ruiz")
    version = await asyncio.to_thread(client.retrieve_mastodon_version)
    assert version.startswith("4.")
    return client


async def _follows_and_reads(town: Town, client: Any) -> None:
    """A forum of the other agency is found by its handle, followed, and read."""
    handle = f"@permits@{town.lakeside.host}"
    found = await asyncio.to_thread(client.search_v2, handle, resolve=True)
    account = found.accounts[0]
    assert (account.display_name, account.group) == ("Permits and licensing", True)
    by_handle = await asyncio.to_thread(client.account_search, handle)
    assert [one.id for one in by_handle] == [account.id]
    asked = await asyncio.to_thread(client.account_follow, account.id)
    assert asked.requested or asked.following
    await town.copied()

    async def following() -> Any:
        known = await asyncio.to_thread(client.account_relationships, account.id)
        return known[0].following

    await until("the follow", following)
    home = await asyncio.to_thread(client.timeline_home)
    assert "21 days to 12.6" in home[0].reblog.content
    assert home[0].account.acct == f"permits@{town.lakeside.host}"
    lists = await asyncio.to_thread(client.lists)
    inside = await asyncio.to_thread(client.timeline_list, lists[0].id)
    assert inside[0].reblog.id == home[0].reblog.id
    written = await asyncio.to_thread(client.account_statuses, account.id)
    assert [one.reblog.id for one in written] == [home[0].reblog.id]


async def _answers_and_is_told(town: Town, client: Any) -> None:
    """A reply and an endorsement arrive at the forum's home; what is said there comes back."""
    home = await asyncio.to_thread(client.timeline_home)
    thread = home[0].reblog
    mine = await asyncio.to_thread(client.status_reply, thread, "Who does the first look?")
    assert mine.in_reply_to_id == thread.id
    reply = await town.held_at_lakeside("Who does the first look?")
    await asyncio.to_thread(client.status_favourite, thread.id)
    await town.lakeside.sees(town.thread.uri, endorsement_count=1)
    heard: list[Any] = []
    callbacks: Any = CallbackStreamListener
    listener = callbacks(notification_handler=heard.append)
    stream = await asyncio.to_thread(client.stream_user, listener, run_async=True)
    await makers.reply(town.lakeside.instance, town.marek, reply, "An intake team of two.")
    await until("the notice in the stream", partial(_last, heard))
    assert "intake team" in heard[0].status.content
    await asyncio.to_thread(stream.close)

    async def told() -> Any:
        notices = await asyncio.to_thread(client.notifications)
        return [one for one in notices if "intake team" in one.status.content]

    notice = (await until("the notice", told))[0]
    assert (notice.type, notice.account.acct) == ("mention", f"marek@{town.lakeside.host}")
    context = await asyncio.to_thread(client.status_context, thread.id)
    assert [one.account.username for one in context.descendants] == ["ana", "marek"]
    edited = await asyncio.to_thread(client.status_update, mine.id, "Who does the very first look?")
    assert edited.edited_at is not None
    await town.held_at_lakeside("very first look")
    await asyncio.to_thread(client.status_delete, mine.id)
    await town.lakeside.sees(reply.uri, state="deleted")


async def _last(heard: list[Any]) -> Any:
    return heard[-1] if heard else None


async def _toot(town: Town, folder: Path) -> None:
    """toot signs in by the code it is shown, reads, answers, and finds the other agency."""
    environment = known_elsewhere(folder, town.ports)

    async def run(*arguments: str) -> str:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "toot", "--no-color", *arguments,
            env=environment, stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        printed, _ = await process.communicate()
        assert process.returncode == 0, printed.decode()
        return printed.decode()

    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "toot", "login", "-i", town.riverton.settings.origin,
        env=environment, stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stdin is not None
    address = ""
    while not address.startswith("http"):
        line = await process.stdout.readline()
        assert line, "toot ended early"
        address = line.decode().strip()
    process.stdin.write(f"n\n{await town.code(address)}\n".encode())
    await process.stdin.drain()
    printed, _ = await process.communicate()
    assert "Successfully logged in" in printed.decode(), printed.decode()
    assert "Ana Ruiz" in await run("whoami")
    assert "21 days to 12.6" in await run("timelines", "home")
    thread = await town.riverton.sees(town.thread.uri)
    assert "An intake team of two." in await run("thread", str(thread.id))
    await run("post", "--reply-to", str(thread.id), "And in winter?")
    await town.held_at_lakeside("And in winter?")
    assert "permits" in await run("search", "permits")
    await run("favourite", str(thread.id))
