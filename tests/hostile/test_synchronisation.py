# SPDX-License-Identifier: Apache-2.0
"""Lists of followers compared with other software (FEP-8fcf)."""

import asyncio
import time
from itertools import count

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from federation.followers.claims import NAME, Claim, digest_of, read, written
from federation.followers.telling import address
from storage.forums import Forum, ForumFollow
from storage.members import Member
from tests import makers
from tests.hostile.commons import INBOX, ORIGIN, SECONDS, Commons, doing
from tests.hostile.copy import collection, follow, serve_forum
from tests.hostile.peer import Json, ScriptedPeer, mallory, vera

NUMBERS = count(1)


@pytest.mark.fep("8fcf")
async def test_other_software_is_told_who_of_its_people_follows(
    gh: Commons, vic: ScriptedPeer, evil: ScriptedPeer
) -> None:
    for peer, person in ((vic, vera(vic)), (vic, mallory(vic)), (evil, vera(evil))):
        await gh.sent(peer, doing("Follow", person, gh.forum.uri))
    await gh.settled()
    gh.clock.turn(minutes=2)
    vic.requests.clear()
    await makers.thread(gh.instance, gh.admin, gh.forum)
    await gh.settled()
    headers = [one.headers for one in vic.requests if one.method == "POST"]
    # It is part of what is signed.
    assert NAME.lower() in headers[0]["signature"].partition('headers="')[2].partition('"')[0]
    claim = read(headers[0][NAME.lower()])
    assert claim is not None
    assert claim.collection == f"{gh.forum.uri}/followers"
    assert claim.digest == digest_of([vera(vic), mallory(vic)])
    for peer, expected in ((vic, {vera(vic), mallory(vic)}), (evil, {vera(evil)})):
        answer = await gh.get(claim.url.removeprefix(ORIGIN), peer)
        assert set(answer.json()["orderedItems"]) == expected
    assert (await gh.get(claim.url.removeprefix(ORIGIN))).status_code == 401


async def test_servers_like_ours_compare_otherwise(gh: Commons, vic: ScriptedPeer) -> None:
    await gh.is_guildhall(vic.host)
    await gh.sent(vic, doing("Follow", vera(vic), gh.forum.uri))
    await makers.thread(gh.instance, gh.admin, gh.forum)
    await gh.settled()
    assert not [one for one in vic.requests if NAME.lower() in one.headers]


async def states(gh: Commons, forum: Forum) -> dict[str, str]:
    question = (
        select(Member.handle, ForumFollow.state)
        .join(ForumFollow, ForumFollow.member_id == Member.id)
        .where(ForumFollow.forum_id == forum.id, Member.peer.is_(None))
    )
    async with gh.instance.reading() as session:
        return {row[0]: row[1] for row in (await session.execute(question)).all()}


async def told(
    gh: Commons,
    vic: ScriptedPeer,
    forum: str,
    listed: list[str],
    *,
    signed: bool = True,
    **other: str,
) -> None:
    """A delivery of the forum that says who of our people follow it, and lists them."""
    url = f"{forum}/followers_synchronization"
    # Mastodon gives the list the id of the whole collection.
    vic.put(url, collection(f"{forum}/followers", list(listed)))
    claim: Json = {
        "collection": f"{forum}/followers", "url": url, "digest": digest_of(listed), **other
    }  # fmt: skip
    header = {NAME: written(Claim(**claim))}
    body = orjson.dumps(doing("View", forum, vera(vic), next(NUMBERS)))
    extra = header if signed else {}
    headers = vic.sign(INBOX, body, gh.clock.now(), key_id=f"{forum}#main-key", extra=extra)
    assert (await gh.post(body, headers | header)).status_code == 202
    await gh.settled()
    end = time.monotonic() + SECONDS
    while gh.station.followers.is_at_work:
        assert time.monotonic() < end
        await asyncio.sleep(0.01)
    await gh.settled()


@pytest.mark.fep("8fcf")
async def test_what_other_software_counts_otherwise_is_mended(
    gh: Commons, vic: ScriptedPeer
) -> None:
    group = serve_forum(vic)
    ana, bob = [await makers.member(gh.instance, name) for name in ("ana", "bob")]
    forum = await follow(gh, vic, group, ana)
    vic.requests.clear()
    await told(gh, vic, group, [])
    assert (await states(gh, forum))["ana"] == "accepted"  # It followed a moment ago.
    gh.clock.turn(hours=2)
    vic.requests.clear()
    await told(gh, vic, group, [ana.uri])
    assert "/f/permits/followers_synchronization" not in vic.fetched  # Both count alike.
    gh.clock.turn(hours=2)
    vic.requests.clear()
    await told(gh, vic, group, [bob.uri, f"{ORIGIN}/u/nobody", vera(vic)])
    assert (await states(gh, forum)) == {"ana": "rejected"}
    [undo] = [one for one in vic.delivered if one["type"] == "Undo"]
    assert (undo["actor"], undo["object"]["object"]) == (bob.uri, group)


async def test_a_list_is_asked_for_once_an_hour_signed_and_of_its_own_server_only(
    gh: Commons, vic: ScriptedPeer, evil: ScriptedPeer
) -> None:
    group = serve_forum(vic)
    forum = await follow(gh, vic, group, await makers.member(gh.instance, "ana"))
    gh.clock.turn(hours=2)
    elsewhere = f"{evil.origin}/f/permits/followers_synchronization"
    await told(gh, vic, group, [], url=elsewhere)
    await told(gh, vic, group, [], collection=f"{evil.origin}/f/permits/followers")
    assert evil.requests == []
    assert (await states(gh, forum))["ana"] == "accepted"
    await told(gh, vic, group, [], collection=f"{group}/moderators")
    assert (await states(gh, forum))["ana"] == "accepted"
    vic.requests.clear()
    for _ in range(5):
        await told(gh, vic, group, [])
    assert vic.fetched == []
    gh.clock.turn(hours=2)
    await told(gh, vic, group, [], signed=False)
    assert (await states(gh, forum))["ana"] == "accepted"
    await told(gh, vic, group, [])
    assert (await states(gh, forum))["ana"] == "rejected"


@given(st.text(max_size=300) | st.from_regex(r'([a-zA-Z]+="[^"]{0,20}",? ?){0,6}'))
def test_no_header_is_read_in_another_way(value: str) -> None:
    found = read(value)
    assert found is None or read(written(found)) == found
    assert read(value + 'x="' + "y" * 6_000) is None


def test_a_digest_is_that_of_the_set() -> None:
    assert digest_of([]) == "0" * 64
    assert digest_of(["a", "b", "a"]) == digest_of(["b", "a"])
    assert digest_of(["a"]).startswith("ca978112ca1bbdca")
    assert address("https://a.example/f/x") == "https://a.example/f/x/followers_synchronization"
