# SPDX-License-Identifier: Apache-2.0
"""What other software sends is kept, to be replayed without it."""

import json
import os
from datetime import UTC, datetime
from pathlib import Path

import httpx
import orjson
import pytest

from tests.hostile.peer import World
from tests.peers.programs import HERE, NODE_22, NODE_FOLDER, Json
from tests.peers.servers import BOVINE, FEDIFY, FEDIFY_2, Server, running
from tests.peers.stranger import Stranger
from tests.peers.test_second_signers import SIGNERS
from tests.peers.town import Town, endorsed, gone, riverton, says
from web.demo.ports import free_port
from web.demo.waiting import until

GOLDEN = HERE.parent / "federation/golden"
HOST = "fedify.localhost"
EFFECTS = [
    *("follows", "opens", "replies", "endorses"),
    *("edits", "withdraws", "deletes", "leaves"),
]
# The name of each recording: the program, and the package whose version it says.
FEDIFY_LINES = {
    "fedify": (FEDIFY, "@fedify/fedify"),
    "fedify-2": (FEDIFY_2, "fedify2"),
}


def keep(name: str, software: str, town: Town, documents: Json, requests: list[Json]) -> None:
    """Write one recording: what was sent with its headers, and what its sender showed.

    It goes beside the town, and in place of the one in the repository with RECORD=1 only.
    """
    folder = GOLDEN if os.environ.get("GUILDHALL_TEST_RECORD") else town.agency.folder / "golden"
    whole = {
        "software": software,
        "at": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "origin": town.origin,
        "documents": documents,
        "requests": requests,
    }
    folder.mkdir(exist_ok=True)
    text = json.dumps(whole, indent=1, ensure_ascii=False, sort_keys=True)
    (folder / f"{name}.json").write_text(f"{text}\n", encoding="utf-8")


def version(package: str) -> str:
    """The name of a package of Node's with the version that is installed."""
    about = json.loads((NODE_FOLDER / f"node_modules/{package}/package.json").read_text())
    return f"{about['name']} {about['version']}"


async def exchanges(server: Server) -> Json:
    """Everything the server sent to inboxes and showed, in order."""
    async with httpx.AsyncClient(trust_env=False) as client:
        answer = await client.get(
            f"http://127.0.0.1:{server.port}/exchanges", headers={"host": server.origin[7:]}
        )
    found: Json = answer.json()
    return found


async def play(town: Town, fedify: Server) -> list[str]:
    """A thread in our forum from its opening to its end; answers what each delivery did."""
    await fedify.tell("follow", uri=town.forum)
    await fedify.holds("the follow", lambda s: s["follows"][town.forum] == "accepted")
    opened = await fedify.tell(
        "write", forum=town.forum, name="Rules first", content="<p>We write rules down.</p>"
    )
    path = (await town.thread_page(opened["uri"])).path
    vera = f"{fedify.origin}/users/vera"
    said = await fedify.tell(
        "write", forum=town.forum, parent=opened["uri"], parentAuthor=vera, content="<p>All.</p>"
    )
    await town.shows(path, said["uri"])
    await fedify.tell("like", uri=opened["uri"], forum=town.forum)
    await endorsed(town, path, opened["uri"], 1)
    await fedify.tell("edit", id=said["id"], content="<p>All of them.</p>")
    await says(town, path, said["uri"], "All of them.")
    await fedify.tell("like", uri=opened["uri"], forum=town.forum, undo=True)
    await endorsed(town, path, opened["uri"], 0)
    await fedify.tell("remove", id=said["id"])
    await gone(town, path, said["uri"])
    await fedify.tell("follow", uri=town.forum, undo=True)
    return EFFECTS


async def play_with_bovine(town: Town, bovine: Server) -> list[str]:
    """The same with a thread that has no title, as its software writes."""
    await bovine.tell("follow", uri=town.forum)
    await bovine.holds("the follow", lambda s: s["follows"][town.forum] == "accepted")
    opened = await bovine.tell("write", forum=town.forum, content="<p>We write rules down.</p>")
    path = (await town.thread_page(opened["uri"])).path
    vera = (await bovine.state())["person"]
    said = await bovine.tell(
        "write", forum=town.forum, parent=opened["uri"], parentAuthor=vera, content="<p>All.</p>"
    )
    await town.shows(path, said["uri"])
    liked = await bovine.tell("like", uri=opened["uri"], forum=town.forum)
    await endorsed(town, path, opened["uri"], 1)
    await bovine.tell("edit", uri=said["uri"], content="<p>All of them.</p>")
    await says(town, path, said["uri"], "All of them.")
    await bovine.tell("undo", uri=liked["id"])
    await endorsed(town, path, opened["uri"], 0)
    await bovine.tell("remove", uri=said["uri"])
    await gone(town, path, said["uri"])
    await bovine.tell("undo", uri=(await bovine.state())["asked"][town.forum])
    return EFFECTS


async def test_what_bovine_sends_is_kept(tmp_path: Path) -> None:
    async with (
        running(BOVINE, "bovine.localhost", free_port(), tmp_path) as bovine,
        riverton(tmp_path, {bovine.host: bovine.port}) as town,
    ):
        effects = await play_with_bovine(town, bovine)
        await until_sent(bovine, len(effects))
        await keep_what_was_taken("bovine", "bovine-herd 0.5.19", town, bovine, effects)


async def until_sent(server: Server, count: int) -> None:
    """Wait until its last delivery was answered."""

    async def probe() -> bool | None:
        return len((await exchanges(server))["sent"]) >= count or None

    await until("the last delivery", probe)


async def keep_what_was_taken(
    name: str, software: str, town: Town, server: Server, effects: list[str]
) -> None:
    kept = await exchanges(server)
    sent = [one for one in kept["sent"] if one["status"] == 202]
    assert len(sent) == len(effects)
    requests = [
        {"effect": effect, "url": one["url"], "headers": one["headers"], "body": one["body"]}
        for effect, one in zip(effects, sent, strict=True)
    ]
    keep(name, software, town, kept["shown"], requests)


@pytest.mark.parametrize("name", sorted(FEDIFY_LINES))
async def test_what_fedify_sends_is_kept(tmp_path: Path, name: str) -> None:
    program, package = FEDIFY_LINES[name]
    if program is FEDIFY_2 and not NODE_22.exists():
        pytest.skip("Node 22 comes as a package for Linux on x64 only.")
    async with (
        running(program, HOST, free_port(), tmp_path) as fedify,
        riverton(tmp_path, {HOST: fedify.port}) as town,
    ):
        effects = await play(town, fedify)
        await keep_what_was_taken(name, version(package), town, fedify, effects)


async def test_what_other_libraries_sign_is_kept(tmp_path: Path) -> None:
    strangers = {n: Stranger(f"{n}.localhost", program) for n, (program, _) in SIGNERS.items()}
    named = {"apsig": "apsig 0.6.0", "apsig-rfc9421": "apsig 0.6.0"}
    named["activitypub-http-signatures"] = version("activitypub-http-signatures")
    async with World(list(strangers.values())) as world:
        hosts = {stranger.host: world.port for stranger in strangers.values()}
        async with riverton(tmp_path, hosts) as town:
            for name, stranger in strangers.items():
                stranger.scheme = SIGNERS[name][1]
                activity = stranger.create(town.forum, name=f"Signed by {name}")
                url, body = f"{town.origin}/inbox", orjson.dumps(activity)
                headers = await stranger.signed("POST", url, body)
                assert (await town.send("POST", url, headers, body)).status_code == 202
                await town.thread_page(activity["object"]["id"])
                page = stranger.pages[stranger.person.removeprefix(stranger.origin)]
                shown = {stranger.person: {"type": page.kind, "body": page.body.decode()}}
                sent = {"effect": "opens", "url": url, "headers": headers, "body": body.decode()}
                keep(name, named[name], town, shown, [sent])
