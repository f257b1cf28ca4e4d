# SPDX-License-Identifier: Apache-2.0
"""A server made with Fedify, of either line, takes part and is followed."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.peers.programs import NODE_22, Json
from tests.peers.servers import FEDIFY, FEDIFY_2, Server, running
from tests.peers.town import Town, accepted, confirmed, endorsed, gone, listed, riverton, says
from web.demo.ports import free_port
from web.demo.waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="module")
HOST = "fedify.localhost"


LINES = {"1": FEDIFY, "2": FEDIFY_2}


def must_run(line: str) -> tuple[str, ...]:
    if line == "2" and not NODE_22.exists():
        pytest.skip("Node 22 comes as a package for Linux on x64 only.")
    return LINES[line]


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=sorted(LINES))
async def fedify(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Server]:
    program = must_run(request.param)
    async with running(program, HOST, free_port(), tmp_path_factory.mktemp("fedify")) as server:
        yield server


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def town(tmp_path_factory: pytest.TempPathFactory, fedify: Server) -> AsyncIterator[Town]:
    folder = tmp_path_factory.mktemp("town")
    async with riverton(folder, {HOST: fedify.port}) as opened:
        yield opened


async def must_follow_and_read(town: Town, peer: Server) -> str:
    """It finds our forum, follows it, is accepted, and holds our thread; answers its address.

    AssertionError or TooLate at the first that does not hold, by the peer's own state.
    """
    found = await peer.tell("finger", resource=town.forum)
    assert found["self"] == town.forum
    seen = await peer.tell("look", uri=town.forum)
    assert (seen["type"], seen["name"]) == ("Group", "Permits and licensing"), seen
    await peer.tell("follow", uri=town.forum)
    await peer.holds("the follow as accepted", lambda s: s["follows"][town.forum] == "accepted")
    thread = await town.ana.post(town.agency, "permits", "Twelve days", "Down from **21**.")
    held = await peer.holds(thread, lambda s: s["posts"].get(thread))
    assert held["name"] == "Twelve days"
    assert "<strong>21</strong>" in held["content"]
    return thread


async def test_it_follows_our_forum_and_takes_part(town: Town, fedify: Server) -> None:
    thread = await must_follow_and_read(town, fedify)
    page = await town.thread_page(thread)
    ana = f"{town.origin}/u/ana"
    said = await fedify.tell(
        "write", forum=town.forum, parent=thread, parentAuthor=ana, content="<p>Who looks?</p>"
    )
    reply = said["uri"]
    assert (await town.shows(page.path, reply)).body == "Who looks?"
    await fedify.tell("like", uri=thread, forum=town.forum)
    await endorsed(town, page.path, thread, 1)
    await fedify.holds("our Announce of its words", lambda s: announced(s, town.forum, fedify))
    await fedify.tell("edit", id=said["id"], content="<p>Who looks first?</p>")
    await says(town, page.path, reply, "Who looks first?")

    await town.ana.endorse(page.path, reply)
    await fedify.holds("Ana's Like", lambda s: ana in s["posts"].get(reply, {}).get("likes", []))
    await town.ana.withdraw(page.path, reply)
    await fedify.holds("its Undo", lambda s: s["posts"][reply]["likes"] == [])
    await town.ana.edit(page.path, thread, title="Twelve days", source="Down from *22*.")
    await fedify.holds("the Update", lambda s: "<em>22</em>" in s["posts"][thread]["content"])
    answer = await town.ana.reply(page.path, reply, "Whoever is in first.")
    held = await fedify.holds(answer, lambda s: s["posts"].get(answer))
    assert (held["parent"], held["author"]) == (reply, ana)
    await town.ana.delete(page.path, answer)
    await fedify.holds("the Delete", lambda s: s["posts"][answer]["deleted"])

    await fedify.tell("like", uri=thread, forum=town.forum, undo=True)
    await endorsed(town, page.path, thread, 0)
    await fedify.tell("remove", id=said["id"])
    await gone(town, page.path, reply)
    assert (await fedify.tell("count", uri=f"{town.forum}/followers"))["total"] == 1
    await fedify.tell("follow", uri=town.forum, undo=True)

    async def nobody_follows() -> bool | None:
        return (await fedify.tell("count", uri=f"{town.forum}/followers"))["total"] == 0 or None

    await until("no follower", nobody_follows)


def announced(state: Json, forum: str, fedify: Server) -> bool:
    """Whether a forum announced both a Create and a Like of its own person back to it."""
    told = [one.get("of", "") for one in state["received"] if one["by"] == forum]
    vera = f"{fedify.origin}/users/vera#"
    return all(any(one.startswith(f"{vera}{kind}") for one in told) for kind in ("create", "like"))


async def test_ana_follows_its_forum_and_takes_part(town: Town, fedify: Server) -> None:
    forum, path = f"{fedify.origin}/users/rules", f"/f/rules@{HOST}:{fedify.port}"
    ana = f"{town.origin}/u/ana"
    await town.follow(forum)
    await fedify.holds("Ana as a follower", lambda s: s["followers"].get(ana))
    await until("the follow as accepted", lambda: accepted(town, path))
    opened = await fedify.tell(
        "write", forum=forum, name="Rules first", content="<p>We write the rules down.</p>"
    )
    thread = opened["uri"]
    page = await until("their thread", lambda: listed(town, path, thread))
    assert (await town.shows(page, thread)).body == "We write the rules down."
    reply = await town.ana.reply(page, thread, "Which ones?")
    held = await fedify.holds(reply, lambda s: s["posts"].get(reply))
    assert (held["parent"], held["author"]) == (thread, ana)
    await until("the receipt", lambda: confirmed(town, page, reply))
    await town.ana.endorse(page, thread)
    await fedify.holds("Ana's Like", lambda s: s["posts"].get(thread, {}).get("likes") == [ana])
    await town.ana.withdraw(page, thread)
    await fedify.holds("its Undo", lambda s: s["posts"][thread]["likes"] == [])
    await town.ana.edit(page, reply, source="Which ones, and who reads them?")
    await fedify.holds("the Update", lambda s: "who reads" in s["posts"][reply]["content"])
    await town.ana.delete(page, reply)
    await fedify.holds("the Delete", lambda s: s["posts"][reply]["deleted"])
    await fedify.tell("edit", id=opened["id"], content="<p>We write few rules down.</p>")
    await says(town, page, thread, "We write few rules down.")
    await fedify.tell("remove", id=opened["id"])
    await gone(town, page, thread)
    await town.ana.browser.submit(path, f"{path}/leave")
    await fedify.holds("nobody as a follower", lambda s: s["followers"] == {})


@pytest.mark.parametrize("line", sorted(LINES))
async def test_what_is_signed_wrongly_it_refuses(tmp_path: Path, line: str) -> None:
    async with (
        running(must_run(line), HOST, free_port(), tmp_path) as fedify,
        riverton(tmp_path, {HOST: fedify.port}, sabotage="signing") as broken,
    ):
        with pytest.raises(AssertionError, match="follow"):
            await must_follow_and_read(broken, fedify)
        assert (await fedify.state())["posts"] == {}
