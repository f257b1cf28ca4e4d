# SPDX-License-Identifier: Apache-2.0
"""Words that wait for a server which is away go with their post."""

import json
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from server import postponed
from server.instance import Instance
from server.posts import editing
from storage.inbox import InboxRow, InboxState
from storage.posts import Post
from tests import databases, makers
from tests.server.town import Town, settle

database_url = databases.database_url
PEER = "https://lakeside.example.gov"


@pytest.fixture
async def town(instance: Instance) -> Town:
    return await settle(instance)


def said(of: str, **changes: Any) -> dict[str, Any]:
    return {"id": of, "type": "Note", "content": "<p>The old words</p>"} | changes


def update(thing: object) -> dict[str, Any]:
    return {"id": f"{PEER}#update", "type": "Update", "object": thing}


async def received(
    instance: Instance, body: object, due: timedelta = timedelta(hours=1), *, escaped: bool = False
) -> int:
    """An activity that is tried again only after `due`; answers its row."""
    text = json.dumps(body)
    async with instance.transaction() as tx:
        key = tx.ids.next()
        tx.session.add(
            InboxRow(
                id=key,
                signer=f"{PEER}/u/marek",
                activity_id=f"#{key}",
                kind="Update",
                key_id="",
                request_digest="",
                body=text.replace("/", "\\/") if escaped else text,
                received=tx.now,
                next_try=tx.now + due,
            )
        )
    return key


async def held(instance: Instance) -> dict[int, tuple[str, bool]]:
    """The state of each row, and whether its bytes are there."""
    async with instance.reading() as session:
        rows = (await session.execute(select(InboxRow))).scalars().all()
    return {row.id: (row.state, row.body is not None) for row in rows}


GONE, STAYS = (InboxState.IGNORED, False), (InboxState.WAITING, True)


async def test_what_waits_with_the_words_of_a_removed_post_goes_in_the_same_moment(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    instance = town.instance
    post = await makers.thread(instance, town.ana, town.forum)
    monkeypatch.setattr(postponed, "AT_ONCE", 2)
    relayed = {"type": "Announce", "object": update(said(post.uri))}
    gone = [
        await received(instance, update(said(post.uri))),
        await received(instance, relayed),
        await received(instance, relayed, escaped=True),
    ]
    answer = said(f"{PEER}/n/2", inReplyTo=post.uri)
    stay = [
        await received(instance, update(answer)),
        await received(instance, {"type": "Like", "object": post.uri}),
        await received(instance, {"type": "Delete", "object": {"id": post.uri}}),
        await received(instance, update(said(f"{post.uri}0"))),
        # It is worked on in a moment.
        await received(instance, update(said(post.uri)), timedelta(0)),
    ]
    async with instance.transaction() as tx:
        await editing.remove(tx, town.ana, await tx.session.get_one(Post, post.id))
    states = dict.fromkeys(gone, GONE) | dict.fromkeys(stay, STAYS)
    assert await held(instance) == states


@pytest.mark.parametrize("body", ["", "[" * 100_000, '{"object":', "null", "[7]"])
def test_what_cannot_be_read_tells_nothing(body: str) -> None:
    assert not postponed.told(body)
