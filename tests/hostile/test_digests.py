# SPDX-License-Identifier: Apache-2.0
"""A home's digest is a hint: what a copy fetches, believes and keeps."""

from itertools import pairwise
from urllib.parse import quote

import orjson
import pytest
from sqlalchemy import select

from federation.digests import measures
from federation.repair import comparing as repairing
from server.digests import Bucket, Reason, line_of
from server.posts import editing
from storage import members
from storage.digests import Standing
from storage.forums import CopyState, Forum
from storage.members import Member
from storage.posts import Post, PostState
from tests import makers
from tests.hostile.commons import Commons
from tests.hostile.copy import announce, held_in, words
from tests.hostile.digest_home import DAY, NINE, Home, checked, known, line
from tests.hostile.peer import Json, Page, ScriptedPeer, vera

UNREADABLE = "Their site answered with something we cannot read."


async def test_a_post_that_is_missing_is_believed_on_its_proof_alone(
    gh: Commons, vic: ScriptedPeer, home: Home, copy: Forum
) -> None:
    post = vic.proven(words(vic, home.forum, 1, published=NINE), vera(vic), gh.clock.now())
    forged = words(vic, home.forum, 2, published=NINE)
    home.passes_on(post["id"], post)
    home.passes_on(forged["id"], forged | {"content": "<p>forged</p>"})
    vic.put(forged["id"], forged | {"content": "<p>as its origin has it</p>"})
    home.lists(line(post["id"]), line(forged["id"]))
    held = await checked(gh, copy)
    assert (held.compare_error, held.compare_missing) == ("", 0)
    html = {post.uri: post.html for post in await held_in(gh, copy)}
    assert "/p/1" not in vic.fetched
    assert "as its origin has it" in html[forged["id"]]
    assert "nine to five" in html[post["id"]]
    assert await known(gh) == {}
    again = len(home.asked)
    assert (await checked(gh, copy)).compared == gh.clock.now()
    assert home.asked[again:] == [""]


async def test_lines_for_other_origins_fetch_what_they_may_and_no_more(
    gh: Commons, evil: ScriptedPeer, vic: ScriptedPeer, third: ScriptedPeer, home: Home, copy: Forum
) -> None:
    ours = gh.thread.uri
    unlisted = words(third, home.forum, 1)
    gone = f"{evil.origin}/p/404"
    elsewhere = words(evil, gh.forum.uri, 3, published=NINE)
    evil.put(elsewhere["id"], elsewhere)
    home.lists(
        line(ours, state="deleted"),
        line(f"{gh.instance.settings.origin}/p/7"),
        line(unlisted["id"]),
        line(gone),
        line(elsewhere["id"]),
    )
    held = await checked(gh, copy)
    assert (held.compare_error, held.copy_state) == ("", CopyState.CURRENT)
    assert await held_in(gh, copy) == []
    post = await gh.held(ours)
    assert post is not None
    assert post.state == PostState.LIVE
    assert third.requests == []
    reasons = {uri: row.reason for uri, row in (await known(gh)).items()}
    assert reasons == {
        ours: Reason.REFUSED,
        f"{gh.instance.settings.origin}/p/7": Reason.OURS,
        unlisted["id"]: Reason.POLICY,
        gone: Reason.REFUSED,
        elsewhere["id"]: Reason.UNMET,
    }
    evil.requests.clear()
    asked = len(home.asked)
    await checked(gh, copy)
    assert (evil.requests, home.asked[asked:]) == ([], [""])


async def test_lies_about_an_edit_are_asked_about_once(
    gh: Commons, vic: ScriptedPeer, home: Home, copy: Forum
) -> None:
    post = vic.proven(words(vic, home.forum, 1, published=NINE), vera(vic), gh.clock.now())
    home.passes_on(post["id"], post)
    vic.put(post["id"], post)
    home.lists(line(post["id"], updated="2030-01-01T00:00:00.000Z"))
    assert (await checked(gh, copy)).compare_error == ""
    [held] = await held_in(gh, copy)
    assert held.updated is None
    assert (await known(gh))[post["id"]].reason == Reason.CONTENTS
    asked = len(home.asked)
    await checked(gh, copy)
    assert home.asked[asked:] == [""]
    home.lists(line(post["id"]))
    await checked(gh, copy)
    assert await known(gh) == {}


async def test_a_clock_that_is_ahead_makes_no_difference_for_ever(
    gh: Commons, vic: ScriptedPeer, home: Home, copy: Forum
) -> None:
    tomorrow = "2026-11-24T09:00:00.000Z"
    post = words(vic, home.forum, 1, published=tomorrow)
    home.passes_on(post["id"], vic.proven(post, vera(vic), gh.clock.now()))
    home.lists(line(post["id"]), day="2026-11-24")
    assert (await checked(gh, copy)).compare_error == ""
    [held] = await held_in(gh, copy)
    assert held.published == gh.clock.now()
    assert (await known(gh))[post["id"]].reason == Reason.DAY
    asked = len(home.asked)
    assert (await checked(gh, copy)).compared == gh.clock.now()
    assert home.asked[asked:] == [""]
    gh.clock.turn(minutes=1)
    later = "2026-11-24T10:00:00.000Z"
    edit = post | {"content": "<p>corrected</p>", "updated": later}
    home.passes_on(post["id"], vic.proven(edit, vera(vic), gh.clock.now()))
    home.lists(line(post["id"], updated=later), day="2026-11-24")
    await checked(gh, copy)
    assert "corrected" in (await held_in(gh, copy))[0].html
    asked = len(home.asked)
    await checked(gh, copy)
    assert home.asked[asked:] == [""]


async def test_a_first_copy_is_filled_by_digest_and_too_much_in_several_goes(
    gh: Commons, vic: ScriptedPeer, home: Home, copy: Forum, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert home.asked == [""]
    assert "/f/permits/outbox" not in vic.fetched
    monkeypatch.setattr(repairing, "MOST_LINES", 1)
    for number, day in enumerate(("2026-11-21", "2026-11-22", DAY)):
        post = words(vic, home.forum, number, published=f"{day}T08:00:00Z")
        vic.put(post["id"], post)
        home.lists(line(post["id"]), day=day)
    assert (await checked(gh, copy)).compared == gh.clock.now()
    assert len(await held_in(gh, copy)) == 3
    days = [part for part in home.asked if part.startswith("?day")]
    assert days == ["?day=2026-11-23", "?day=2026-11-22", "?day=2026-11-21"]


async def test_what_the_home_lists_as_deleted_or_closed_is_so_here(
    gh: Commons, vic: ScriptedPeer, home: Home, copy: Forum
) -> None:
    opener, second = (words(vic, home.forum, n, published=NINE) for n in (1, 2))
    for number, one in enumerate((opener, second)):
        vic.put(one["id"], one)
        await announce(gh, vic, home.forum, one["id"], number)
    never_held = f"{vic.origin}/p/9"
    home.lists(
        line(opener["id"], state="deleted"),
        line(second["id"], state="live,locked,pinned"),
        line(never_held, state="deleted"),
    )
    home.passes_on(opener["id"], {"id": opener["id"], "type": "Tombstone", "summary": "Spam."})
    assert (await checked(gh, copy)).compare_missing == 0
    first, other = await _both(gh, opener, second)
    assert (first.state, first.html, other.locked, other.pinned) == ("deleted", "", True, True)
    assert first.reason == "Spam."
    assert [row.reason for row in (await known(gh)).values()] == [Reason.DELETED]
    vic.put(never_held, words(vic, home.forum, 9))
    assert await announce(gh, vic, home.forum, never_held, 9) == "ignored"
    home.lists(line(opener["id"]), line(second["id"]), line(never_held, state="deleted"))
    await checked(gh, copy)
    first, other = await _both(gh, opener, second)
    assert (first.state, other.locked, other.pinned) == ("deleted", False, False)


async def _both(gh: Commons, one: Json, other: Json) -> tuple[Post, Post]:
    first, second = await gh.held(one["id"]), await gh.held(other["id"])
    assert first is not None
    assert second is not None
    return first, second


async def test_a_post_that_the_home_does_not_list_goes_only_when_its_origin_says_so(
    gh: Commons, evil: ScriptedPeer, vic: ScriptedPeer, home: Home, copy: Forum
) -> None:
    kept, lost = (
        words(evil, home.forum, 1, published=NINE),
        words(vic, home.forum, 2, published=NINE),
    )
    for number, one in enumerate((kept, lost)):
        (evil if one is kept else vic).put(one["id"], one)
        await announce(gh, vic, home.forum, one["id"], number)
    async with gh.instance.reading() as session:
        opener = (await session.execute(select(Post).where(Post.uri == kept["id"]))).scalar_one()
    ana = await _member(gh)
    sent = await makers.reply(gh.instance, ana, opener, "On its way.")
    del vic.pages["/p/2"]
    held = await checked(gh, copy)
    assert held.compare_error == ""
    states = {post.uri: post.state for post in await held_in(gh, copy)}
    assert states == {kept["id"]: "live", lost["id"]: "deleted", sent.uri: "sent"}
    assert {row.reason for row in (await known(gh)).values()} == {Reason.UNLISTED}


async def _member(gh: Commons) -> Member:
    async with gh.instance.reading() as session:
        ana = await members.by_handle(session, "ana")
    assert ana is not None
    return ana


async def test_a_million_days_are_read_within_bounds(
    gh: Commons, vic: ScriptedPeer, home: Home, copy: Forum
) -> None:
    many = [Bucket(f"{20 + n // 365:02}{n % 100:02}-11-23", 1, "0" * 64) for n in range(8_000)]
    rows = [{"day": one.day, "posts": one.posts, "sha256": one.sha256} for one in many]
    endless: Json = {
        "type": measures.DIGEST, "attributedTo": home.forum, "gh:days": rows,
        "gh:before": "2026-01-01",
    }  # fmt: skip
    vic.put("/f/permits/digest", endless)
    vic.put("/f/permits/digest?before=2026-01-01", endless)
    held = await checked(gh, copy)
    assert (held.compare_error, held.compare_tries) == (UNREADABLE, 1)
    assert len(home.asked) < 40
    vic.pages["/f/permits/digest"] = Page(orjson.dumps(endless)[:-1] + b" " * 1_100_000 + b"}")
    assert (await checked(gh, copy)).compare_error == UNREADABLE


async def test_the_digest_is_for_listed_agencies_that_run_guildhall(
    gh: Commons, evil: ScriptedPeer, vic: ScriptedPeer, third: ScriptedPeer
) -> None:
    await gh.is_guildhall(vic.host, third.host)
    path = f"/f/{gh.forum.handle}/digest"
    answers = [await gh.get(path, peer) for peer in (None, third, evil, vic)]
    assert [answer.status_code for answer in answers] == [401, 403, 404, 200]
    whole = answers[-1].json()
    assert [day["posts"] for day in whole["gh:days"]] == [1]
    headers = vic.sign(f"{gh.instance.settings.origin}{path}", None, gh.clock.now(), method="GET")
    accept = {"Accept": "application/activity+json"}
    tag = {"If-None-Match": answers[-1].headers["etag"]}
    again = await gh.client.get(path, headers=headers | accept | tag)
    assert (again.status_code, again.content) == (304, b"")
    lines = (await gh.get(f"{path}?day={DAY}", vic)).json()["gh:lines"]
    standing = Standing(gh.thread.uri, gh.thread.published, None, "live", False, False, ())
    assert lines == [line_of(standing)]
    assert (await gh.get(f"{path}?day=yesterday", vic)).status_code == 404
    one = await gh.get(f"{path}?post={quote(gh.thread.uri, safe='')}", vic)
    assert one.json()["object"]["id"] == gh.thread.uri
    assert (await gh.get(f"{path}?post=x", vic)).status_code == 404
    said = await makers.reply(gh.instance, gh.admin, gh.thread, "Taken back.")
    async with gh.instance.transaction() as tx:
        await editing.remove(tx, gh.admin, said)
    left = (await gh.get(f"{path}?post={quote(said.uri, safe='')}", vic)).json()
    tombstone = left["object"]
    assert (tombstone["type"], tombstone["inReplyTo"]) == ("Tombstone", gh.thread.uri)
    assert (tombstone["attributedTo"], left["items"]) == (gh.admin.uri, [])
    assert "Taken back" not in str(left)


async def test_a_chain_of_answers_is_had_from_whichever_end_it_is_listed(
    gh: Commons, vic: ScriptedPeer, home: Home, copy: Forum
) -> None:
    chain = [words(vic, home.forum, number, published=NINE) for number in range(1, 6)]
    for answer, post in pairwise(chain):
        answer["inReplyTo"] = post["id"]
        del answer["name"]
    proven = [vic.proven(post, vera(vic), gh.clock.now()) for post in chain]
    for post in proven:
        home.passes_on(post["id"], post)
    home.lists(*(line(post["id"]) for post in proven))
    held = await checked(gh, copy)
    assert (held.compare_error, held.compare_missing) == ("", 0)
    assert {post.uri for post in await held_in(gh, copy)} == {post["id"] for post in proven}
    assert await known(gh) == {}
