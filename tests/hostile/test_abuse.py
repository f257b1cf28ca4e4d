# SPDX-License-Identifier: Apache-2.0
"""Deliveries and questions that are broken, huge, or from strangers."""

import asyncio
import random
from collections.abc import AsyncIterator

import httpx
import orjson
import pytest
from sqlalchemy import select

from storage.inbox import InboxRow
from tests import makers
from tests.hostile.commons import HOST, INBOX, ORIGIN, Commons, doing, like, note
from tests.hostile.effects import Unchanged, must_be_one_sentence
from tests.hostile.peer import Json, Page, ScriptedPeer, mallory, vera

MALLORY = "http://evil.localhost/u/mallory"
HEAD = f'{{"id":"{MALLORY}#1","actor":"{MALLORY}","object":"{ORIGIN}/p/1"'.encode()

BROKEN: dict[str, bytes] = {
    "empty": b"",
    "no JSON": b"\x89PNG\r\n",
    "cut off": HEAD,
    "an array": b"[]",
    "null": b"null",
    "a repeated key": HEAD + b',"type":"Like","type":"Follow"}',
    "NaN": HEAD + b',"type":"Like","x":NaN}',
    "a huge number": HEAD + b',"type":"Like","x":' + b"9" * 5000 + b"}",
    "a lone surrogate": HEAD + b',"type":"Like","x":"\\ud800"}',
    "U+0000": HEAD + b',"type":"Like","x":"\\u0000"}',
    "Latin-1": HEAD + b',"type":"Like","x":"\xe9"}',
    "no type": HEAD + b"}",
    "no actor": b'{"id":"http://evil.localhost/1","type":"Like","object":"http://evil.localhost/2"}',
    "no id": b'{"actor":"http://evil.localhost/u/mallory","type":"Like","object":"http://a.b/2"}',
    "no object": f'{{"id":"{MALLORY}#1","actor":"{MALLORY}","type":"Like"}}'.encode(),
    "a script for an id": b'{"id":"javascript:1","actor":"javascript:1","type":"Like"}',
    "a person": f'{{"id":"{MALLORY}","type":"Person"}}'.encode(),
    "a byte-order mark": b"\xef\xbb\xbf" + HEAD + b',"type":"Like"}',
}


@pytest.mark.parametrize("name", list(BROKEN))
async def test_a_broken_activity_is_refused_in_one_sentence(
    gh: Commons, evil: ScriptedPeer, vic: ScriptedPeer, name: str
) -> None:
    body = BROKEN[name]
    async with Unchanged(gh, vic):
        answer = await gh.post(body, evil.sign(INBOX, body, gh.clock.now()))
        must_be_one_sentence(answer, 400)
    assert evil.requests == []


@pytest.mark.parametrize("depth", [65, 1_000, 100_000])
async def test_DOS_02_deep_json_is_refused(
    gh: Commons, evil: ScriptedPeer, vic: ScriptedPeer, depth: int
) -> None:
    arrays = HEAD + b',"type":"Like","x":' + b"[" * depth + b"]" * depth + b"}"
    objects = HEAD + b',"type":"Like","x":' + b'{"a":' * depth + b"1" + b"}" * depth + b"}"
    async with Unchanged(gh, vic):
        for body in (arrays, objects):
            answer = await gh.post(body, evil.sign(INBOX, body, gh.clock.now()))
            must_be_one_sentence(answer, 400)


async def test_DOS_01_a_huge_body_is_refused_before_it_is_read(
    gh: Commons, evil: ScriptedPeer, vic: ScriptedPeer
) -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        for _ in range(800):
            sent += 65_536
            yield b"a" * 65_536
            await asyncio.sleep(0)

    async with Unchanged(gh, vic):
        try:
            answer = await gh.client.post("/inbox", content=endless())
        except (httpx.WriteError, httpx.ReadError, httpx.RemoteProtocolError):
            answer = None
        if answer is not None:
            must_be_one_sentence(answer, 413)
        assert sent < 20_000_000
        body = b"a" * 1_000_001
        declared = await gh.post(body, evil.sign(INBOX, body, gh.clock.now()))
        must_be_one_sentence(declared, 413)
    assert (await gh.client.get("/healthz")).json() == {"ok": True}


async def test_DOS_14_farewells_of_strangers_cost_nothing(
    gh: Commons, evil: ScriptedPeer, vic: ScriptedPeer
) -> None:
    async with Unchanged(gh, vic):
        for number in range(200):
            actor = f"{evil.origin}/u/gone-{number}"
            evil.pages[f"/u/gone-{number}"] = Page(status=410)
            answer = await gh.deliver(evil, doing("Delete", actor, actor))
            assert answer.status_code == 202
    assert evil.requests == []


async def test_a_stranger_leaves_one_knock_and_is_not_asked_anything(
    gh: Commons, vic: ScriptedPeer, third: ScriptedPeer
) -> None:
    async with Unchanged(gh, vic):
        for number in range(5):
            must_be_one_sentence(
                await gh.deliver(third, like(mallory(third), gh.thread.uri, number)), 403
            )
    assert third.requests == []
    assert (await gh.counts())["knocks"] == 1


async def test_knocks_are_bounded(gh: Commons, evil: ScriptedPeer) -> None:
    body = orjson.dumps(like(mallory(evil), gh.thread.uri))
    for number in range(30):
        key_id = f"http://stranger-{number}.example/u/x#key"
        headers = evil.sign(INBOX, body, gh.clock.now(), key_id=key_id)
        must_be_one_sentence(await gh.post(body, headers), 403)
    assert (await gh.counts())["knocks"] == 30


def shaken(random_: random.Random, value: object, depth: int = 0) -> object:
    """A document with some of its values made into others."""
    odd: list[object] = [
        None,
        True,
        -1,
        1.5,
        "",
        "x",
        [],
        {},
        ["a", None],
        {"id": 7},
        {"type": []},
        "http://[x",
    ]
    if random_.random() < 0.08 and depth:
        return random_.choice([*odd, [value], {"id": value}, {"type": value}])
    if isinstance(value, dict):
        return {
            key: shaken(random_, item, depth + 1)
            for key, item in value.items()
            if random_.random() > 0.05
        }
    if isinstance(value, list):
        return [shaken(random_, item, depth + 1) for item in value]
    return value


async def test_FED_09_five_hundred_odd_documents_break_nothing(
    gh: Commons, evil: ScriptedPeer
) -> None:
    chance = random.Random(20261123)
    said = note(f"{evil.origin}/p/1", mallory(evil), gh.forum.uri, name="x")
    seeds: list[Json] = [
        doing("Create", mallory(evil), said),
        doing("Update", mallory(evil), said | {"inReplyTo": gh.thread.uri}),
        doing("Undo", mallory(evil), like(mallory(evil), gh.thread.uri)),
        doing("Announce", mallory(evil), doing("Create", vera(evil), said)),
        doing("Follow", mallory(evil), gh.forum.uri),
        doing("Update", mallory(evil), {"id": mallory(evil), "type": "Person", "inbox": "x"}),
    ]
    statuses: list[int] = []
    sending = []
    for number in range(500):
        odd: object = shaken(
            chance, seeds[number % len(seeds)] | {"id": f"{mallory(evil)}#{number}"}
        )
        if isinstance(odd, dict) and chance.random() < 0.1:
            odd = {**odd, "type": chance.choice(["Dance", ["Like", "Flag"], 7])}
        body = orjson.dumps(odd)
        sending.append(gh.post(body, evil.sign(INBOX, body, gh.clock.now())))
        if len(sending) == 25:
            statuses += [answer.status_code for answer in await asyncio.gather(*sending)]
            sending.clear()
    assert set(statuses) <= {202, 400, 401}
    assert (len(statuses), statuses.count(202) > 100) == (500, True)
    await gh.settled()
    async with gh.instance.reading() as session:
        rows = (await session.execute(select(InboxRow.note))).all()
    assert [row for row in rows if "Error" in row[0]] == []
    assert (await gh.client.get("/healthz")).json() == {"ok": True}


PARTS = ("", "/outbox", "/followers", "/featured", "/moderators", "/likes", "/context", "/nothing")


async def test_ACL_02_what_exists_and_what_does_not_are_answered_alike(
    gh: Commons, evil: ScriptedPeer, vic: ScriptedPeer, third: ScriptedPeer
) -> None:
    closed = await makers.forum(gh.instance, gh.admin, "closed", visibility="agencies")
    hidden = await makers.thread(gh.instance, gh.admin, closed)
    there = [gh.thread.uri, hidden.uri, f"{ORIGIN}/f/closed"]
    absent = [f"{ORIGIN}/p/1", f"{ORIGIN}/p/{2**62}", f"{ORIGIN}/f/nowhere"]
    asked = [f"{uri.removeprefix(ORIGIN)}{part}" for uri in there + absent for part in PARTS]
    asked = [path for path in asked if path not in {"/f/closed", "/f/nowhere"}]
    bare = {await answers(gh, path, None) for path in asked}
    assert {status for status, _ in bare} == {401}
    assert len(bare) == 1
    strangers = {await answers(gh, path, third) for path in asked}
    assert {status for status, _ in strangers} == {403}
    assert len(strangers) == 1
    assert third.requests == []
    for path in asked:
        signed = evil.sign(f"{ORIGIN}{path}", None, gh.clock.now(), method="GET")
        signed["Signature"] = signed["Signature"].replace('signature="', 'signature="AAAA')
        answer = await gh.client.get(path, headers={"Accept": "application/activity+json"} | signed)
        assert answer.status_code == 401, path


async def test_ACL_02_what_may_not_be_seen_is_answered_like_what_is_missing(
    gh: Commons, evil: ScriptedPeer, vic: ScriptedPeer
) -> None:
    closed = await makers.forum(gh.instance, gh.admin, "closed", visibility="agencies")
    hidden = await makers.thread(gh.instance, gh.admin, closed)
    number = hidden.uri.rpartition("/")[2]
    for part in PARTS:
        for seen, missing in ((f"/p/{number}", "/p/7"), ("/f/closed", "/f/nowhere")):
            assert await answers(gh, f"{seen}{part}", evil) == await answers(
                gh, f"{missing}{part}", evil
            )
            assert (await answers(gh, f"{seen}{part}", evil))[0] == 404
    await gh.is_guildhall(vic.host)
    assert (await answers(gh, f"/p/{number}", vic))[0] == 200
    assert (await answers(gh, "/f/closed/outbox", vic))[0] == 200
    assert (await gh.get(f"/.well-known/webfinger?resource=acct:closed@{HOST}")).status_code == 404


async def answers(gh: Commons, path: str, peer: ScriptedPeer | None) -> tuple[int, str]:
    """The status and, unless it is a document, the words of an answer."""
    answer = await gh.get(path, peer)
    return answer.status_code, "" if answer.status_code == 200 else answer.text


async def test_public_actors_are_a_stub_to_those_who_are_not_listed(
    gh: Commons, third: ScriptedPeer, vic: ScriptedPeer
) -> None:
    kept = {"@context", "id", "type", "preferredUsername", "inbox", "endpoints"}
    kept |= {"publicKey", "assertionMethod"}
    for path in ("/u/sam", "/f/counters"):
        for peer in (None, third):
            assert set((await gh.get(path, peer)).json()) == kept
        assert "name" in (await gh.get(path, vic)).json()
