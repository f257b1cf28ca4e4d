# SPDX-License-Identifier: Apache-2.0
"""Posts that were deleted before a copy held them, and what answers them."""

import pytest

from server.digests import Reason
from storage.forums import Forum
from tests.hostile.commons import Commons
from tests.hostile.copy import held_in, words
from tests.hostile.digest_home import NINE, Home, checked, known, line
from tests.hostile.peer import Json, ScriptedPeer, vera


def remains(peer: ScriptedPeer, number: int, **changes: object) -> Json:
    """What a home says of a deleted post."""
    uri = f"{peer.origin}/p/{number}"
    whole: Json = {
        "id": uri, "type": "Tombstone", "formerType": "Article", "attributedTo": vera(peer),
        "context": f"{uri}/context", "published": NINE, "deleted": "2026-11-23T09:30:00.000Z",
    }  # fmt: skip
    return {**whole, **changes}


async def test_what_answers_deleted_posts_that_were_never_held_comes_all_the_same(
    gh: Commons, vic: ScriptedPeer, home: Home, copy: Forum
) -> None:
    opener = remains(vic, 1)
    below = remains(vic, 2, inReplyTo=opener["id"], formerType="Note")
    answers = [
        words(vic, home.forum, 3, published=NINE, inReplyTo=below["id"], name=None),
        words(vic, home.forum, 4, published=NINE, inReplyTo=opener["id"], name=None),
    ]
    listed = [line(answer["id"]) for answer in answers]
    for answer in answers:
        home.passes_on(answer["id"], vic.proven(answer, vera(vic), gh.clock.now()))
    home.passes_on(opener["id"], opener)
    home.passes_on(below["id"], below | {"summary": "Off topic " * 100})
    # Whatever it passes on, nothing is held as deleted that is not listed so.
    home.lists(*listed)
    await checked(gh, copy)
    assert await held_in(gh, copy) == []
    assert {row.reason for row in (await known(gh)).values()} == {Reason.UNMET}
    home.lists(*listed, *(line(gone["id"], state="deleted") for gone in (opener, below)))
    await checked(gh, copy)
    # That more is deleted is a reason to look at the answers again.
    assert (await checked(gh, copy)).compare_error == ""
    held = {post.uri: post for post in await held_in(gh, copy)}
    states = {uri.removeprefix(vic.origin): post.state for uri, post in held.items()}
    assert states == {"/p/1": "deleted", "/p/2": "deleted", "/p/3": "live", "/p/4": "live"}
    first, second, third, fourth = (held[f"{vic.origin}/p/{n}"] for n in (1, 2, 3, 4))
    assert (third.parent_id, fourth.parent_id) == (second.id, first.id)
    assert {post.thread_id for post in held.values()} == {first.id}
    assert (second.parent_id, first.reply_count, first.html) == (first.id, 2, "")
    shown = await gh.page(f"/p/{first.id}")
    assert shown.count("Deleted by its author") == 1
    assert shown.count("Off topic") == 50
    async with gh.instance.reading() as session:
        counted = await session.get_one(Forum, copy.id)
    assert (counted.thread_count, counted.post_count) == (0, 2)
    assert (await checked(gh, copy)).compare_missing == 0
    assert await known(gh) == {}
    asked = len(home.asked)
    await checked(gh, copy)
    assert home.asked[asked:] == [""]


@pytest.mark.parametrize("lie", ["attributedTo", "id", "type", "published"])
async def test_nobody_is_named_as_the_author_of_what_is_not_theirs(
    gh: Commons, evil: ScriptedPeer, vic: ScriptedPeer, home: Home, copy: Forum, lie: str
) -> None:
    wrong = {"attributedTo": vera(evil), "id": f"{vic.origin}/p/8", "type": "Note"}
    gone = remains(vic, 1, **{lie: wrong.get(lie)})
    opener = f"{vic.origin}/p/1"
    answer = words(vic, home.forum, 2, published=NINE, inReplyTo=opener, name=None)
    home.passes_on(opener, gone)
    home.passes_on(answer["id"], vic.proven(answer, vera(vic), gh.clock.now()))
    home.lists(line(opener, state="deleted"), line(answer["id"]))
    assert (await checked(gh, copy)).compare_error == ""
    assert await held_in(gh, copy) == []
    reasons = {uri: row.reason for uri, row in (await known(gh)).items()}
    assert reasons == {opener: Reason.DELETED, answer["id"]: Reason.UNMET}
