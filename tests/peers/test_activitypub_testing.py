# SPDX-License-Identifier: Apache-2.0
"""The rules of activitypub-testing, asked of our actors and a thread."""

import asyncio
import json
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.peers.programs import ACTIVITYPUB_TESTING, SECONDS, Json, environment
from tests.peers.town import Town, riverton

pytestmark = pytest.mark.asyncio(loop_scope="module")
COLLECTIONS = ("outbox-must-be-an-orderedcollection", "followers-collection-must-be-a-collection")
HAS_BOTH = "actor-objects-must-have-inbox-outbox-properties"
SERVED = "actor-must-serve-as2-object-to-get"
FOLLOWING = "following-collection-must-be-a-collection"
LIKES = "likes-collection-must-be-a-collection"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def town(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Town]:
    """Open to everybody: this software asks without a signature."""
    folder = tmp_path_factory.mktemp("open")
    async with riverton(folder, {"other.localhost": 1}, federation="open") as opened:
        yield opened


async def outcome(slug: str, document: Json) -> str:
    """What the rule says of a document: passed, failed, or inapplicable."""
    written = json.dumps(document)
    inputs = {"actor": written, "object": written, "id": document["id"], "time": "T1M"}
    process = await asyncio.create_subprocess_exec(
        *ACTIVITYPUB_TESTING, "run", "test", f"--slug={slug}", "--output=json",
        *(f"--input.{name}={value}" for name, value in inputs.items()),
        env=environment(), stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    async with asyncio.timeout(SECONDS):
        printed, said = await process.communicate()
    assert printed.startswith(b"{"), said.decode()[-2000:]
    result = json.loads(printed)["result"]
    found: str = result["outcome"]
    return found


async def test_its_rules_hold_of_our_forum_our_people_and_their_posts(town: Town) -> None:
    forum = await town.document(town.forum)
    ana = await town.document(f"{town.origin}/u/ana")
    thread = await town.document(await town.ana.post(town.agency, "permits", "Twelve", "Down."))
    asked = [(slug, actor) for actor in (forum, ana) for slug in (HAS_BOTH, SERVED, *COLLECTIONS)]
    asked += [(FOLLOWING, ana), (LIKES, thread)]
    found = {(slug, one["id"]): await outcome(slug, one) for slug, one in asked}
    assert found == dict.fromkeys(found, "passed")
    # And of what is broken they do not.
    broken = {name: value for name, value in forum.items() if name != "outbox"}
    assert await outcome(HAS_BOTH, broken) == "failed"
    assert await outcome(COLLECTIONS[0], forum | {"outbox": town.forum}) == "failed"
