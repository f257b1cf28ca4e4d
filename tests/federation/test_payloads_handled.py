# SPDX-License-Identifier: Apache-2.0
"""Real payloads of many peers are applied, ignored or refused."""

import json
import os
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from federation.errors import WireError
from federation.fetch import Door, guarded_connector
from federation.incoming import Ignored, Incoming
from federation.registry import handle
from federation.station import Station
from federation.urls import host_of_uri
from federation.vocabulary.activities import Activity, is_activity, parse_activity
from federation.vocabulary.errors import Malformed
from federation.vocabulary.reader import read
from federation.vocabulary.values import url_id_of
from server.errors import Refusal
from server.forums import elsewhere
from server.forums.elsewhere import ForumCard
from server.instance import Instance
from server.members import elsewhere as people
from server.members.elsewhere import PersonCard
from server.settings import Settings
from storage import forums, members
from storage.forums import CopyState, Forum, Visibility
from storage.members import Member
from storage.posts import Post
from tests import makers
from tests.clock import TurnableClock
from tests.federation.fetch.hostile import Zone
from tests.federation.fetch.hostile import read as read_bytes

REPOSITORY = Path(__file__).resolve().parents[2]
FIXTURES = Path(os.environ.get("GUILDHALL_FIXTURES") or REPOSITORY.parent / "shared" / "fixtures")
LEFT_OUT = {"crypto", "mastodon_client_api"}
Json = dict[str, Any]

pytestmark = pytest.mark.skipif(not FIXTURES.is_dir(), reason="The payloads are not here.")


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Everybody is let in, so that nothing ends at the list."""
    return settings.model_copy(update={"federation": "open"})


@pytest.fixture
async def station(instance: Instance) -> AsyncIterator[Station]:
    """The federation side, for which no host has an address."""
    connector = guarded_connector({}, 4, Zone({}))
    door = Door(resolve={}, user_agent="Test", parse=read_bytes, connector=connector)
    opened = Station(instance, door)
    await opened.open()
    yield opened
    await opened.close()


def payloads() -> list[tuple[str, Json]]:
    """(name, document) of every payload that can be read."""
    found = []
    for path in sorted(FIXTURES.rglob("*.json")):
        if path.parent.name in LEFT_OUT:
            continue
        try:
            document = read(path.read_bytes())
            body = document.get("body")
            document = read(body.encode()) if isinstance(body, str) else body or document
        except Malformed:
            continue
        if isinstance(document, dict):
            found.append((str(path.relative_to(FIXTURES)), document))
    return found


def as_activities(document: Json, forum: Forum, thread: Post) -> list[Json]:
    """A payload as its author sends it, and as if it were for our forum."""
    if is_activity(document):
        found = [document]
        inner = document.get("object")
        if document.get("type") == "Announce" and isinstance(inner, dict):
            found.append(inner)
    else:
        author = url_id_of(document.get("attributedTo")) or url_id_of(document)
        kind = "Create" if document.get("attributedTo") else "Update"
        uri = f"{author}#activity"
        found = [{"id": uri, "type": kind, "actor": author, "object": document}]
    for one in list(found):
        inner = one.get("object")
        if one.get("type") in {"Create", "Update"} and isinstance(inner, dict):
            ours = inner | {"audience": forum.uri}
            if "inReplyTo" in inner:
                ours["inReplyTo"] = thread.uri
            found.append(one | {"object": ours})
        if one.get("type") in {"Like", "Dislike", "Lock", "Delete", "Undo"}:
            found.append(one | {"object": thread.uri})
        if one.get("type") == "Follow":
            found.append(one | {"object": forum.uri})
    return found


async def know(instance: Instance, uri: str, *, forum: bool) -> None:
    """Have an actor known here, so that nobody needs to be asked about it."""
    peer = host_of_uri(uri)
    async with instance.transaction() as tx:
        if await forums.by_uri(tx.session, uri) or await members.by_uri(tx.session, uri):
            return
        if not forum:
            handle = f"p{tx.ids.next()}"
            card = PersonCard(uri, handle, peer, uri, "Someone", "", "", "", None, uri, None)
            await people.remember(tx, card)
            return
        held = await elsewhere.remember(
            tx,
            ForumCard(
                uri=uri,
                handle=f"f{tx.ids.next()}",
                peer=peer,
                url=uri,
                title="Somewhere",
                agency="",
                description_html="",
                visibility=Visibility.PUBLIC,
                language="en",
                inbox=uri,
                shared_inbox=None,
                outbox="",
                moderators=f"{uri}/moderators",
            ),
        )
        held.copy_state = CopyState.CURRENT


async def outcome(station: Station, activity: Activity) -> str:
    """How handling it ends; anything but the four ends is a bug and raised."""
    raw = json.dumps(activity.raw)
    incoming = Incoming(station, station.actors, station.verifier, raw, f"{activity.actor}#key")
    try:
        await handle(incoming, activity)
    except Ignored:
        return "ignored"
    except Refusal:
        return "refused"
    except (WireError, Malformed):
        return "not to be had"
    return "applied"


async def test_every_payload_ends_in_one_of_four_ways(
    instance: Instance, admin: Member, station: Station, clock: TurnableClock
) -> None:
    forum = await makers.forum(instance, admin)
    thread = await makers.thread(instance, admin, forum)
    read_payloads = payloads()
    ends: Counter[str] = Counter()
    for _, document in read_payloads:
        for candidate in as_activities(document, forum, thread):
            try:
                activity = parse_activity(candidate)
            except Malformed:
                ends["malformed"] += 1
                continue
            clock.turn(minutes=1)
            await know(instance, activity.actor, forum=activity.type == "Announce")
            ends[await outcome(station, activity)] += 1
    print(f"{len(read_payloads)} payloads read: {dict(ends)}")
    assert len(read_payloads) > 150
    assert ends["applied"] > 40
    assert ends["ignored"] > 20
