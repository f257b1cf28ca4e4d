# SPDX-License-Identifier: Apache-2.0
"""A forum that moves is followed, once both sides say so."""

import pytest

from storage import forums
from storage.forums import FollowState
from tests import makers
from tests.hostile.commons import Commons, doing, note
from tests.hostile.copy import follow, serve_forum
from tests.hostile.peer import ScriptedPeer, mallory, vera


@pytest.mark.fep("7628")
async def test_members_follow_a_forum_to_where_both_sides_say_it_moved(
    gh: Commons, vic: ScriptedPeer, evil: ScriptedPeer
) -> None:
    ana = await makers.member(gh.instance, "ana")
    group = serve_forum(vic)
    old = await follow(gh, vic, group, ana)
    target = serve_forum(evil, "/f/taken")

    async def told(peer: ScriptedPeer, actor: str, number: int) -> str:
        vic.requests.clear()
        row = await gh.sent(peer, doing("Move", actor, group, number, target=target))
        assert (row.state == "applied") == any(one["type"] == "Undo" for one in vic.delivered)
        return row.state

    # One side alone, whichever it is and whoever tells, moves nobody.
    assert await told(evil, mallory(evil), 1) == "ignored"
    assert await told(evil, target, 2) == "refused"
    serve_forum(evil, "/f/taken", alsoKnownAs=[group])
    assert await told(evil, target, 3) == "refused"
    serve_forum(vic, movedTo=target)
    serve_forum(evil, "/f/taken")
    assert await told(vic, group, 4) == "refused"
    evil.requests.clear()
    serve_forum(evil, "/f/taken", alsoKnownAs=[group])
    assert await told(vic, group, 5) == "applied"
    asked = [one for one in evil.delivered if one["type"] == "Follow"]
    assert [(one["actor"], one["object"]) for one in asked] == [(ana.uri, target)]
    async with gh.instance.reading() as session:
        new = await forums.by_uri(session, target)
        assert new is not None
        there = await forums.follow_of(session, new.id, ana.id)
        here = await forums.follow_of(session, old.id, ana.id)
    assert there is not None
    assert here is not None
    assert (there.state, here.state) == (FollowState.PENDING, FollowState.REJECTED)
    shown = await gh.page(f"/f/permits@{vic.host}")
    assert f'data-moved="{target}"' in shown
    # Said again, by the other side too, it does nothing more.
    evil.requests.clear()
    assert await told(evil, target, 6) == "ignored"
    assert evil.delivered == []


@pytest.mark.fep("7628")
async def test_a_person_is_shown_where_both_sides_say_they_are_now(
    gh: Commons, vic: ScriptedPeer, evil: ScriptedPeer
) -> None:
    said = note(f"{vic.origin}/p/1", vera(vic), gh.forum.uri, inReplyTo=gh.thread.uri)
    await gh.sent(vic, doing("Create", vera(vic), said))
    old, new = vera(vic), evil.actor("/u/vera")
    page, path = f"/u/vera@{vic.host}", f"/u/vera@{evil.host}"

    async def told(peer: ScriptedPeer, actor: str, number: int, target: str = new) -> str:
        row = await gh.sent(peer, doing("Move", actor, old, number, target=target))
        assert ("data-moved" in await gh.page(page)) == (row.state == "applied"), number
        return row.state

    # One side alone, whichever it is and whoever tells, moves nobody.
    assert await told(evil, new, 1) == "refused"
    assert await told(evil, mallory(evil), 2) == "ignored"
    evil.actor("/u/vera", alsoKnownAs=[old])
    assert await told(evil, new, 3) == "refused"
    vic.actor("/u/vera", movedTo=new)
    evil.actor("/u/vera")
    assert await told(vic, old, 4) == "refused"
    # Nobody becomes one of ours, nor a forum.
    vic.actor("/u/vera", movedTo=gh.admin.uri)
    assert await told(vic, old, 5, gh.admin.uri) == "ignored"
    group = serve_forum(evil, "/f/vera", alsoKnownAs=[old])
    vic.actor("/u/vera", movedTo=group)
    assert await told(vic, old, 6, group) == "refused"
    vic.actor("/u/vera", movedTo=new)
    evil.actor("/u/vera", alsoKnownAs=[old])
    assert await told(vic, old, 7) == "applied"
    assert f'href="{path}"' in await gh.page(page)
    assert f'href="{page}"' in await gh.page(path)
    # What they wrote stays where it was, and a reader is told from there.
    assert f'data-author="vera@{vic.host}"' in await gh.page(f"/p/{gh.thread.id}")
    # It takes one side to say that it is not so any more.
    vic.actor("/u/vera")
    person = {"id": old, "type": "Person", "inbox": f"{old}/inbox", "preferredUsername": "vera"}
    assert (await gh.sent(vic, doing("Update", old, person))).state == "applied"
    assert "data-moved" not in await gh.page(page)
    assert "data-came-from" not in await gh.page(path)
