# SPDX-License-Identifier: Apache-2.0
"""Things that come twice, late, or in the wrong order."""

import asyncio
from datetime import timedelta
from itertools import permutations

import orjson
import pytest

from server.posts import editing, steering
from storage import members
from storage.members import Member, MemberState
from tests import makers
from tests.hostile.commons import INBOX, Commons, doing, like, note
from tests.hostile.copy import announce, copied, words
from tests.hostile.peer import Json, Page, ScriptedPeer, mallory, vera

ORDERS = list(permutations(("C", "U", "U2", "D")))


def life_of(post: Json, actor: str) -> dict[str, Json]:
    """Its Create, two Updates and its Delete."""
    first = post | {"content": "<p>one</p>", "updated": "2026-11-23T09:00:30Z"}
    second = post | {"content": "<p>two</p>", "updated": "2026-11-23T09:01:00Z"}
    tombstone = {"id": post["id"], "type": "Tombstone"}
    return {
        "C": doing("Create", actor, post, post["id"]),
        "U": doing("Update", actor, first, f"{post['id']}-1"),
        "U2": doing("Update", actor, second, f"{post['id']}-2"),
        "D": doing("Delete", actor, tombstone, post["id"]),
    }


@pytest.mark.parametrize("part", [0, 1])
async def test_FED_02_a_deletion_holds_in_every_order_at_the_home(
    gh: Commons, vic: ScriptedPeer, part: int
) -> None:
    for number, order in enumerate(ORDERS[part::2]):
        gh.clock.turn(minutes=3)
        post = note(f"{vic.origin}/p/{number}", vera(vic), gh.forum.uri, name="Thread", type="Page")
        life = life_of(post, vera(vic))
        for step in order:
            await gh.deliver(vic, life[step])
            await gh.settled()
            held = await gh.held(post["id"])
            done = order[: order.index(step) + 1]
            if "D" in done:
                assert held is None or (held.state, held.html) == ("deleted", ""), (order, step)
            elif "U2" in done:
                assert held is not None
                assert "two" in held.html, (order, step)
    assert (await gh.announced()).count("Delete") <= len(ORDERS)


@pytest.mark.parametrize("part", [0, 1])
async def test_FED_02_a_deletion_holds_in_every_order_at_a_copy(
    gh: Commons, vic: ScriptedPeer, part: int
) -> None:
    forum = await copied(gh, vic)
    for number, order in enumerate(ORDERS[part::2]):
        post = words(vic, forum.uri, number)
        for step in order:
            life = life_of(post, vera(vic))
            inner = vic.proven(life[step], vera(vic), gh.clock.now())
            await announce(gh, vic, forum.uri, inner, f"{number}{step}")
            held = await gh.held(post["id"])
            done = order[: order.index(step) + 1]
            if "D" in done:
                assert held is None or (held.state, held.html) == ("deleted", ""), (order, step)
            elif "U2" in done:
                assert held is not None
                assert "two" in held.html, (order, step)


async def test_FED_01_the_same_activity_five_times_at_once_is_one(
    gh: Commons, vic: ScriptedPeer
) -> None:
    post = note(f"{vic.origin}/p/1", vera(vic), gh.forum.uri, inReplyTo=gh.thread.uri, type="Note")
    body = orjson.dumps(doing("Create", vera(vic), post))
    now = gh.clock.now()
    url = f"{gh.forum.uri}/inbox"
    key_id = f"{vera(vic)}#main-key"
    shared = vic.sign(INBOX, body, now, key_id=key_id)
    own = vic.sign(url, body, now, key_id=key_id)
    answers = await asyncio.gather(
        *(gh.post(body, shared) for _ in range(5)),
        *(gh.post(body, own, "/f/counters/inbox") for _ in range(5)),
    )
    assert {answer.status_code for answer in answers} <= {202, 409}
    await gh.settled()
    counts = await gh.counts()
    assert (counts["inbox"], counts["posts"], counts["notifications"]) == (1, 2, 1)
    assert (await gh.announced()).count("Create") == 2


async def test_FED_02_an_undo_cancels_the_like_it_overtook(gh: Commons, vic: ScriptedPeer) -> None:
    late = like(vera(vic), gh.thread.uri)
    assert (await gh.sent(vic, doing("Undo", vera(vic), late))).state == "applied"
    await gh.sent(vic, late)
    assert await gh.endorsements(gh.thread) == 0
    await gh.sent(vic, like(vera(vic), gh.thread.uri, 2))
    assert await gh.endorsements(gh.thread) == 1


async def test_FED_02_an_undo_cancels_the_like_it_overtook_at_a_copy(
    gh: Commons, vic: ScriptedPeer
) -> None:
    forum = await copied(gh, vic)
    opener = words(vic, forum.uri, 1)
    vic.put(opener["id"], opener)
    await announce(gh, vic, forum.uri, opener["id"], 1)
    late = like(vera(vic), opener["id"])
    for number, inner in enumerate((doing("Undo", vera(vic), late), late)):
        proven = vic.proven(inner, vera(vic), gh.clock.now())
        await announce(gh, vic, forum.uri, proven, f"like{number}")
    held = await gh.held(opener["id"])
    assert held is not None
    assert held.endorsement_count == 0


async def test_FED_03_an_older_update_changes_nothing(gh: Commons, vic: ScriptedPeer) -> None:
    post = note(f"{vic.origin}/p/1", vera(vic), gh.forum.uri, name="Thread", type="Page")
    life = life_of(post, vera(vic))
    for step in ("C", "U2", "U"):
        await gh.sent(vic, life[step])
    held = await gh.held(post["id"])
    assert held is not None
    assert "two" in held.html
    assert held.revision == 1


async def test_FED_02_a_like_waits_behind_the_post_of_somebody_else(
    gh: Commons, vic: ScriptedPeer
) -> None:
    # Vera's key is known from something that means nothing here; who she is, is not.
    assert (await gh.sent(vic, like(vera(vic), f"{vic.origin}/p/404"))).state == "ignored"
    assert (await gh.sent(vic, like(mallory(vic), gh.thread.uri))).state == "applied"
    known = vic.pages["/u/vera"]
    vic.pages["/u/vera"] = Page(b"Come again.", 503, "text/plain")
    post = note(f"{vic.origin}/p/1", vera(vic), gh.forum.uri, name="Thread", type="Page")
    create, endorsed = doing("Create", vera(vic), post), like(mallory(vic), post["id"], 2)
    await gh.sent(vic, create)
    await gh.sent(vic, endorsed)
    for tries in (1, 2):
        first, second = await gh.row(create["id"]), await gh.row(endorsed["id"])
        assert (first.state, first.attempts) == ("waiting", tries)
        assert (second.state, second.attempts) == ("waiting", 0)
        assert second.next_try == first.next_try > gh.clock.now()
        # Neither is looked at before its time.
        asked = vic.fetched
        assert [await gh.station.receiver.run_due() for _ in range(3)] == [0, 0, 0]
        assert vic.fetched == asked
        gh.clock.turn(minutes=1)
        await gh.settled()
    vic.pages["/u/vera"] = known
    gh.clock.turn(minutes=1)
    await gh.settled()
    assert (await gh.row(endorsed["id"])).state == "applied"
    held = await gh.held(post["id"])
    assert held is not None
    assert held.endorsement_count == 1


@pytest.mark.parametrize("why", ["locked", "suspended", "closed", "unknown parent", "deleted"])
async def test_FED_06_what_the_forum_refuses_is_not_announced_and_told(
    gh: Commons, evil: ScriptedPeer, why: str
) -> None:
    forum, parent = gh.forum.uri, gh.thread.uri
    await gh.sent(evil, like(mallory(evil), gh.thread.uri))
    async with gh.instance.transaction() as tx:
        if why == "locked":
            await steering.lock(tx, gh.admin, gh.thread, locked=True)
        if why == "suspended":
            held = await tx.session.get_one(Member, await id_of(gh, mallory(evil)))
            held.state = MemberState.SUSPENDED
        if why == "deleted":
            await editing.remove(tx, gh.admin, gh.thread)
    if why == "closed":
        forum = (await makers.forum(gh.instance, gh.admin, "staff", visibility="instance")).uri
    if why == "unknown parent":
        parent = f"{evil.origin}/p/404"
    before = await gh.announced()
    said = note(f"{evil.origin}/p/1", mallory(evil), forum, inReplyTo=parent)
    said |= {"to": [forum]}
    row = await gh.sent(evil, doing("Create", mallory(evil), said))
    await gh.settled()
    assert row.state in {"refused", "ignored"}
    assert await gh.held(said["id"]) is None
    assert [kind for kind in await gh.announced() if kind == "Create"] == [
        kind for kind in before if kind == "Create"
    ]
    told = [one for one in evil.delivered if one["type"] == "Reject"]
    assert len(told) == (0 if why == "closed" else 1)
    assert all(one["summary"].endswith(".") for one in told)


async def id_of(gh: Commons, uri: str) -> int:
    async with gh.instance.reading() as session:
        held = await members.by_uri(session, uri)
    assert held is not None
    return held.id


async def test_an_edit_that_comes_in_the_millisecond_of_its_post_is_not_lost(
    gh: Commons, vic: ScriptedPeer
) -> None:
    forum = await copied(gh, vic)
    # Their clock is a little ahead, and both come at once after an outage.
    ahead = [gh.clock.now() + timedelta(milliseconds=ms) for ms in (1, 2, 3)]
    stamps = [moment.isoformat(timespec="milliseconds") for moment in ahead]
    post = words(vic, forum.uri, 1, published=stamps[0])
    edits = [
        post | {"content": f"<p>{said}</p>", "updated": stamp}
        for said, stamp in zip(("one", "two"), stamps[1:], strict=True)
    ]
    steps = [doing("Create", vera(vic), post, post["id"])]
    steps += [doing("Update", vera(vic), edit, f"{n}") for n, edit in enumerate(edits)]
    for number, step in enumerate(steps):
        inner = vic.proven(step, vera(vic), gh.clock.now())
        await announce(gh, vic, forum.uri, inner, number)
    held = await gh.held(post["id"])
    assert held is not None
    assert (held.revision, "two" in held.html) == (2, True)
