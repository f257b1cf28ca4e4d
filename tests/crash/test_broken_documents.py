# SPDX-License-Identifier: Apache-2.0
"""Documents that arrive cut, corrupt or senseless, at the running inbox."""

import asyncio
import gzip
import random
from collections.abc import Callable
from copy import deepcopy
from typing import Any

import orjson
import pytest

from tests.hostile.commons import HOST, INBOX, Commons, doing, like, note
from tests.hostile.peer import ScriptedPeer, mallory

SEED = 20261125
DOCUMENTS = 500
JUNK: tuple[Any, ...] = (
    None, True, 0, -1, 1.5, 1 << 62, "", "x", "http://", "\x00", "\u202e", [], {}, [[]], [None],
    {"id": 1}, {"type": []}, {"@list": ["a"]}, "http://evil.localhost/u/mallory",
)  # fmt: skip
Change = Callable[[random.Random, bytes], bytes]


def cut(chance: random.Random, body: bytes) -> bytes:
    return body[: chance.randrange(len(body))]


def flip(chance: random.Random, body: bytes) -> bytes:
    changed = bytearray(body)
    for _ in range(chance.randrange(1, 6)):
        changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(8)
    return bytes(changed)


def doubled(_: random.Random, body: bytes) -> bytes:
    return body + body


def senseless(chance: random.Random, body: bytes) -> bytes:
    """Some member, somewhere in it, becomes something else or is not there."""
    document = orjson.loads(body)
    for _ in range(chance.randrange(1, 4)):
        place = document
        while True:
            inner = [value for value in place.values() if isinstance(value, dict) and value]
            if not inner or chance.random() < 0.5:
                break
            place = chance.choice(inner)
        name = chance.choice(sorted(place))
        if chance.random() < 0.2 and len(place) > 1:
            del place[name]
        else:
            place[name] = deepcopy(chance.choice(JUNK))
    return orjson.dumps(document)


CHANGES: tuple[Change, ...] = (cut, flip, doubled, senseless, senseless, senseless, senseless)


async def test_the_queue_flows_on_after_500_broken_documents(
    gh: Commons, evil: ScriptedPeer
) -> None:
    chance = random.Random(SEED)
    actor = mallory(evil)
    seen: dict[int, int] = {}
    for number in range(DOCUMENTS):
        post = note(f"{evil.origin}/p/{number}", actor, gh.forum.uri)
        sound = chance.choice(
            (
                like(actor, gh.thread.uri, number),
                doing("Create", actor, post, number),
                doing("Announce", actor, doing("Create", actor, post, number), number),
                doing("Undo", actor, like(actor, gh.thread.uri, number), number),
                doing("Update", actor, {"id": actor, "type": "Person"}, number),
            )
        )
        body = chance.choice(CHANGES)(chance, orjson.dumps(sound))
        headers = evil.sign(INBOX, body, gh.clock.now())
        answer = await gh.post(body, headers)
        allowed = answer.status_code == 202 or 400 <= answer.status_code < 500
        assert allowed, (SEED, number, answer.status_code, body)
        seen[answer.status_code] = seen.get(answer.status_code, 0) + 1
    assert seen[202] > DOCUMENTS / 10, seen
    assert seen[400] > DOCUMENTS / 10, seen
    await gh.settled()
    assert (await gh.sent(evil, like(actor, gh.thread.uri, DOCUMENTS))).state == "applied"


@pytest.mark.parametrize("sent", ["a length too long", "gzip that is cut", "gzip"])
async def test_a_body_that_is_not_what_it_says_is_refused(
    gh: Commons, evil: ScriptedPeer, sent: str
) -> None:
    body = orjson.dumps(like(mallory(evil), gh.thread.uri))
    more, length = "", len(body)
    if sent.startswith("gzip"):
        body = gzip.compress(body)
        if sent != "gzip":
            body = body[:-9]
        more, length = "Content-Encoding: gzip\r\n", len(body)
    else:
        length += 10
    signed = evil.sign(INBOX, body, gh.clock.now())
    signed.pop("Host", None)
    lines = "".join(f"{name}: {value}\r\n" for name, value in signed.items())
    reader, writer = await asyncio.open_connection("127.0.0.1", gh.client.base_url.port)
    writer.write(
        f"POST /inbox HTTP/1.1\r\nHost: {HOST}\r\n{more}{lines}"
        f"Content-Length: {length}\r\nContent-Type: application/activity+json\r\n\r\n".encode()
        + body
    )
    # What was announced never comes.
    writer.write_eof()
    said = await reader.read()
    writer.close()
    # Nobody is left to be told where the sender hung up in the middle.
    assert said == b"" or said.split(b" ")[1].startswith(b"4"), said
    await gh.settled()
    assert await gh.endorsements(gh.thread) == 0
    assert (await gh.sent(evil, like(mallory(evil), gh.thread.uri))).state == "applied"
