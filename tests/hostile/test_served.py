# SPDX-License-Identifier: Apache-2.0
"""What forum software that reads all or nothing finds at our addresses."""

import pytest

from federation import threads
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
from tests.hostile.commons import ORIGIN, Commons
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
    first = replies["first"]
    assert (replies["type"], replies["totalItems"]) == ("Collection", 1)
    assert (first["type"], first["partOf"], first["items"], "next" in first) == (
        "CollectionPage", replies["id"], [answer.uri], False,
    )  # fmt: skip
    assert (await read(group["followers"]))["totalItems"] == 0


async def test_answers_are_paged_and_a_hashtag_leads_to_its_page(
    gh: Commons, evil: ScriptedPeer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(threads, "PAGE", 2)
    opener = await makers.thread(gh.instance, gh.admin, gh.forum, tags=("größe",))
    answers = [(await makers.reply(gh.instance, gh.admin, opener, "So.")).uri for _ in range(5)]
    shown = (await gh.get(opener.uri.removeprefix(ORIGIN), evil)).json()
    [tag] = [one for one in shown["tag"] if one["type"] == "Hashtag"]
    page = await gh.page(tag["href"].removeprefix(ORIGIN))
    assert f'data-thread="{opener.uri}"' in page
    assert gh.thread.uri not in page
    whole = (await gh.get(f"{opener.uri.removeprefix(ORIGIN)}/replies", evil)).json()
    assert whole["totalItems"] == 5
    # Both ways in lead through all of them: the collection's own, and the one on the post.
    for first in (whole["first"], shown["replies"]["first"]):
        found, page_of = list(first["items"]), first
        while "next" in page_of:
            page_of = (await gh.get(page_of["next"].removeprefix(ORIGIN), evil)).json()
            assert (page_of["type"], page_of["partOf"]) == ("CollectionPage", whole["id"])
            assert len(page_of["items"]) <= 2
            found += page_of["items"]
        assert found == answers
