# SPDX-License-Identifier: Apache-2.0
"""A thread that a member opens gets the replies that its copy lacks."""

import asyncio
import time
from datetime import timedelta

from federation.repair.opened import MOST_DOCUMENTS
from server.members import sign_in
from server.polls import pages
from server.viewers import VISITOR
from storage.forums import Forum
from storage.members import Member
from tests import makers
from tests.hostile.commons import SECONDS, Commons, doing
from tests.hostile.copy import announce, collection, follow, held_in, serve_forum, words
from tests.hostile.peer import Json, Page, ScriptedPeer, vera
from tests.hostile.test_backfill import replies, reply

ENDS = timedelta(minutes=20)


async def opened(gh: Commons, uri: str, member: Member | None) -> None:
    """Have somebody read the thread, and wait until whatever that began has ended."""
    held = await gh.held(uri)
    assert held is not None
    cookie = {}
    if member is not None:
        async with gh.instance.transaction() as tx:
            token = await sign_in.open_session(tx, member)
        cookie["Cookie"] = f"guildhall_session={token}"
    answer = await gh.client.get(f"/p/{held.id}/x", headers={"Accept": "text/html", **cookie})
    if answer.is_redirect:
        at = answer.headers["location"]
        answer = await gh.client.get(at, headers={"Accept": "text/html", **cookie})
    assert answer.status_code == 200
    end = time.monotonic() + SECONDS
    while gh.station.repair.opened.is_busy:
        assert time.monotonic() < end
        await asyncio.sleep(0.01)


async def uris(gh: Commons, forum: Forum) -> set[str]:
    return {post.uri for post in await held_in(gh, forum)}


async def test_a_gap_is_filled_once_a_member_looks(
    gh: Commons, vic: ScriptedPeer, evil: ScriptedPeer
) -> None:
    """A parent that could not be had, and an answer that was told to nobody here."""
    ana = await makers.member(gh.instance, "ana")
    group = serve_forum(vic)
    forum = await follow(gh, vic, group, ana)
    opener = words(vic, group, 1)
    opener["replies"] = replies(vic, 1, [[], [f"{vic.origin}/p/2"], [f"{evil.origin}/p/4"]])
    vic.put(opener["id"], opener)
    parent = reply(vic, group, 2, opener)
    served, vic.pages["/p/2"] = vic.pages["/p/2"], Page(status=410)
    answer = reply(vic, group, 3, parent, context=opener["context"])
    silent = reply(evil, group, 4, opener)
    for number, post in enumerate((opener, answer)):
        assert await announce(gh, vic, group, post["id"], number) == "applied"
    assert await uris(gh, forum) == {opener["id"], answer["id"]}
    vic.pages["/p/2"] = served
    vic.requests.clear()
    await opened(gh, opener["id"], None)
    assert vic.fetched == evil.fetched == []
    await opened(gh, opener["id"], ana)
    whole = {one["id"] for one in (opener, parent, answer, silent)}
    assert await uris(gh, forum) == whole
    held, above = await gh.held(answer["id"]), await gh.held(parent["id"])
    assert held is not None
    assert above is not None
    assert (held.parent_id, held.parent_uri) == (above.id, None)
    assert vic.fetched.count("/p/2") == 1
    # Nothing comes any more: ever more rarely, and then only by the collection.
    vic.requests.clear()
    looks = []
    for minutes in (0, 20, 20, 20, 20, 20, 20, 20):
        gh.clock.turn(minutes=minutes)
        before = len(vic.fetched)
        await opened(gh, opener["id"], ana)
        looks.append(len(vic.fetched) > before)
    assert looks == [False, True, False, True, False, False, False, True]
    assert not {"/p/1", "/p/2", "/p/3"} & set(vic.fetched)


async def test_one_look_asks_for_twenty_documents(gh: Commons, evil: ScriptedPeer) -> None:
    """Whatever is listed, wherever; the next look goes on where this one ended."""
    ana = await makers.member(gh.instance, "ana")
    group = serve_forum(evil)
    forum = await follow(gh, evil, group, ana)
    opener = words(evil, group, 1)
    said: list[Json] = [reply(evil, group, number, opener) for number in range(2, 42)]
    listed: list[object] = [opener["id"], *(one["id"] for one in said)]
    evil.put(opener["context"], collection(opener["context"], listed))
    evil.put(opener["id"], opener)
    assert await announce(gh, evil, group, opener["id"], 1) == "applied"
    sizes = [1]
    for _ in range(3):
        evil.requests.clear()
        await opened(gh, opener["id"], ana)
        assert len(evil.fetched) <= MOST_DOCUMENTS
        sizes.append(len(await uris(gh, forum)))
        gh.clock.turn(minutes=20)
    assert sizes == sorted(set(sizes))
    assert sizes[-1] == 41


async def test_how_a_poll_ended_is_asked_for_once(
    gh: Commons, vic: ScriptedPeer, evil: ScriptedPeer
) -> None:
    """In a copy and in a forum of ours, where the last Update went astray."""
    ana = await makers.member(gh.instance, "ana")
    group = serve_forum(vic)
    await follow(gh, vic, group, ana)

    def asked(peer: ScriptedPeer, forum: str, counts: tuple[int, int], **more: object) -> Json:
        options = [
            {"type": "Note", "name": name, "replies": {"type": "Collection", "totalItems": count}}
            for name, count in zip(("Paper", "Online"), counts, strict=True)
        ]
        ends = {"endTime": f"{gh.clock.now() + ENDS:%Y-%m-%dT%H:%M:%SZ}", **more}
        post = words(peer, forum, 9, type="Question", oneOf=options, **ends)
        peer.put(post["id"], post)
        return post

    copied, own = asked(vic, group, (1, 0)), asked(evil, gh.forum.uri, (0, 2))
    assert await announce(gh, vic, group, copied["id"], 9) == "applied"
    assert (await gh.sent(evil, doing("Create", vera(evil), own, 9))).state == "applied"
    await is_counted(gh, copied, 1, 0)
    ends = {"endTime": own["endTime"]}
    for peer, forum in ((vic, group), (evil, gh.forum.uri)):
        asked(peer, forum, (3, 4), closed=ends["endTime"], **ends)
        peer.requests.clear()
    for uri in (copied["id"], own["id"]):
        await opened(gh, uri, ana)
    await is_counted(gh, copied, 1, 0)
    assert evil.fetched == []
    gh.clock.turn(minutes=30)
    # What names another author is not its author's word.
    asked(evil, gh.forum.uri, (9, 9), attributedTo=vera(vic), **ends)
    for uri in (copied["id"], own["id"]):
        await opened(gh, uri, ana)
    await is_counted(gh, copied, 3, 4)
    await is_counted(gh, own, 0, 2)
    asked(evil, gh.forum.uri, (3, 4), closed=ends["endTime"], **ends)
    gh.clock.turn(minutes=40)
    await opened(gh, own["id"], ana)
    await is_counted(gh, own, 3, 4)
    evil.requests.clear()
    gh.clock.turn(days=2)
    await opened(gh, own["id"], ana)
    assert evil.fetched == []


async def is_counted(gh: Commons, question: Json, *votes: int) -> None:
    held = await gh.held(question["id"])
    assert held is not None
    async with gh.instance.reading() as session:
        poll = (await pages.of_posts(session, VISITOR, [held.id]))[held.id]
    assert tuple(one.votes for one in poll.choices) == votes
