# SPDX-License-Identifier: Apache-2.0
"""What one activity may have us fetch and keep, counted at the other servers."""

import pytest

from tests.hostile.commons import Commons, doing, note
from tests.hostile.copy import copied, held_in, words
from tests.hostile.peer import Page, ScriptedPeer, mallory, vera

MOST = 20
MOST_BYTES = 1_000_000


async def test_a_batch_has_us_fetch_twenty_documents_at_most(
    gh: Commons, vic: ScriptedPeer
) -> None:
    """Fifty posts, each by somebody else, in one Announce."""
    forum = await copied(gh, vic)
    uris = []
    for number in range(50):
        author = vic.actor(f"/u/a{number}")
        uris.append(vic.put(f"/p/{number}", words(vic, forum.uri, number, attributedTo=author)))
    vic.requests.clear()
    await gh.sent(vic, doing("Announce", forum.uri, uris, 1))
    assert 5 < len(vic.fetched) <= MOST
    # What was had is whole, and nothing is held up.
    assert await held_in(gh, forum)
    assert (await gh.sent(vic, doing("Announce", forum.uri, uris[49], 2))).state == "applied"


async def test_one_activity_has_us_read_a_megabyte_at_most(
    gh: Commons, vic: ScriptedPeer, evil: ScriptedPeer
) -> None:
    """Every ancestor is as large as a document may be."""
    for number in range(1, 9):
        parent = f"{vic.origin}/p/{number + 1}"
        filler = "x" * 400_000
        one = note(f"{vic.origin}/p/{number}", vera(vic), gh.forum.uri, inReplyTo=parent)
        vic.put(one["id"], one | {"filler": filler})
    answer = note(f"{evil.origin}/p/0", mallory(evil), gh.forum.uri, inReplyTo=f"{vic.origin}/p/1")
    await gh.sent(evil, doing("Create", mallory(evil), answer))
    read = [path for path in vic.fetched if path.startswith("/p/")]
    assert sum(len(vic.pages[path].body) for path in read) <= MOST_BYTES + 400_500
    assert await gh.held(f"{vic.origin}/p/1") is None


@pytest.mark.fep("4f05")
async def test_a_post_that_another_actor_of_its_server_removes_is_looked_for_there(
    gh: Commons, vic: ScriptedPeer, evil: ScriptedPeer
) -> None:
    said = note(f"{vic.origin}/p/1", vera(vic), gh.forum.uri, name="Cards", type="Page")
    vic.put(said["id"], said)
    await gh.sent(vic, doing("Create", vera(vic), said))
    removal = doing("Delete", mallory(vic), said["id"], summary="spam")
    assert (await gh.sent(vic, removal)).state == "refused"
    vic.pages["/p/1"] = Page(status=404)
    # Of another server it is not even asked.
    asked = len(vic.fetched)
    other = doing("Delete", mallory(evil), said["id"])
    assert (await gh.sent(evil, other)).state == "refused"
    assert len(vic.fetched) == asked
    assert (await gh.sent(vic, removal | {"id": f"{mallory(vic)}#again"})).state == "applied"
    held = await gh.held(said["id"])
    assert held is not None
    assert held.state == "deleted"


async def test_a_poll_is_shown_with_its_options_and_a_vote_is_no_reply(
    gh: Commons, vic: ScriptedPeer
) -> None:
    options = [{"type": "Note", "name": name} for name in ("Cards", "<b>Coins</b>")]
    poll = note(f"{vic.origin}/p/1", vera(vic), gh.forum.uri, type="Question", oneOf=options)
    poll["inReplyTo"] = gh.thread.uri
    assert (await gh.sent(vic, doing("Create", vera(vic), poll))).state == "applied"
    held = await gh.held(poll["id"])
    assert held is not None
    assert "<li>Cards</li>" in held.html
    assert "&lt;b&gt;Coins" in held.html
    vote = note(f"{vic.origin}/p/2", mallory(vic), gh.forum.uri, name="Cards", inReplyTo=poll["id"])
    del vote["content"]
    row = await gh.sent(vic, doing("Create", mallory(vic), vote))
    assert (row.state, row.note) == (
        "refused", "Votes are counted by the server that the poll is of.",
    )  # fmt: skip
