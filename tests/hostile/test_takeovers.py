# SPDX-License-Identifier: Apache-2.0
"""Whoever speaks for others, or for another forum, changes nothing."""

from sqlalchemy import select

from server.forums import follows
from server.posts import editing, writing
from server.posts.drafts import EditDraft, ReplyDraft
from storage.audit import AuditEntry
from storage.endorsements import Endorsement
from storage.forums import ForumSteward
from storage.members import Member
from tests import makers
from tests.hostile.commons import Commons, doing, like, note
from tests.hostile.copy import (
    announce,
    collection,
    copied,
    follow,
    held_in,
    serve_forum,
    words,
)
from tests.hostile.peer import Page, ScriptedPeer, mallory, vera


async def endorsers(gh: Commons) -> list[str]:
    question = (
        select(Member.uri)
        .join(Endorsement, Endorsement.member_id == Member.id)
        .where(Endorsement.post_id == gh.thread.id, Endorsement.active)
    )
    async with gh.instance.reading() as session:
        return list((await session.execute(question)).scalars())


async def test_AUT_15_an_actor_that_leads_on_to_another_speaks_for_nobody(
    gh: Commons, evil: ScriptedPeer, vic: ScriptedPeer
) -> None:
    thread = note(f"{vic.origin}/p/1", vera(vic), gh.forum.uri, type="Article", name="Vera's")
    assert (await gh.sent(vic, doing("Create", vera(vic), thread))).state == "applied"
    await gh.get("/instance/forums", evil)
    evil.redirect("/u/mallory", vera(vic))
    assert (await gh.sent(evil, like(mallory(evil), gh.thread.uri))).state == "refused"
    assert await endorsers(gh) == []
    forged = note(f"{evil.origin}/p/9", mallory(evil), gh.forum.uri, type="Article", name="Not")
    await gh.sent(evil, doing("Create", mallory(evil), forged))
    assert await gh.held(forged["id"]) is None
    await gh.sent(evil, doing("Delete", mallory(evil), thread["id"]))
    held = await gh.held(thread["id"])
    assert held is not None
    assert held.state == "live"


async def test_a_forged_receipt_makes_none_of_us_say_anything(
    gh: Commons, vic: ScriptedPeer
) -> None:
    forum = await copied(gh, vic)
    thread = words(vic, forum.uri, 1)
    vic.put(thread["id"], thread)
    assert await announce(gh, vic, forum.uri, thread["id"], 1) == "applied"
    ana = f"{gh.instance.settings.origin}/u/ana"
    vic.requests.clear()
    for number, kind in enumerate(("Lock", "Delete"), start=2):
        inner = {"type": kind, "actor": ana, "id": f"{ana}#never-{number}", "object": thread["id"]}
        await announce(gh, vic, forum.uri, inner, number)
    await gh.settled()
    assert vic.delivered == []
    async with gh.instance.reading() as session:
        lines = (await session.execute(select(AuditEntry))).scalars().all()
    assert ana not in {line.actor for line in lines if line.verb != "member.joined"}


async def test_a_list_of_likes_gives_likes_only(
    gh: Commons, evil: ScriptedPeer, vic: ScriptedPeer
) -> None:
    group = serve_forum(vic)
    likes = f"{evil.origin}/p/2/likes"
    first, second = words(vic, group, 1), words(evil, group, 2, likes=likes)
    vic.put(f"{group}/outbox", collection(f"{group}/outbox", [first["id"], second["id"]]))
    for post, peer in ((first, vic), (second, evil)):
        peer.put(post["id"], post)
        peer.put(post["context"], collection(post["context"], [post["id"]]))
    steering: list[object] = [
        doing("Delete", mallory(evil), first["id"]),
        doing("Add", mallory(evil), mallory(evil), 2, target=f"{group}/moderators"),
    ]
    evil.put(likes, collection(likes, steering))
    forum = await follow(gh, vic, group, await makers.member(gh.instance, "ana"))
    assert "/p/2/likes" in evil.fetched
    assert {(post.uri, post.state) for post in await held_in(gh, forum)} == {
        (first["id"], "live"),
        (second["id"], "live"),
    }
    async with gh.instance.reading() as session:
        stewards = select(ForumSteward).where(ForumSteward.forum_id == forum.id)
        assert (await session.execute(stewards)).first() is None


async def test_a_forum_takes_no_post_of_another(
    gh: Commons, evil: ScriptedPeer, vic: ScriptedPeer
) -> None:
    home = await copied(gh, vic)
    lair = serve_forum(evil, "/f/lair")
    taken = await follow(gh, evil, lair, await makers.member(gh.instance, "bob"))
    thread = words(vic, home.uri, 1)
    vic.put(thread["id"], thread)
    assert await announce(gh, evil, lair, thread["id"], 1) == "ignored"
    assert await held_in(gh, taken) == []
    assert await announce(gh, vic, home.uri, thread["id"], 1) == "applied"
    assert [post.uri for post in await held_in(gh, home)] == [thread["id"]]


async def test_what_is_deleted_goes_from_a_copy_that_is_followed_no_more(
    gh: Commons, vic: ScriptedPeer
) -> None:
    forum = await copied(gh, vic)
    thread = words(vic, forum.uri, 1)
    vic.put(thread["id"], thread)
    await announce(gh, vic, forum.uri, thread["id"], 1)
    async with gh.instance.transaction() as tx:
        ana = await tx.session.execute(select(Member).where(Member.handle == "ana"))
        await follows.leave(tx, ana.scalar_one(), forum)
    assert await announce(gh, vic, forum.uri, words(vic, forum.uri, 2)["id"], 2) == "ignored"
    inner = doing("Delete", vera(vic), thread["id"])
    assert await announce(gh, vic, forum.uri, inner, 3) == "applied"
    held = await gh.held(thread["id"])
    assert held is not None
    assert (held.state, held.html) == ("deleted", "")


async def test_two_actors_of_one_name_stop_nobody(gh: Commons, evil: ScriptedPeer) -> None:
    for path in ("/u/x1", "/u/x2"):
        evil.actor(path, preferredUsername="x")
        assert (await gh.sent(evil, like(f"{evil.origin}{path}", gh.thread.uri))).state == "applied"
    shown = await gh.client.get("/u/x@evil.localhost", headers={"Accept": "text/html"})
    assert shown.status_code == 200
    async with gh.instance.transaction() as tx:
        draft = ReplyDraft("Hello @x@evil.localhost", gh.thread.id)
        posted = await writing.reply(tx, gh.admin, draft)
    assert await gh.held(posted.uri) is not None


async def test_a_day_of_posts_that_comes_at_once_is_taken(gh: Commons, vic: ScriptedPeer) -> None:
    for number in range(12):
        thread = note(
            f"{vic.origin}/p/{number}",
            vera(vic),
            gh.forum.uri,
            type="Article",
            name=f"Thread {number}",
            published=f"2026-11-22T08:{number * 5:02d}:00Z",
        )
        row = await gh.sent(vic, doing("Create", vera(vic), thread, number))
        assert (row.state, row.note) == ("applied", "")


async def test_a_chain_is_done_with_its_last_post(
    gh: Commons, evil: ScriptedPeer, vic: ScriptedPeer
) -> None:
    forum = await copied(gh, vic)
    opener = words(vic, forum.uri, 1)
    vic.put(opener["id"], opener)
    await announce(gh, vic, forum.uri, opener["id"], 1)
    answer = words(vic, forum.uri, 2, type="Note", inReplyTo=opener["id"])
    last = words(evil, forum.uri, 3, type="Note", inReplyTo=answer["id"])
    vic.put(answer["id"], answer)
    evil.put(last["id"], last)
    actor = evil.pages["/u/vera"]
    evil.pages["/u/vera"] = Page(status=503)
    assert await announce(gh, vic, forum.uri, last["id"], 2) == "waiting"
    evil.pages["/u/vera"] = actor
    gh.clock.turn(hours=1)
    await gh.settled()
    held = {post.uri for post in await held_in(gh, forum)}
    assert held == {opener["id"], answer["id"], last["id"]}


async def test_edits_of_tags_alone_all_travel(gh: Commons, vic: ScriptedPeer) -> None:
    await gh.is_guildhall(vic.host)
    await gh.sent(vic, doing("Follow", vera(vic), gh.forum.uri))
    await gh.settled()
    for tag in ("a1", "b1", "c1"):
        async with gh.instance.transaction() as tx:
            draft = EditDraft(gh.thread.title, gh.thread.source, (tag,))
            await editing.edit(tx, gh.admin, gh.thread, draft)
        await gh.settled()
    told = [sent["object"]["id"] for sent in vic.delivered if sent["type"] == "Announce"]
    assert len(set(told)) == 3


async def test_a_repeated_like_leaves_nothing_behind(gh: Commons, evil: ScriptedPeer) -> None:
    await gh.sent(evil, like(mallory(evil), gh.thread.uri, 0))
    before = (await gh.counts())["activity_bodies"]
    for number in range(1, 4):
        await gh.sent(evil, like(mallory(evil), gh.thread.uri, number))
    assert (await gh.counts())["activity_bodies"] == before
