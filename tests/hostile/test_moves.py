# SPDX-License-Identifier: Apache-2.0
"""A forum that moves is followed, once both sides say so."""

from storage import forums
from storage.forums import FollowState
from tests import makers
from tests.hostile.commons import Commons, doing
from tests.hostile.copy import follow, serve_forum
from tests.hostile.peer import ScriptedPeer, mallory


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
    # Said again, by the other side too, it does nothing more.
    evil.requests.clear()
    assert await told(evil, target, 6) == "ignored"
    assert evil.delivered == []
