# SPDX-License-Identifier: Apache-2.0
"""What each viewer can find."""

import pytest

from server import search
from server.instance import Instance
from server.posts import editing, receipts
from server.posts.drafts import EditDraft
from server.viewers import VISITOR, Viewer
from storage.forums import Visibility
from storage.posts import Post
from tests import databases, makers
from tests.server.town import Town, settle

database_url = databases.database_url


@pytest.fixture
async def town(instance: Instance) -> Town:
    """Riverton with its forum."""
    return await settle(instance)


async def found(town: Town, viewer: Viewer, query: str) -> list[int]:
    async with town.instance.reading() as session:
        return await search.matching(session, viewer, query)


async def test_posts_are_found_as_soon_as_they_are_written(town: Town) -> None:
    opener = await makers.thread(town.instance, town.ana, town.forum, "Kerb ramps", "**Slopes**")
    reply = await makers.reply(
        town.instance, town.dee, opener, "Slopes of [ramps](https://x.example)"
    )
    assert await found(town, VISITOR, "ramps slopes") == [reply.id, opener.id]
    assert await found(town, VISITOR, "strong") == [], "markup is not text"
    async with town.instance.transaction() as tx:
        await editing.edit(tx, town.ana, opener, EditDraft("Kerbs", "Inclines"))
    assert await found(town, VISITOR, "slopes") == [reply.id]
    assert await found(town, VISITOR, "inclines kerbs") == [opener.id]
    async with town.instance.transaction() as tx:
        await editing.remove(tx, town.ana, opener)
    assert await found(town, VISITOR, "inclines") == []


async def test_everybody_finds_what_they_may_see(town: Town) -> None:
    posts = {}
    for visibility in Visibility:
        forum = await makers.forum(
            town.instance, town.sam, f"f_{visibility}", visibility=visibility
        )
        post = await makers.thread(town.instance, town.sam, forum, "Kerbs", "kerbword")
        posts[visibility] = post.id
    marek = await makers.person_elsewhere(town.instance)
    copy = await makers.forum_elsewhere(town.instance)
    held = await makers.thread(town.instance, marek, copy, "Kerbs", "kerbword")
    every = {*posts.values(), held.id}
    public, agencies = posts[Visibility.PUBLIC], posts[Visibility.AGENCIES]
    for viewer, expected in (
        (VISITOR, {public, held.id}),
        (Viewer(town.ana), every - {posts[Visibility.MEMBERS]}),
        (Viewer(town.sam), every),
        (Viewer(marek), {public, held.id}),
        (Viewer(peer="x.example"), {public}),
        (Viewer(peer="x.example", agency=True), {public, agencies}),
    ):
        assert set(await found(town, viewer, "kerbword")) == expected, viewer


async def test_what_a_home_refused_is_found_by_nobody(town: Town) -> None:
    marek = await makers.person_elsewhere(town.instance)
    permits = await makers.forum_elsewhere(town.instance)
    opener = await makers.thread(town.instance, marek, permits)
    reply = await makers.reply(town.instance, town.ana, opener, "kerbword")
    async with town.instance.transaction() as tx:
        await receipts.refuse(tx, await tx.session.get_one(Post, reply.id), "no")
    for viewer in (VISITOR, Viewer(town.ana), Viewer(peer=makers.LAKESIDE)):
        assert await found(town, viewer, "kerbword") == []
