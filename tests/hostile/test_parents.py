# SPDX-License-Identifier: Apache-2.0
"""Replies from anywhere find their place, whatever comes first."""

from datetime import timedelta

from federation.fetch.allowance import MOST_DOCUMENTS
from federation.handlers.parents import AWAITED_FOR
from tests.hostile.commons import Commons, doing, note
from tests.hostile.peer import PUBLIC, Json, Page, ScriptedPeer, mallory, vera

BUSY = Page(b"Come again.", 503, "text/plain")


def said(peer: ScriptedPeer, forum: str, number: int, **changes: object) -> Json:
    """What Vera of a host wrote in a forum."""
    return note(f"{peer.origin}/p/{number}", vera(peer), forum, **changes)


async def test_a_reply_that_overtook_its_parent_is_posted_beside_it(
    gh: Commons, vic: ScriptedPeer, evil: ScriptedPeer
) -> None:
    parent = said(vic, gh.forum.uri, 1, inReplyTo=gh.thread.uri)
    answer = note(f"{evil.origin}/p/2", mallory(evil), gh.forum.uri, inReplyTo=parent["id"])
    vic.pages["/p/1"] = BUSY
    create = doing("Create", mallory(evil), answer)
    assert (await gh.sent(evil, create)).state == "waiting"
    # The same host may well bring what is waited for: it does not wait in its turn.
    assert (await gh.sent(vic, doing("Create", vera(vic), parent))).state == "applied"
    gh.clock.turn(minutes=1)
    await gh.settled()
    assert (await gh.row(create["id"])).state == "applied"
    held, above = await gh.held(answer["id"]), await gh.held(parent["id"])
    assert held is not None
    assert above is not None
    assert (held.parent_id, held.thread_id) == (above.id, gh.thread.id)
    assert (await gh.announced()).count("Create") == 3


async def test_of_one_host_too_a_parent_may_come_second(gh: Commons, vic: ScriptedPeer) -> None:
    parent = said(vic, gh.forum.uri, 1, inReplyTo=gh.thread.uri)
    answer = said(vic, gh.forum.uri, 2, inReplyTo=parent["id"])
    vic.pages["/p/1"] = BUSY
    late = doing("Create", vera(vic), answer, 2)
    assert (await gh.sent(vic, late)).state == "waiting"
    assert (await gh.sent(vic, doing("Create", vera(vic), parent, 1))).state == "applied"
    gh.clock.turn(minutes=1)
    await gh.settled()
    assert (await gh.row(late["id"])).state == "applied"


async def test_missing_ancestors_are_fetched_and_announced(
    gh: Commons, vic: ScriptedPeer, evil: ScriptedPeer
) -> None:
    """Neither names the forum: Mastodon's replies say only whom they answer."""
    plain: Json = {"audience": None, "to": [PUBLIC]}
    first = said(vic, gh.forum.uri, 1, inReplyTo=gh.thread.uri, **plain)
    second = said(vic, gh.forum.uri, 2, inReplyTo=first["id"], **plain)
    for one in (first, second):
        vic.put(one["id"], one)
    third = note(f"{evil.origin}/p/3", mallory(evil), gh.forum.uri, inReplyTo=second["id"])
    assert (await gh.sent(evil, doing("Create", mallory(evil), third))).state == "applied"
    chain = [await gh.held(one["id"]) for one in (first, second, third)]
    assert [one.parent_id for one in chain if one] == [
        gh.thread.id,
        *(one.id for one in chain[:-1] if one),
    ]
    assert vic.fetched.count("/p/1") == vic.fetched.count("/p/2") == 1
    assert (await gh.announced())[-3:] == ["Note", "Note", "Create"]


async def test_a_thread_that_began_with_a_mention_is_fetched_with_its_reply(
    gh: Commons, vic: ScriptedPeer, evil: ScriptedPeer
) -> None:
    words = "<p><span>@<b>counters</b></span> Do you take cards?</p><p>At the desk.</p>"
    tags = [
        {"type": "Mention", "href": gh.forum.uri, "name": f"@counters@{gh.instance.settings.host}"}
    ]
    opener = said(
        vic, gh.forum.uri, 1, audience=None, to=[PUBLIC], cc=[gh.forum.uri], content=words, tag=tags
    )
    vic.put(opener["id"], opener)
    answer = note(f"{evil.origin}/p/2", mallory(evil), gh.forum.uri, inReplyTo=opener["id"])
    await gh.sent(evil, doing("Create", mallory(evil), answer))
    thread, held = await gh.held(opener["id"]), await gh.held(answer["id"])
    assert thread is not None
    assert held is not None
    assert (thread.title, thread.forum_id) == ("Do you take cards?", gh.forum.id)
    assert held.thread_id == thread.id


async def test_where_only_the_thread_is_known_a_reply_stands_under_its_opener(
    gh: Commons, vic: ScriptedPeer, evil: ScriptedPeer, third: ScriptedPeer
) -> None:
    """By its context: at once where the parent is down, and where its author is not listed."""
    for number, (host, page) in enumerate(((vic, BUSY), (third, None)), start=1):
        parent = said(host, gh.forum.uri, number, inReplyTo=gh.thread.uri)
        if page is not None:
            host.pages[f"/p/{number}"] = page
        answer = note(
            f"{evil.origin}/p/{number}", mallory(evil), gh.forum.uri,
            inReplyTo=parent["id"], context=gh.thread.context,
        )  # fmt: skip
        create = doing("Create", mallory(evil), answer, number)
        assert (await gh.sent(evil, create)).state == "applied"
        held = await gh.held(answer["id"])
        assert held is not None
        assert (held.parent_id, held.parent_uri) == (gh.thread.id, parent["id"])
    assert third.fetched == []
    # What comes later takes its place above the reply.
    parent = said(vic, gh.forum.uri, 1, inReplyTo=gh.thread.uri)
    await gh.sent(vic, doing("Create", vera(vic), parent))
    held, above = await gh.held(f"{evil.origin}/p/1"), await gh.held(parent["id"])
    assert held is not None
    assert above is not None
    assert (held.parent_id, held.parent_uri) == (above.id, None)


async def test_a_parent_that_never_comes_is_waited_for_and_then_said(
    gh: Commons, vic: ScriptedPeer, evil: ScriptedPeer
) -> None:
    vic.pages["/p/1"] = BUSY
    answer = note(f"{evil.origin}/p/2", mallory(evil), gh.forum.uri, inReplyTo=f"{vic.origin}/p/1")
    create = doing("Create", mallory(evil), answer)
    assert (await gh.sent(evil, create)).state == "waiting"
    tries = 1
    while (await gh.row(create["id"])).state == "waiting":
        gh.clock.turn(minutes=5)
        await gh.settled()
        tries += 1
    row = await gh.row(create["id"])
    assert row.state == "refused"
    assert AWAITED_FOR < gh.clock.now() - row.received < AWAITED_FOR + timedelta(minutes=40)
    # Ever more seldom, however often there would have been time.
    assert vic.fetched.count("/p/1") <= 12 < tries
    await gh.settled()
    told = [one for one in evil.delivered if one["type"] == "Reject"]
    assert [one["summary"] for one in told] == ["What this answers is not in the forum."]


async def test_a_thread_without_end_is_climbed_so_far_and_no_further(
    gh: Commons, vic: ScriptedPeer, evil: ScriptedPeer
) -> None:
    """Every post answers another, each by somebody else."""
    for number in range(1, 60):
        author = vic.actor(f"/u/a{number}")
        vic.put(
            f"{vic.origin}/p/{number}",
            note(
                f"{vic.origin}/p/{number}",
                author,
                gh.forum.uri,
                inReplyTo=f"{vic.origin}/p/{number + 1}",
            ),
        )
    answer = note(f"{evil.origin}/p/0", mallory(evil), gh.forum.uri, inReplyTo=f"{vic.origin}/p/1")
    assert (await gh.sent(evil, doing("Create", mallory(evil), answer))).state == "refused"
    assert 5 < len(vic.fetched) <= MOST_DOCUMENTS
    # One that is known somewhere below the end is stored with all that is above it.
    vic.put(
        f"{vic.origin}/p/5",
        note(f"{vic.origin}/p/5", vera(vic), gh.forum.uri, inReplyTo=gh.thread.uri),
    )
    assert (await gh.sent(evil, doing("Create", mallory(evil), answer, 2))).state == "applied"
    assert (await gh.held(f"{vic.origin}/p/5")) is not None


async def test_what_is_not_for_everybody_is_neither_taken_nor_fetched_into_a_public_forum(
    gh: Commons, vic: ScriptedPeer, evil: ScriptedPeer
) -> None:
    letter = said(vic, gh.forum.uri, 1, to=[gh.forum.uri], cc=[])
    row = await gh.sent(vic, doing("Create", vera(vic), letter, to=[gh.forum.uri]))
    assert row.state == "refused"
    whispered = said(vic, gh.forum.uri, 2, inReplyTo=gh.thread.uri, to=[f"{vera(vic)}/followers"])
    vic.put(whispered["id"], whispered)
    answer = note(f"{evil.origin}/p/3", mallory(evil), gh.forum.uri, inReplyTo=whispered["id"])
    await gh.sent(evil, doing("Create", mallory(evil), answer))
    assert await gh.held(letter["id"]) is None
    assert await gh.held(whispered["id"]) is None
