# SPDX-License-Identifier: Apache-2.0
"""What other software really sent is taken, request by request."""

import json
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from federation.signatures.keys import SigningKey
from server import text
from server.instance import Instance
from server.settings import Settings
from storage import forums
from storage.inbox import InboxState
from tests import makers
from tests.clock import TurnableClock
from tests.hostile.commons import Commons
from tests.hostile.peer import Keys, Page, ScriptedPeer, World

GOLDEN = Path(__file__).parent / "golden"
Json = dict[str, Any]


def recordings() -> list[str]:
    return sorted(path.stem for path in GOLDEN.glob("*.json"))


def peers(recording: Json, keys: Keys) -> list[ScriptedPeer]:
    """The hosts of a recording, showing what they showed then."""
    found: dict[str, ScriptedPeer] = {}
    for url, shown in recording["documents"].items():
        parts = urlsplit(url)
        peer = found.setdefault(str(parts.hostname), ScriptedPeer(str(parts.hostname), keys))
        target = f"{parts.path}?{parts.query}" if parts.query else parts.path
        peer.pages[target] = Page(shown["body"].encode(), kind=shown["type"])
    return list(found.values())


async def followers(gh: Commons, forum: str) -> int:
    async with gh.instance.reading() as session:
        found = await forums.by_uri(session, forum)
    assert found is not None
    return found.follower_count


async def holds(gh: Commons, effect: str, activity: Json, forum: str) -> bool:
    """Whether what a delivery is for has happened here."""
    thing = activity["object"]
    if effect in {"follows", "leaves"}:
        return await followers(gh, forum) == (1 if effect == "follows" else 0)
    if effect in {"endorses", "withdraws"}:
        subject = thing if effect == "endorses" else thing["object"]
        post = await gh.held(subject)
        return post is not None and post.endorsement_count == (1 if effect == "endorses" else 0)
    post = await gh.held(thing if isinstance(thing, str) else thing["id"])
    if effect == "deletes":
        return post is not None and post.state != "live"
    # What opens a thread without a title is called by its first line.
    title = thing.get("name", "" if thing.get("inReplyTo") else text.plain(thing["content"]))
    return post is not None and post.html == thing["content"] and post.title == title


@pytest.mark.parametrize("name", recordings())
async def test_each_recorded_request_is_taken_and_does_what_it_is_for(
    name: str, settings: Settings
) -> None:
    recording = json.loads((GOLDEN / f"{name}.json").read_text(encoding="utf-8"))
    clock = TurnableClock(datetime.fromisoformat(recording["at"]))
    origin, host = recording["origin"], urlsplit(recording["origin"]).netloc
    key = SigningKey.generate_ed25519()
    others = peers(recording, Keys(key, key, key))
    async with World(others) as world:
        values = settings.model_dump() | {"origin": origin, "resolve": world.resolve()}
        instance = await Instance.open(Settings(**values), clock=clock)
        try:
            async with Commons.open(instance, clock) as gh:
                await gh.allow(*(peer.host for peer in others))
                forum = await makers.forum(instance, gh.admin, "permits")
                await replay(gh, recording["requests"], {"host": host}, forum.uri)
        finally:
            await instance.close()


async def replay(gh: Commons, requests: list[Json], host: dict[str, str], forum: str) -> None:
    """Send each again as it was; AssertionError at the first that is refused or does nothing."""
    told: dict[str, Json] = {}
    for one in requests:
        path, body = urlsplit(one["url"]).path, one["body"].encode()
        headers = {name: value for name, value in one["headers"].items() if name != "host"}
        spoilt = body.replace(b'"actor"', b'"actoR"')
        assert spoilt != body
        refused = await gh.client.post(path, content=spoilt, headers=headers | host)
        assert refused.status_code in {400, 401}, refused.text
        answer = await gh.client.post(path, content=body, headers=headers | host)
        assert answer.status_code == 202, f"{one['effect']}: {answer.text}"
        await gh.settled()
        activity = json.loads(body)
        told[activity["id"]] = activity
        if isinstance(activity["object"], str):
            # Some software names what it undoes by the id alone.
            activity["object"] = told.get(activity["object"], activity["object"])
        row = await gh.row(activity["id"])
        assert (row.state, row.note) == (InboxState.APPLIED, ""), one["effect"]
        assert await holds(gh, one["effect"], activity, forum), one["effect"]
