# SPDX-License-Identifier: Apache-2.0
"""Copies of forums of other software are filled from their collections."""

import asyncio
import time
from datetime import datetime
from itertools import pairwise

import pytest

from federation.errors import Busy
from federation.fetch.pace import LONGEST_QUEUE, Pace, Resting
from federation.repair import threads
from federation.repair.collections import MOST_IN_VAIN
from federation.repair.threads import MOST_PAGES
from server.forums import comparing
from server.randomness import SeededRandomness
from storage.forums import Forum
from tests import makers
from tests.clock import TurnableClock
from tests.hostile.commons import SECONDS, Commons, doing
from tests.hostile.copy import collection, follow, held_in, serve_forum, words
from tests.hostile.peer import AS, Json, Page, ScriptedPeer, vera


async def filled(gh: Commons, home: ScriptedPeer, group: str) -> Forum:
    return await follow(gh, home, group, await makers.member(gh.instance, "ana"))


async def uris(gh: Commons, forum: Forum) -> set[str]:
    return {post.uri for post in await held_in(gh, forum)}


def reply(peer: ScriptedPeer, group: str, number: int, to: Json, **changes: object) -> Json:
    """A Note that answers another, served under its id; without a context of its own."""
    parts: Json = {"type": "Note", "name": None, "context": None, "inReplyTo": to["id"]}
    said = words(peer, group, number, **{**parts, **changes})
    peer.put(said["id"], {key: value for key, value in said.items() if value is not None})
    return said


def replies(peer: ScriptedPeer, number: int, pages: list[list[object]], **changes: object) -> Json:
    """A Mastodon-like `replies`: the first page inline, the others served."""
    uri = f"{peer.origin}/p/{number}/replies"

    def page(place: int) -> Json:
        found: Json = {"type": "CollectionPage", "partOf": uri, "items": pages[place]}
        if place + 1 < len(pages):
            found["next"] = f"{uri}?page={place + 1}"
        return found

    for place in range(1, len(pages)):
        at = f"{uri}?page={place}"
        peer.put(at, {"@context": AS, "id": at, **page(place)})
    whole = {"id": uri, "type": "Collection", "first": page(0), **changes}
    peer.put(uri, {"@context": AS, **whole})
    return whole


async def test_a_first_copy_of_a_lemmy_like_forum(
    gh: Commons, vic: ScriptedPeer, evil: ScriptedPeer
) -> None:
    """Announce{Create{Page}} inline, served as plain JSON; comments are in the context."""
    group = serve_forum(vic)
    opener = words(vic, group, 1, type="Page")
    vic.put(opener["id"], opener)
    first = reply(vic, group, 2, opener)
    second = reply(evil, group, 3, first)
    # Listed newest first: what answers comes before what it answers.
    thread = [opener["id"], second["id"], first["id"]]
    vic.put(opener["context"], collection(opener["context"], thread))
    create = doing("Create", vera(vic), opener)
    outbox = collection(f"{group}/outbox", [doing("Announce", group, create)])
    vic.put(f"{group}/outbox", outbox, kind="application/json")
    forum = await filled(gh, vic, group)
    assert await uris(gh, forum) == set(thread)
    asked = ["/f/permits/outbox", "/p/1", "/p/1/context", "/p/2"]
    assert [vic.fetched.count(target) for target in asked] == [1, 1, 1, 1]
    assert evil.fetched.count("/p/3") == 1
    assert not [target for target in vic.fetched if "likes" in target]


async def test_a_first_copy_of_a_nodebb_like_forum_in_pages(gh: Commons, vic: ScriptedPeer) -> None:
    group = serve_forum(vic)
    opener = words(vic, group, 1)
    vic.put(opener["id"], opener)
    said = [reply(vic, group, number, opener) for number in range(2, 7)]
    context = opener["context"]
    whole = {"@context": AS, "type": "OrderedCollection", "totalItems": 6}
    vic.put(context, {**whole, "id": context, "first": f"{context}?page=1"})
    for number, part in enumerate(([opener, *said[:2]], said[2:4], said[4:]), start=1):
        at = f"{context}?page={number}"
        page: Json = {"@context": AS, "id": at, "type": "OrderedCollectionPage"}
        # Objects instead of ids: they prove nothing, and are asked for.
        page["orderedItems"] = [{**one, "content": "<p>forged</p>"} for one in part]
        if number < 3:
            page["next"] = f"{context}?page={number + 1}"
        vic.put(at, page)
    vic.put(f"{group}/outbox", collection(f"{group}/outbox", [opener["id"]]))
    forum = await filled(gh, vic, group)
    held = await held_in(gh, forum)
    assert {post.uri for post in held} == {opener["id"], *(one["id"] for one in said)}
    assert not [post for post in held if "forged" in post.html]
    assert [vic.fetched.count(f"/p/1/context{part}") for part in ("", "?page=1", "?page=3")] == [
        1, 1, 1,
    ]  # fmt: skip


async def test_a_thread_without_a_context_is_read_from_its_replies(
    gh: Commons, vic: ScriptedPeer, evil: ScriptedPeer, third: ScriptedPeer
) -> None:
    """Mastodon-like: the first page inline, further pages, answers to answers elsewhere."""
    group = serve_forum(vic)
    opener = words(vic, group, 1, context=None)
    own = reply(vic, group, 2, opener)
    other = reply(evil, group, 3, opener, replies=replies(evil, 3, [[f"{vic.origin}/p/4"]]))
    deeper = reply(vic, group, 4, other)
    unlisted = reply(third, group, 5, opener)
    pages: list[list[object]] = [[own["id"]], [{"id": other["id"], "type": "Note"}]]
    pages.append([unlisted["id"], opener["id"], "not an address", 7, None])
    opener["replies"] = replies(vic, 1, pages)
    del opener["context"]
    vic.put(opener["id"], opener)
    vic.put(f"{group}/outbox", collection(f"{group}/outbox", [opener["id"]]))
    forum = await filled(gh, vic, group)
    assert await uris(gh, forum) == {one["id"] for one in (opener, own, other, deeper)}
    for peer, target in (
        (vic, "/p/1/replies"),
        (vic, "/p/1/replies?page=2"),
        (evil, "/p/3/replies"),
    ):
        assert peer.fetched.count(target) == 1
    # Policy holds for what is found as for what is announced.
    assert third.fetched == []


async def asked_again(gh: Commons, forum: Forum) -> None:
    """Have somebody press the button, and wait until that has ended."""
    async with gh.instance.transaction() as tx:
        await comparing.ask(tx, None, await tx.session.get_one(Forum, forum.id))
    await ended(gh, forum, gh.clock.turn(minutes=1))


async def ended(gh: Commons, forum: Forum, since: datetime) -> Forum:
    """The copy once a look that began after `since` has ended."""
    end = time.monotonic() + SECONDS
    gh.instance.wake()
    while True:
        async with gh.instance.reading() as session:
            held = await session.get_one(Forum, forum.id)
        if held.compare_tried is not None and held.compare_tried >= since:
            return held
        assert time.monotonic() < end
        await asyncio.sleep(0.02)


async def test_what_has_not_changed_is_asked_for_by_its_tag(gh: Commons, vic: ScriptedPeer) -> None:
    group = serve_forum(vic)
    opener = words(vic, group, 1)
    first = reply(vic, group, 2, opener)
    vic.put(opener["id"], opener)
    tag, day = 'W/"a1"', "Mon, 23 Nov 2026 09:00:00 GMT"
    outbox, context = f"{group}/outbox", opener["context"]
    vic.put(outbox, collection(outbox, [opener["id"]]), headers=(("ETag", tag),))
    listed = collection(context, [opener["id"], first["id"]])
    vic.put(context, listed, headers=(("Last-Modified", day),))
    forum = await filled(gh, vic, group)
    vic.pages["/f/permits/outbox"] = vic.pages["/p/1/context"] = Page(status=304)
    vic.requests.clear()
    await asked_again(gh, forum)
    asked = {one.target: one.headers for one in vic.requests if one.method == "GET"}
    assert asked["/f/permits/outbox"]["if-none-match"] == tag
    assert "if-modified-since" not in asked["/f/permits/outbox"]
    assert asked["/p/1/context"]["if-modified-since"] == day
    assert not {"/p/1", "/p/2"} & asked.keys()
    # One that has changed is read again, and only what is new in it is fetched.
    second = reply(vic, group, 3, opener)
    vic.put(context, collection(context, [opener["id"], first["id"], second["id"]]))
    vic.requests.clear()
    await asked_again(gh, forum)
    assert second["id"] in await uris(gh, forum)
    assert "/p/3" in vic.fetched
    assert not {"/p/1", "/p/2"} & set(vic.fetched)


@pytest.mark.parametrize("status", [429, 503])
async def test_who_asks_to_be_left_alone_is_left_alone(
    gh: Commons, vic: ScriptedPeer, status: int
) -> None:
    group = serve_forum(vic)
    opener = words(vic, group, 1)
    said = [reply(vic, group, number, opener) for number in range(2, 8)]
    context = opener["context"]
    vic.put(context, collection(context, [opener["id"], *(one["id"] for one in said)]))
    vic.put(opener["id"], opener)
    vic.put(f"{group}/outbox", collection(f"{group}/outbox", [opener["id"]]))
    served = vic.pages["/p/2"]
    vic.pages["/p/2"] = Page(b"Later.", status, "text/plain", (("Retry-After", "7200"),))
    forum = await filled(gh, vic, group)
    # Not one of the others was asked for after that.
    assert [target for target in vic.fetched if target.startswith("/p/")] == [
        "/p/1", "/p/1/context", "/p/2",
    ]  # fmt: skip
    vic.pages["/p/2"] = served
    vic.requests.clear()
    await ended(gh, forum, gh.clock.turn(minutes=30))
    assert vic.fetched == []
    await ended(gh, forum, gh.clock.turn(hours=7))
    assert len(await uris(gh, forum)) == 7


async def test_collections_without_end_are_left(
    gh: Commons, vic: ScriptedPeer, evil: ScriptedPeer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pages for ever, in circles, on other hosts; and thousands of posts that are not there."""
    monkeypatch.setattr(threads, "MOST_POSTS", 60)
    group = serve_forum(evil)
    openers = [words(evil, group, number) for number in range(1, 5)]
    for one in openers:
        evil.put(one["id"], one)
    endless, circle, led, many = (one["context"] for one in openers)
    kind: Json = {"@context": AS, "type": "OrderedCollectionPage"}
    for number in range(60):
        at = f"{endless}?{number}" if number else endless
        following = f"{endless}?{number + 1}"
        evil.put(at, {**kind, "id": at, "orderedItems": [], "next": following})
    evil.put(circle, {**kind, "id": circle, "orderedItems": [], "next": f"{circle}?1"})
    evil.put(f"{circle}?1", {**kind, "id": circle, "orderedItems": [], "next": circle})
    evil.put(led, {**kind, "id": led, "orderedItems": [], "next": f"{vic.origin}/p/1/context"})
    nowhere = [f"{vic.origin}/nowhere/{number}" for number in range(4_000)]
    evil.put(many, {**kind, "id": many, "orderedItems": nowhere})
    evil.put(f"{group}/outbox", collection(f"{group}/outbox", [one["id"] for one in openers]))
    forum = await filled(gh, evil, group)
    assert len(await uris(gh, forum)) == 4
    assert len([one for one in evil.fetched if one.startswith("/p/1/context")]) == MOST_PAGES
    assert len([one for one in evil.fetched if one.startswith("/p/2/context")]) == 2
    assert len(vic.fetched) == MOST_IN_VAIN
    assert all(one.startswith("/nowhere/") for one in vic.fetched)


async def test_a_pace_gives_each_host_one_turn_a_second() -> None:
    waited: list[float] = []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)

    clock = TurnableClock()
    pace = Pace(clock, SeededRandomness(7), sleep=sleep)
    for _ in range(5):
        await pace.turn("one.example")
    await pace.turn("other.example")
    assert len(waited) == 4
    turns = [0.0, *waited]
    assert all(0.9 <= later - earlier <= 1.5 for earlier, later in pairwise(turns))
    # Nobody stands in a queue that is too long; nor before a door that is closed.
    turns_of_many = (pace.turn("one.example") for _ in range(200))
    outcomes = [await asyncio.gather(turn, return_exceptions=True) for turn in turns_of_many]
    assert isinstance(outcomes[-1][0], Resting)
    assert max(waited) <= LONGEST_QUEUE
    pace.heed("other.example", Busy(429, retry_after=600.0))
    pace.heed("third.example", Busy(500))
    await pace.turn("third.example")
    for minutes in (9, 0.9):
        clock.turn(minutes=minutes)
        with pytest.raises(Resting):
            await pace.turn("other.example")
    clock.turn(minutes=2)
    await pace.turn("other.example")
