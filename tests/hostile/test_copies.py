# SPDX-License-Identifier: Apache-2.0
"""Whose words a copy believes, and where it asks."""

from itertools import pairwise

import pytest

from federation.errors import WireError
from server.errors import Refusal
from server.peers import RuleDraft, add_rule
from storage.forums import Forum
from storage.peers import Verdict
from tests import makers
from tests.hostile.commons import Commons, doing, like
from tests.hostile.copy import announce, copied, follow, held_in, serve_forum, words
from tests.hostile.peer import ScriptedPeer, mallory, vera


@pytest.mark.fep("fe34")
async def test_AUT_01_an_object_under_another_id_is_not_stored(
    gh: Commons, evil: ScriptedPeer, vic: ScriptedPeer
) -> None:
    forum = await copied(gh, vic)
    forged = words(vic, forum.uri, 5, content="<p>forged</p>")
    for number, inner in enumerate((evil.put("/p/5", forged), evil.put("/p/6", forged))):
        assert await announce(gh, vic, forum.uri, inner, number) == "refused"
    answer = words(vic, forum.uri, 8, type="Note", inReplyTo=f"{evil.origin}/p/5")
    answer.pop("context")
    vic.put(answer["id"], answer)
    await announce(gh, vic, forum.uri, answer["id"], "reply")
    found = await gh.app.state.lookup.find(f"{evil.origin}/p/5")
    assert isinstance(found, Forum)
    assert await held_in(gh, forum) == []


@pytest.mark.parametrize(
    ("kind", "stored"),
    [
        ("text/plain", 0), ("application/json", 0), ("image/png", 0), ("application/ld+json", 0),
        ("text/html", 0), ("application/activity+json; charset=utf-8", 1),
        ('application/ld+json; profile="https://www.w3.org/ns/activitystreams"', 1),
    ],
)  # fmt: skip
async def test_AUT_02_only_activitypub_media_types_are_read(
    gh: Commons, vic: ScriptedPeer, kind: str, stored: int
) -> None:
    forum = await copied(gh, vic)
    uri = vic.put("/uploads/1", words(vic, forum.uri, 1, id=f"{vic.origin}/uploads/1"), kind=kind)
    await announce(gh, vic, forum.uri, uri, 1)
    assert len(await held_in(gh, forum)) == stored


@pytest.mark.fep("fe34")
@pytest.mark.parametrize("proof", ["none", "forged", "of another"])
async def test_AUT_10_an_embedded_copy_is_not_believed(
    gh: Commons, evil: ScriptedPeer, vic: ScriptedPeer, proof: str
) -> None:
    forum = await copied(gh, evil)
    true = words(vic, forum.uri, 9, content="<p>true words</p>")
    forged = true | {"content": "<p>forged words</p>", "updated": "2026-11-23T09:01:00Z"}
    now = gh.clock.now()
    if proof != "none":
        named = vera(vic) if proof == "forged" else mallory(evil)
        forged = evil.proven(forged, named, now)
    vic.put(true["id"], true)
    for kind in ("Create", "Update"):
        inner = doing(kind, vera(vic), forged)
        if proof != "none":
            inner = evil.proven(inner, named, now)
        await announce(gh, evil, forum.uri, inner, kind)
        [held] = await held_in(gh, forum)
        assert "true words" in held.html
    assert vic.fetched.count("/p/9") == 2


@pytest.mark.fep("8b32")
async def test_AUT_10_a_valid_proof_is_believed_without_asking(
    gh: Commons, evil: ScriptedPeer, vic: ScriptedPeer
) -> None:
    forum = await copied(gh, evil)
    create = vic.proven(
        doing("Create", vera(vic), words(vic, forum.uri, 9)), vera(vic), gh.clock.now()
    )
    assert await announce(gh, evil, forum.uri, create, 1) == "applied"
    assert "/p/9" not in vic.fetched
    assert len(await held_in(gh, forum)) == 1


async def test_AUT_09_10_a_relayed_endorsement_needs_its_own_proof(
    gh: Commons, evil: ScriptedPeer, vic: ScriptedPeer
) -> None:
    forum = await copied(gh, evil)
    opener = words(evil, forum.uri, 1)
    evil.put(opener["id"], opener)
    await announce(gh, evil, forum.uri, opener["id"], 1)
    bare = like(vera(vic), opener["id"])
    assert await announce(gh, evil, forum.uri, bare, 2) == "refused"
    forged = evil.proven(bare, vera(vic), gh.clock.now())
    assert await announce(gh, evil, forum.uri, forged, 3) == "refused"
    assert (await held_in(gh, forum))[0].endorsement_count == 0
    proven = vic.proven(bare, vera(vic), gh.clock.now())
    assert await announce(gh, evil, forum.uri, proven, 4) == "applied"
    assert (await held_in(gh, forum))[0].endorsement_count == 1
    undo = doing("Undo", vera(vic), bare)
    assert await announce(gh, evil, forum.uri, undo, 5) == "refused"
    named = doing("Undo", vera(vic), bare["id"], "named")
    assert await announce(gh, evil, forum.uri, named, 6) == "refused"
    assert (await held_in(gh, forum))[0].endorsement_count == 1
    proven = vic.proven(named, vera(vic), gh.clock.now())
    assert await announce(gh, evil, forum.uri, proven, 7) == "applied"
    assert (await held_in(gh, forum))[0].endorsement_count == 0


async def test_a_forum_says_nothing_about_the_posts_of_another(
    gh: Commons, evil: ScriptedPeer, vic: ScriptedPeer
) -> None:
    ours = gh.thread.uri
    forum = await copied(gh, evil)
    for number, kind in enumerate(("Delete", "Lock", "Add", "Remove")):
        more = {"target": f"{gh.forum.uri}/featured"} if kind in {"Add", "Remove"} else {}
        inner = doing(kind, mallory(evil), ours, **more)
        assert await announce(gh, evil, forum.uri, inner, number) == "ignored"
    held = await gh.held(ours)
    assert held is not None
    assert (held.state, held.locked, held.pinned) == ("live", False, False)


@pytest.mark.parametrize("embedded", [True, False])
async def test_what_an_unlisted_author_wrote_is_counted_and_never_stored(
    gh: Commons, vic: ScriptedPeer, third: ScriptedPeer, embedded: bool
) -> None:
    forum = await copied(gh, vic)
    opener = words(vic, forum.uri, 1)
    vic.put(opener["id"], opener)
    await announce(gh, vic, forum.uri, opener["id"], 1)
    reply = words(third, forum.uri, 2, type="Note", inReplyTo=opener["id"], content="<p>taint</p>")
    reply["context"] = opener["context"]
    reply = third.proven(reply, vera(third), gh.clock.now())
    inner = doing("Create", vera(third), reply if embedded else reply["id"])
    assert await announce(gh, vic, forum.uri, inner, 2) == "applied"
    assert third.requests == []
    [held] = await held_in(gh, forum)
    assert held.withheld_count == int(embedded)
    assert (await gh.counts())["withheld"] == 1


async def test_a_redirect_does_not_lead_around_the_list(
    gh: Commons, evil: ScriptedPeer, vic: ScriptedPeer, third: ScriptedPeer
) -> None:
    forum = await copied(gh, vic)
    await gh.allow(third.host)
    await gh.app.state.lookup.find(vera(third))
    async with gh.instance.transaction() as tx:
        await add_rule(tx, gh.admin, RuleDraft(third.host, Verdict.DENY))
    target = third.put("/p/3", words(third, forum.uri, 3))
    await announce(gh, vic, forum.uri, evil.redirect("/p/3", target), 1)
    assert await held_in(gh, forum) == []


@pytest.mark.parametrize(("first", "second"), [("vic", "evil"), ("evil", "vic")])
async def test_AUT_15_after_a_redirect_the_final_address_counts(
    gh: Commons, evil: ScriptedPeer, vic: ScriptedPeer, first: str, second: str
) -> None:
    peers = {"vic": vic, "evil": evil}
    one, other = peers[first], peers[second]
    forum = await copied(gh, vic)
    forged = words(one, forum.uri, 4, content="<p>forged</p>")
    other.put("/p/4", forged)
    start = one.redirect("/p/4", f"{other.origin}/p/4")
    assert await announce(gh, vic, forum.uri, start, 1) == "refused"
    assert await held_in(gh, forum) == []
    for uri in (start, one.redirect("/u/other", vera(other))):
        with pytest.raises((Refusal, WireError)):
            await gh.app.state.lookup.find(uri)


async def test_FED_04_a_deep_chain_is_fetched_within_bounds_and_reattached(
    gh: Commons, vic: ScriptedPeer
) -> None:
    forum = await copied(gh, vic)
    opener = words(vic, forum.uri, 100)
    chain = [opener]
    for number in range(101, 161):
        chain.append(
            words(vic, forum.uri, number, type="Note", inReplyTo=chain[-1]["id"])
            | {"context": opener["context"]}
        )
    for one in chain:
        vic.put(one["id"], one)
    await announce(gh, vic, forum.uri, opener["id"], 0)
    vic.requests.clear()
    await announce(gh, vic, forum.uri, chain[-1]["id"], 60)
    assert len([path for path in vic.fetched if path.startswith("/p/")]) <= 20
    for number in (15, 30, 45):
        await announce(gh, vic, forum.uri, chain[number]["id"], number)
    held = {post.uri: post for post in await held_in(gh, forum)}
    assert len(held) == 61
    for parent, child in pairwise(chain):
        assert held[child["id"]].parent_id == held[parent["id"]].id, child["id"]
        assert held[child["id"]].parent_uri is None
    assert held[opener["id"]].reply_count == 60


async def test_a_forum_that_changed_is_asked_itself_whoever_says_so(
    gh: Commons, evil: ScriptedPeer, vic: ScriptedPeer
) -> None:
    forum, other = await copied(gh, vic), serve_forum(evil)
    await follow(gh, evil, other, await makers.member(gh.instance, "dee"))
    serve_forum(vic, name="True title")
    told = {"id": forum.uri, "type": "Group", "name": "Forged", "inbox": f"{forum.uri}/inbox"}
    update = doing("Update", mallory(evil), told | {"preferredUsername": "permits"})
    assert await announce(gh, evil, other, update, 1) == "ignored"
    assert await _title(gh, forum) == "Permits"
    update |= {"id": f"{vera(vic)}#update-1", "actor": vera(vic)}
    assert await announce(gh, vic, forum.uri, update, 1) == "applied"
    assert await _title(gh, forum) == "True title"


async def _title(gh: Commons, forum: Forum) -> str:
    async with gh.instance.reading() as session:
        return (await session.get_one(Forum, forum.id)).title
