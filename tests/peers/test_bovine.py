# SPDX-License-Identifier: Apache-2.0
"""A server of bovine_herd follows our forum, reads, answers and leaves."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
import pytest_asyncio

from tests.peers.programs import Json
from tests.peers.servers import BOVINE, Server, running
from tests.peers.town import ACTIVITY, Town, endorsed, gone, riverton, says
from web.demo.ports import free_port
from web.demo.waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="module")
HOST = "bovine.localhost"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def bovine(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Server]:
    async with running(BOVINE, HOST, free_port(), tmp_path_factory.mktemp("bovine")) as server:
        yield server


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def town(tmp_path_factory: pytest.TempPathFactory, bovine: Server) -> AsyncIterator[Town]:
    folder = tmp_path_factory.mktemp("town")
    async with riverton(folder, {HOST: bovine.port}) as opened:
        yield opened


async def must_find(town: Town, peer: Server) -> None:
    """It finds our forum, and reads it with a signed GET."""
    found = await peer.tell("finger", origin=town.origin, resource=town.forum)
    assert found["self"] == town.forum
    seen = await peer.tell("look", uri=town.forum)
    assert (seen.get("type"), seen.get("name")) == ("Group", "Permits and licensing"), seen


async def must_follow_and_read(town: Town, peer: Server) -> str:
    """It follows our forum, is accepted, and holds our thread; answers its address.

    AssertionError at the first that does not hold, by the peer's own database.
    """
    await peer.tell("follow", uri=town.forum)
    await peer.holds("the follow as accepted", lambda s: s["follows"][town.forum] == "accepted")
    thread = await town.ana.post(town.agency, "permits", "Twelve days", "Down from **21**.")
    held = await peer.holds(thread, lambda s: s["posts"].get(thread))
    assert held["name"] == "Twelve days"
    assert "<strong>21</strong>" in held["content"]
    return thread


async def test_it_follows_our_forum_and_takes_part(town: Town, bovine: Server) -> None:
    await must_find(town, bovine)
    thread = await must_follow_and_read(town, bovine)
    page = await town.thread_page(thread)
    ana = f"{town.origin}/u/ana"
    said = await bovine.tell(
        "write", forum=town.forum, parent=thread, parentAuthor=ana, content="<p>Who looks?</p>"
    )
    reply = said["uri"]
    assert (await town.shows(page.path, reply)).body == "Who looks?"
    liked = await bovine.tell("like", uri=thread, forum=town.forum)
    await endorsed(town, page.path, thread, 1)
    await bovine.holds("our Announce of its words", lambda s: announced(s, town.forum, said["id"]))
    await bovine.holds("our Announce of its Like", lambda s: announced(s, town.forum, liked["id"]))
    await bovine.tell("edit", uri=reply, content="<p>Who looks first?</p>")
    await says(town, page.path, reply, "Who looks first?")

    await town.ana.endorse(page.path, reply)
    given = f"{ana}#like-"
    await bovine.holds(
        "Ana's Like", lambda s: any(one.startswith(given) for one in s["posts"][reply]["likes"])
    )
    await town.ana.withdraw(page.path, reply)
    await bovine.holds("its Undo", lambda s: s["posts"][reply]["likes"] == [])
    await town.ana.edit(page.path, thread, title="Twelve days", source="Down from *22*.")
    await bovine.holds("the Update", lambda s: "<em>22</em>" in s["posts"][thread]["content"])
    answer = await town.ana.reply(page.path, reply, "Whoever is in first.")
    held = await bovine.holds(answer, lambda s: s["posts"].get(answer))
    assert (held["inReplyTo"], held["attributedTo"]) == (reply, ana)
    await bovine.holds("it as a reply", lambda s: s["posts"][reply]["replies"] == [answer])
    await town.ana.delete(page.path, answer)
    await bovine.holds("the Delete", lambda s: s["posts"][answer]["type"] == "Tombstone")

    await bovine.tell("undo", uri=liked["id"])
    await endorsed(town, page.path, thread, 0)
    await bovine.tell("remove", uri=reply)
    await gone(town, page.path, reply)
    assert (await bovine.tell("count", uri=f"{town.forum}/followers"))["total"] == 1
    follow = (await bovine.state())["asked"][town.forum]
    await bovine.tell("undo", uri=follow)

    async def nobody_follows() -> bool | None:
        return (await bovine.tell("count", uri=f"{town.forum}/followers"))["total"] == 0 or None

    await until("no follower", nobody_follows)
    assert (await bovine.state())["follows"] == {town.forum: "asked"}


def announced(state: Json, forum: str, uri: str) -> bool:
    """Whether a forum announced to it an activity of its own person."""
    told = (one for one in state["received"] if one.get("type") == "Announce")
    return any(one["actor"] == forum and one["object"] == uri for one in told)


async def test_it_shows_its_person_to_signed_requests_only(town: Town, bovine: Server) -> None:
    """What it refused was asked by nobody of ours; what it showed was asked for by us."""
    person = (await bovine.state())["person"]
    async with httpx.AsyncClient(trust_env=False) as client:
        answer = await client.get(
            person.replace(HOST, "127.0.0.1"),
            headers={"host": bovine.origin.removeprefix("http://"), "accept": ACTIVITY},
        )
    assert answer.status_code == 401
    readers = (await bovine.state())["shown"]
    assert [one for one in readers if one.startswith(f"{town.origin}/")]


async def test_what_is_signed_wrongly_it_refuses(tmp_path: Path) -> None:
    async with (
        running(BOVINE, HOST, free_port(), tmp_path) as bovine,
        riverton(tmp_path, {HOST: bovine.port}, sabotage="signing") as broken,
    ):
        # Whoever may read is asked of its own server, which refuses us.
        with pytest.raises(AssertionError, match="Permits and licensing"):
            await must_find(broken, bovine)
        with pytest.raises(AssertionError, match="the follow as accepted"):
            await must_follow_and_read(broken, bovine)
        state = await bovine.state()
        assert state["posts"] == {}
        assert state["refused"]
        assert state["shown"] == []
