# SPDX-License-Identifier: Apache-2.0
"""What stewards elsewhere and homes say, and what means nothing here."""

from itertools import count

from storage.posts import Post
from tests import makers
from tests.hostile.commons import Commons, doing, like, note
from tests.hostile.copy import announce, copied, held_in, words
from tests.hostile.peer import Json, ScriptedPeer, mallory, vera
from tests.hostile.test_moderation import steward


async def as_it_is(gh: Commons, uri: str) -> Post:
    held = await gh.held(uri)
    assert held is not None
    return held


async def test_a_steward_elsewhere_steers_a_forum_of_ours(gh: Commons, vic: ScriptedPeer) -> None:
    await steward(gh, vera(vic))
    thread, forum = gh.thread.uri, gh.forum.uri
    featured = {"target": f"{forum}/featured", "audience": forum}
    lock = doing("Lock", vera(vic), thread)
    states = []
    for deed in (
        lock,
        doing("Undo", vera(vic), lock),
        doing("Add", vera(vic), thread, **featured),
        doing("Remove", vera(vic), thread, **featured),
        doing("Delete", vera(vic), thread, summary="Off topic."),
    ):
        assert (await gh.sent(vic, deed)).state == "applied"
        post = await as_it_is(gh, thread)
        states.append((post.locked, post.pinned, post.state, post.reason))
        # With the post goes what was told of it.
        assert (await gh.announced())[-1] == deed["type"]
    assert states == [
        (True, False, "live", ""),
        (False, False, "live", ""),
        (False, True, "live", ""),
        (False, False, "live", ""),
        (False, False, "deleted", "Off topic."),
    ]


async def test_a_copy_follows_every_word_of_its_home(gh: Commons, vic: ScriptedPeer) -> None:
    forum = await copied(gh, vic)
    numbers = count(1)
    thread = words(vic, forum.uri, 1)
    other = words(vic, forum.uri, 2)
    featured = {"target": f"{forum.uri}/featured"}
    given = like(mallory(vic), thread["id"])
    lock = doing("Lock", vera(vic), thread["id"])

    async def said(inner: Json | str) -> str:
        return await announce(gh, vic, forum.uri, inner, next(numbers))

    vic.put(thread["id"], thread)
    vic.put(other["id"], other)
    assert await said(doing("Create", vera(vic), thread)) == "applied"
    # Announced once more by another forum, as NodeBB passes on what it follows.
    passed_on = doing("Announce", f"{vic.origin}/f/other", other["id"], 9)
    assert await said(passed_on) == "applied"
    assert len(await held_in(gh, forum)) == 2
    steps: list[tuple[Json, str, object]] = [
        (given, "endorsement_count", 1),
        (doing("Undo", mallory(vic), given), "endorsement_count", 0),
        (lock, "locked", True),
        (doing("Undo", vera(vic), lock), "locked", False),
        (doing("Add", vera(vic), thread["id"], **featured), "pinned", True),
        (doing("Remove", vera(vic), thread["id"], **featured), "pinned", False),
    ]
    edited = thread | {"name": "Newer", "updated": "2026-11-23T09:30:00Z"}
    vic.put(thread["id"], edited)
    steps.append((doing("Update", vera(vic), edited), "title", "Newer"))
    steps.append((doing("Delete", mallory(vic), thread["id"], summary="Spam."), "reason", "Spam."))
    for deed, name, value in steps:
        assert await said(deed) == "applied", deed["type"]
        assert getattr(await as_it_is(gh, thread["id"]), name) == value


async def test_what_means_nothing_here_is_taken_and_says_why(
    gh: Commons, vic: ScriptedPeer
) -> None:
    """The rows of the matrix that FEDERATION.md calls absent."""
    await steward(gh, vera(vic))
    said = note(f"{vic.origin}/p/1", vera(vic), gh.forum.uri, inReplyTo=gh.thread.uri)
    create = doing("Create", vera(vic), said)
    assert (await gh.sent(vic, create)).state == "applied"
    gone = doing("Delete", vera(vic), said["id"])
    assert (await gh.sent(vic, gone)).state == "applied"
    other = await makers.forum(gh.instance, gh.admin, "other")
    dislike = doing("Dislike", vera(vic), gh.thread.uri)
    reasons = {}
    for number, deed in enumerate(
        (
            doing("Undo", vera(vic), gone, "delete"),
            dislike,
            doing("Undo", vera(vic), dislike, "dislike"),
            doing("Move", vera(vic), gh.thread.context, origin=gh.forum.uri, target=other.uri),
            doing("Accept", vera(vic), create),
            doing("Ignore", vera(vic), create),
        )
    ):
        row = await gh.sent(vic, deed)
        assert row.state == "ignored", (number, row.note)
        reasons[number] = row.note
    assert reasons[0] == "What was deleted here is not brought back."
    assert (await as_it_is(gh, said["id"])).state == "deleted"
    assert (await as_it_is(gh, gh.thread.uri)).forum_id == gh.forum.id
    assert await gh.endorsements(gh.thread) == 0
