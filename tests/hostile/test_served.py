# SPDX-License-Identifier: Apache-2.0
"""What forum software that reads all or nothing finds at our addresses."""

import pytest

from federation import threads
from server.posts import steering
from storage import members
from storage.endorsements import Endorsement
from tests import makers
from tests.federation.wire_schema import (
    Json,
    must_be_a_group,
    must_be_a_person,
    must_be_a_post,
    must_be_an_announce,
    must_hold_no_null,
)
from tests.hostile.commons import ORIGIN, Commons, doing
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
    inline = (await read(thread.uri))["replies"]["first"]
    assert inline["items"] == [answer.uri]
    assert inline["next"] == f"{thread.uri}/replies?after={answer.id}"
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


async def test_who_endorses_a_post_is_listed_page_by_page_with_nobody_left_out(
    gh: Commons, vic: ScriptedPeer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("federation.digests.likes.LIKES_A_PAGE", 2)
    monkeypatch.setattr("federation.documents.FORUMS_A_PAGE", 1)
    await gh.is_guildhall(vic.host)
    people = [vic.actor(f"/u/e{number}") for number in range(6)]
    for person in people:
        assert (await gh.sent(vic, doing("Like", person, gh.thread.uri))).state == "applied"
    async with gh.instance.transaction() as tx:
        # One of them is not kept as it came, and cannot be given on.
        second = await members.by_uri(tx.session, people[1])
        assert second is not None
        held = await tx.session.get_one(Endorsement, (gh.thread.id, second.id))
        held.received = None
    await makers.forum(gh.instance, gh.admin, handle="another")

    async def pages(path: str) -> list[Json]:
        found = [(await gh.get(path, vic)).json()]
        while "next" in found[-1]:
            found.append((await gh.get(found[-1]["next"].removeprefix(ORIGIN), vic)).json())
        return found

    likes = await pages(f"/p/{gh.thread.id}/likes")
    assert [page["totalItems"] for page in likes] == [6, 6, 6]
    listed = [one["actor"] for page in likes for one in page["items"]]
    assert sorted(listed) == sorted({*people} - {people[1]})
    forums = await pages("/instance/forums")
    assert [page["totalItems"] for page in forums] == [2, 2]
    assert {uri for page in forums for uri in page["items"]} == {
        gh.forum.uri, f"{ORIGIN}/f/another",
    }  # fmt: skip
