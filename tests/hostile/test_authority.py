# SPDX-License-Identifier: Apache-2.0
"""Who may speak for what, at the home of a forum."""

import pytest
from sqlalchemy import select

from server.forums import follows
from server.settings import Federation
from storage.audit import AuditEntry
from storage.forums import ForumFollow
from tests import makers
from tests.hostile.commons import ORIGIN, Commons, doing, like, note
from tests.hostile.conftest import Opener
from tests.hostile.effects import Unchanged, must_be_one_sentence
from tests.hostile.peer import PUBLIC, ScriptedPeer, mallory, vera


async def veras_thread(gh: Commons, vic: ScriptedPeer, uri: str = "") -> str:
    """A thread that VIC's Vera opened in our forum."""
    uri = uri or f"{vic.origin}/p/1"
    opener = note(uri, vera(vic), gh.forum.uri, type="Page", name="Counter hours elsewhere")
    vic.put(uri, opener)
    row = await gh.sent(vic, doing("Create", vera(vic), opener, "opening"))
    assert row.state == "applied", row.note
    return uri


@pytest.mark.parametrize("victim", ["vic", "local"])
@pytest.mark.parametrize("to", [PUBLIC, "private"])
async def test_AUT_03_words_attributed_to_somebody_else_are_refused(
    gh: Commons, evil: ScriptedPeer, vic: ScriptedPeer, victim: str, to: str
) -> None:
    author = vera(vic) if victim == "vic" else gh.admin.uri
    to = gh.admin.uri if to == "private" else to
    said = note(f"{evil.origin}/p/1", author, gh.forum.uri, name="Forged", to=[to])
    async with Unchanged(gh, vic, stored=True):
        row = await gh.sent(evil, doing("Create", mallory(evil), said))
    assert row.state == "refused"
    assert await gh.held(said["id"]) is None


@pytest.mark.parametrize("where", ["vic", "local"])
async def test_AUT_03_12_an_object_of_another_origin_is_refused(
    gh: Commons, evil: ScriptedPeer, vic: ScriptedPeer, where: str
) -> None:
    uri = f"{vic.origin}/p/77" if where == "vic" else gh.thread.uri
    said = note(uri, mallory(evil), gh.forum.uri, name="Forged")
    for kind in ("Create", "Update"):
        async with Unchanged(gh, vic, stored=True):
            assert (await gh.sent(evil, doing(kind, mallory(evil), said))).state == "refused"


async def test_AUT_06_an_activity_id_of_another_origin_is_refused(
    gh: Commons, evil: ScriptedPeer, vic: ScriptedPeer
) -> None:
    for identifier in (f"{vic.origin}/x", f"{ORIGIN}/x", "http://evil.localhost:81/x"):
        async with Unchanged(gh, vic):
            forged = like(mallory(evil), gh.thread.uri, id=identifier)
            must_be_one_sentence(await gh.deliver(evil, forged), 401)


async def test_AUT_08_nobody_updates_the_words_of_another(
    gh: Commons, evil: ScriptedPeer, vic: ScriptedPeer
) -> None:
    uri = await veras_thread(gh, vic)
    changed = note(
        uri, vera(vic), gh.forum.uri, type="Page", name="Hacked", updated="2026-11-23T09:01:00Z"
    )
    own = changed | {"attributedTo": mallory(vic)}
    async with Unchanged(gh, vic, stored=True):
        for peer, thing in ((evil, changed), (vic, changed), (vic, own)):
            row = await gh.sent(peer, doing("Update", mallory(peer), thing, thing["attributedTo"]))
            assert row.state == "refused"
    held = await gh.held(uri)
    assert held is not None
    assert held.title == "Counter hours elsewhere"


async def test_AUT_08_12_nobody_updates_the_actor_of_another(
    gh: Commons, evil: ScriptedPeer, vic: ScriptedPeer
) -> None:
    await veras_thread(gh, vic)
    person = {"type": "Person", "preferredUsername": "x", "inbox": f"{evil.origin}/inbox"}
    async with Unchanged(gh, vic, stored=True):
        for uri in (vera(vic), gh.admin.uri, gh.forum.uri):
            kind = "Group" if uri == gh.forum.uri else "Person"
            forged = person | {"id": uri, "type": kind, "name": "Owned"}
            row = await gh.sent(evil, doing("Update", mallory(evil), forged, uri))
            assert row.state == "refused"
    async with gh.instance.reading() as session:
        refused = select(AuditEntry.actor).where(AuditEntry.verb == "activity.refused")
        assert (await session.execute(refused)).scalars().all() == [mallory(evil)] * 3


async def test_AUT_09_nobody_deletes_or_undoes_for_another(
    gh: Commons, evil: ScriptedPeer, vic: ScriptedPeer
) -> None:
    uri = await veras_thread(gh, vic)
    given = like(vera(vic), gh.thread.uri, 7)
    follow = doing("Follow", vera(vic), gh.forum.uri)
    assert (await gh.sent(vic, given)).state == "applied"
    assert (await gh.sent(vic, follow)).state == "applied"
    async with Unchanged(gh, vic, stored=True):
        for thing in (uri, gh.thread.uri, vera(vic), gh.admin.uri):
            await gh.sent(evil, doing("Delete", mallory(evil), thing, f"d{thing}"))
        for inner in (given, follow):
            row = await gh.sent(evil, doing("Undo", mallory(evil), inner, inner["id"]))
            assert row.state == "refused"
            named = doing("Undo", mallory(evil), inner["id"], f"{inner['id']}-named")
            assert (await gh.sent(evil, named)).state == "ignored"
    mine = like(mallory(evil), gh.thread.uri, id=given["id"])
    await gh.sent(evil, doing("Undo", mallory(evil), mine, "mine"))
    assert await gh.endorsements(gh.thread) == 1


async def test_an_undo_may_name_what_it_undoes(gh: Commons, vic: ScriptedPeer) -> None:
    given = like(vera(vic), gh.thread.uri, 7)
    follow = doing("Follow", vera(vic), gh.forum.uri)
    for done in (given, follow):
        assert (await gh.sent(vic, done)).state == "applied"
    assert await gh.endorsements(gh.thread) == 1
    for done in (given, follow):
        undo = doing("Undo", vera(vic), done["id"], done["type"])
        assert (await gh.sent(vic, undo)).state == "applied"
    assert await gh.endorsements(gh.thread) == 0
    async with gh.instance.reading() as session:
        following = select(ForumFollow.reason).where(ForumFollow.uri == follow["id"])
        assert (await session.execute(following)).scalars().all() == ["left"]
    unheld = doing("Undo", vera(vic), f"{vera(vic)}#like-8", "unheld")
    assert (await gh.sent(vic, unheld)).state == "ignored"


async def test_AUT_20_one_person_endorses_once(gh: Commons, evil: ScriptedPeer) -> None:
    actor = mallory(evil)
    for number in range(25):
        await gh.deliver(evil, like(actor, gh.thread.uri, number))
        await gh.deliver(evil, doing("Dislike", actor, gh.thread.uri, number))
    await gh.settled()
    assert await gh.endorsements(gh.thread) == 1
    await gh.sent(evil, doing("Undo", actor, like(actor, gh.thread.uri, 24)))
    assert await gh.endorsements(gh.thread) == 0
    await gh.sent(evil, like(actor, gh.thread.uri, 99))
    assert await gh.endorsements(gh.thread) == 1
    assert (await gh.announced()).count("Like") == 2


async def test_AUT_21_a_third_party_cannot_accept_a_follow(
    gh: Commons, evil: ScriptedPeer, vic: ScriptedPeer
) -> None:
    group = vic.actor("/f/permits", "Group")
    follower = await makers.member(gh.instance, "ana")
    forum = await gh.app.state.lookup.find(group)
    async with gh.instance.transaction() as tx:
        await follows.follow(tx, follower, forum)
    await gh.settled()
    sent = next(one for one in vic.delivered if one["type"] == "Follow")
    for peer, actor in ((evil, mallory(evil)), (vic, mallory(vic))):
        await gh.sent(peer, doing("Accept", actor, sent, "a"))
        await gh.sent(peer, doing("Accept", actor, sent | {"object": actor}, "b"))
        await gh.sent(peer, doing("Reject", actor, sent, "c"))
    async with gh.instance.reading() as session:
        held = await session.get_one(ForumFollow, (forum.id, follower.id))
        assert held.state == "pending"
    row = await gh.sent(vic, doing("Accept", group, sent))
    assert row.state == "applied"
    for peer, actor in ((evil, mallory(evil)), (vic, mallory(vic))):
        await gh.sent(peer, doing("Reject", actor, sent, "d"))
    async with gh.instance.reading() as session:
        held = await session.get_one(ForumFollow, (forum.id, follower.id))
        assert held.state == "accepted"


@pytest.mark.parametrize(
    ("kind", "target"),
    [
        ("Lock", ""), ("Undo", ""), ("Add", "featured"), ("Remove", "featured"),
        ("Add", "moderators"), ("Remove", "moderators"), ("Delete", ""), ("Block", ""),
    ],
)  # fmt: skip
async def test_AUT_22_who_is_no_steward_steers_nothing_and_is_recorded(
    gh: Commons, evil: ScriptedPeer, vic: ScriptedPeer, kind: str, target: str
) -> None:
    actor = mallory(evil)
    thing: object = gh.thread.uri
    if target == "moderators":
        thing = actor if kind == "Add" else gh.admin.uri
    if kind == "Undo":
        thing = doing("Lock", actor, gh.thread.uri)
    more = {"target": f"{gh.forum.uri}/{target}"} if target else {}
    if kind == "Block":
        thing, more = gh.admin.uri, {"target": gh.forum.uri}
    async with Unchanged(gh, vic, stored=True):
        row = await gh.sent(evil, doing(kind, actor, thing, 5, summary="", **more))
    assert row.state in {"refused", "ignored"}
    async with gh.instance.reading() as session:
        refused = select(AuditEntry.subject).where(AuditEntry.verb == "activity.refused")
        assert row.activity_id in (await session.execute(refused)).scalars().all()


async def test_AUT_12_an_announce_of_our_own_forum_by_another_means_nothing(
    gh: Commons, evil: ScriptedPeer, vic: ScriptedPeer
) -> None:
    forged = note(f"{ORIGIN}/p/99", gh.admin.uri, gh.forum.uri, name="Forged")
    create = doing("Create", gh.admin.uri, forged)
    async with Unchanged(gh, vic, stored=True):
        assert (await gh.sent(evil, doing("Announce", mallory(evil), create))).state == "ignored"
        must_be_one_sentence(
            await gh.deliver(evil, doing("Announce", gh.forum.uri, create)), 401, 403
        )


async def test_an_actor_with_an_impossible_address_is_refused(
    gh: Commons, evil: ScriptedPeer, vic: ScriptedPeer
) -> None:
    async with Unchanged(gh, vic):
        odd = like("http://[::::]/u/mallory", gh.thread.uri, id=f"{evil.origin}/x")
        answer = await gh.deliver(evil, odd, key_id=f"{mallory(evil)}#main-key")
        must_be_one_sentence(answer, 401)


async def test_AUT_19_a_page_of_a_member_is_never_their_upload(open_commons: Opener) -> None:
    gh = await open_commons(federation=Federation.OPEN)
    for path in ("/media/x.json", "/media/avatars/x", "/static/style.css"):
        answer = await gh.get(path)
        assert "json" not in answer.headers.get("content-type", ""), path
