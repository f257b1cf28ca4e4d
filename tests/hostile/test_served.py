# SPDX-License-Identifier: Apache-2.0
"""What forum software that reads all or nothing finds at our addresses."""

from server.posts import steering
from tests import makers
from tests.federation.wire_schema import (
    Json,
    must_be_a_group,
    must_be_a_person,
    must_be_a_post,
    must_be_an_announce,
    must_hold_no_null,
)
from tests.hostile.commons import Commons
from tests.hostile.peer import ACTIVITY, ScriptedPeer


async def test_every_document_fits_the_strictest_reader(gh: Commons, evil: ScriptedPeer) -> None:
    ana = await makers.member(gh.instance, "ana")
    thread = await makers.thread(gh.instance, ana, gh.forum, tags=("metrics",))
    answer = await makers.reply(gh.instance, gh.admin, thread, "@ana is right.")
    async with gh.instance.transaction() as tx:
        await steering.pin(tx, gh.admin, thread, pinned=True)

    async def read(uri: str) -> Json:
        found = await gh.get(uri.removeprefix("http://gh.localhost"), evil)
        assert (found.status_code, found.headers["content-type"]) == (200, ACTIVITY)
        document: Json = found.json()
        assert document["id"] == uri
        must_hold_no_null(document)
        return document

    group = await read(gh.forum.uri)
    must_be_a_group(group)
    must_be_a_person(await read(ana.uri))
    for post in (thread, answer):
        must_be_a_post(await read(post.uri))
    # Neither of these may be paged.
    moderators, featured = await read(group["attributedTo"]), await read(group["featured"])
    for collection in (moderators, featured):
        assert collection["type"] == "OrderedCollection"
        assert collection["totalItems"] == len(collection["orderedItems"]) == 1
        assert not {"first", "next"} & set(collection)
    assert moderators["orderedItems"] == [gh.admin.uri]
    must_be_a_post(featured["orderedItems"][0])
    outbox = await read(group["outbox"])
    assert [one["object"]["object"]["id"] for one in outbox["orderedItems"]] == [
        thread.uri, gh.thread.uri,
    ]  # fmt: skip
    for one in outbox["orderedItems"]:
        must_be_an_announce(one)
    context = await read(thread.context)
    assert (context["attributedTo"], context["audience"]) == (gh.forum.uri, gh.forum.uri)
    assert context["orderedItems"] == [thread.uri, answer.uri]
    replies = await read(f"{thread.uri}/replies")
    assert (replies["type"], replies["items"]) == ("Collection", [answer.uri])
    assert (await read(group["followers"]))["totalItems"] == 0
