# SPDX-License-Identifier: Apache-2.0
"""A delivery that came whole is answered as one that goes the usual way."""

import asyncio
import itertools
import re
from collections.abc import Callable, Iterable
from typing import Any

import orjson
import pytest
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from federation.inbox import Inbox
from tests.hostile.commons import HOST, ORIGIN, Commons, like
from tests.hostile.peer import Json, ScriptedPeer, mallory
from tests.hostile.serving import serving
from web.activitypub.short import InboxWay
from web.connections import Connection
from web.exchanges import Head

NUMBERS = itertools.count(1)
LAST = f"GET /healthz HTTP/1.1\r\nHost: {HOST}\r\nConnection: close\r\n\r\n".encode()
Bytes = Callable[[], bytes]


class Counting(InboxWay):
    """The short way, which counts who went it."""

    taken = 0

    async def answer(self, *given: Any) -> tuple[Head, bytes]:
        self.taken += 1
        return await super().answer(*given)


class InPieces(Connection):
    """As a slow line has it: first the head, then the body a hundred bytes at a time."""

    def data_received(self, data: bytes) -> None:
        head, end, body = data.partition(b"\r\n\r\n")
        for piece in (head, end, *(body[at : at + 100] for at in range(0, len(body), 100))):
            if piece and not self.transport.is_closing():
                super().data_received(piece)


class Impatient(Connection):
    """Does not wait for long for the next request."""

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self.timeout_keep_alive = 0.1  # type: ignore[assignment]


def post(
    headers: dict[str, str], body: bytes, target: str = "/inbox", *, version: str = "1.1"
) -> bytes:
    sized = {"Content-Length": str(len(body))} | headers
    lines = [
        f"POST {target} HTTP/{version}",
        *(f"{name}: {value}" for name, value in sized.items()),
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


class Letters:
    """Requests with deliveries of one peer, no two of them the same."""

    def __init__(self, gh: Commons, peer: ScriptedPeer) -> None:
        self._gh = gh
        self._peer = peer

    def new(self, target: str = "/inbox", version: str = "1.1", **more: str) -> bytes:
        document: Json = like(mallory(self._peer), self._gh.thread.uri, next(NUMBERS))
        body = orjson.dumps(document)
        signed = self._peer.sign(f"{ORIGIN}{target}", body, self._gh.clock.now())
        more = {name.replace("_", "-"): value for name, value in more.items()}
        return post(signed | more, body, target, version=version)

    def forged(self) -> bytes:
        return self.new().replace(b'signature="', b'signature="AAAA', 1)

    def unsigned(self) -> bytes:
        return post({"Host": HOST}, b'{"type": "Like"}')

    def of_two_hosts(self) -> bytes:
        return self.new().replace(b"\r\n", f"\r\nHost: {HOST}\r\n".encode(), 1)

    def for_another(self) -> bytes:
        return post({"Host": "other.localhost"}, b"{}")

    def spoilt(self) -> bytes:
        return self.new().replace(b"\r\n\r\n{", b"\r\n\r\n[", 1)

    def chunked(self, *, sound: bool = True) -> bytes:
        head, _, body = self.new().partition(b"\r\n\r\n")
        head = re.sub(rb"Content-Length: \d+", b"Transfer-Encoding: chunked", head)
        size = b"%x" % len(body) if sound else b"zz"
        return head + b"\r\n\r\n" + size + b"\r\n" + body + b"\r\n0\r\n\r\n"

    def kinds(self) -> Iterable[tuple[str, Bytes, bool]]:
        """The name of each, what makes one, and whether it goes the short way."""
        peer = self._peer
        yield "accepted", self.new, True
        yield "to-a-person", lambda: self.new("/u/admin/inbox"), True
        yield "to-a-forum", lambda: self.new("/f/permits/inbox"), True
        yield "with-a-query", lambda: self.new("/inbox?page=1"), False
        yield "spelled-otherwise", lambda: self.new("/u/%61dmin/inbox"), False
        yield "forged", self.forged, True
        yield "unsigned", self.unsigned, True
        yield "not-json", lambda: post({"Host": HOST}, b"{"), True
        yield "empty", lambda: post({"Host": HOST}, b""), True
        yield "changed", self.spoilt, True
        yield "of-two-hosts", self.of_two_hosts, True
        yield "for-another-host", self.for_another, False
        yield "for-a-host-in-capitals", lambda: post({"Host": HOST.upper()}, b"{}"), False
        yield "chunked", self.chunked, True
        yield "badly-chunked", lambda: self.chunked(sound=False), False
        yield "closing", lambda: self.new(Connection="close"), False
        yield "expecting", lambda: self.new(Expect="100-continue"), False
        yield "old", lambda: self.new(version="1.0"), False
        yield "another-then", lambda: self.unsigned() + LAST.replace(b"close", b"keep-alive"), True
        yield "two-at-once", lambda: self.new() + self.unsigned(), True
        yield (
            "of-an-actor-unknown",
            lambda: self._by(f"{peer.origin}/u/nobody{next(NUMBERS)}#key"),
            True,
        )
        yield "of-another-host", lambda: self._by("https://unlisted.example/u/x#main-key"), True

    def _by(self, key_id: str) -> bytes:
        body = orjson.dumps(like(key_id.partition("#")[0], self._gh.thread.uri))
        signed = self._peer.sign(f"{ORIGIN}/inbox", body, self._gh.clock.now(), key_id=key_id)
        return post(signed, body)


async def said(port: int, sent: bytes) -> bytes:
    """All that is answered until the connection ends, without what differs from time to time."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    # What does not end by itself is ended by the last request.
    writer.write(sent + LAST)
    async with asyncio.timeout(30):
        answer = await reader.read(-1)
    writer.close()
    return re.sub(rb"date: [^\r]+|name [0-9a-f]+|nobody\d+", b"now", answer)


async def test_every_kind_of_delivery_is_answered_alike_on_both_ways(
    gh: Commons, evil: ScriptedPeer
) -> None:
    letters = Letters(gh, evil)
    app: Any = gh.app
    way = app.short_way
    way.__class__ = Counting
    async with (
        serving(gh.app, http=HttpToolsProtocol) as usual,
        serving(gh.app, http=Connection) as ours,
        serving(gh.app, http=InPieces) as slow,
    ):
        await said(usual, letters.new())
        for name, make, is_short in letters.kinds():
            wanted = await said(usual, make())
            before = way.taken
            assert await said(ours, make()) == wanted, name
            assert way.taken - before == is_short, name
            before = way.taken
            assert await said(slow, make()) == wanted, name
            # In pieces only what has no body is there with its head.
            assert way.taken - before == (name == "empty"), name
            assert wanted.startswith(b"HTTP/1.1 "), name
        again = letters.new()
        assert b" 202 " in (await said(ours, again)).splitlines()[0]
        assert await said(ours, again) == await said(usual, again)
        assert b" 409 " in (await said(ours, again)).splitlines()[0]


async def test_a_bug_is_told_alike_on_both_ways(
    gh: Commons, evil: ScriptedPeer, monkeypatch: pytest.MonkeyPatch
) -> None:
    letters = Letters(gh, evil)

    async def broken(inbox: Inbox, request: object) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr(Inbox, "accept", broken)
    async with (
        serving(gh.app, http=HttpToolsProtocol) as usual,
        serving(gh.app, http=Connection) as ours,
    ):
        found = await said(ours, letters.new())
        # Uvicorn closes the connection then; here it goes on.
        assert found.startswith(await said(usual, letters.new()))
        assert found.startswith(b"HTTP/1.1 500 ")


async def test_what_is_under_way_when_the_server_stops_is_answered(
    gh: Commons, evil: ScriptedPeer
) -> None:
    letters = Letters(gh, evil)
    writer = gh.instance.database.writer
    async with serving(gh.app, http=Connection) as port:
        await said(port, letters.new())
        reader, sending = await _kept_waiting(gh, port, letters.new())
        # Connections are told of the end before anybody else's turn comes.
        asyncio.get_running_loop().call_soon(writer.lock.release)
    answer = await reader.read(-1)
    sending.close()
    assert answer.startswith(b"HTTP/1.1 202 ")
    assert b"\r\nconnection: close\r\n" in answer


async def test_who_goes_away_before_the_answer_is_not_written_to(
    gh: Commons, evil: ScriptedPeer
) -> None:
    letters = Letters(gh, evil)
    writer = gh.instance.database.writer
    async with serving(gh.app, http=Connection) as port:
        await said(port, letters.new())
        raw = letters.new()
        _, sending = await _kept_waiting(gh, port, raw)
        sending.transport.abort()
        writer.lock.release()
        # It is kept all the same, as whoever sends it again is told.
        assert b" 409 " in (await said(port, raw)).splitlines()[0]


async def test_who_is_quiet_after_the_short_way_is_let_go(gh: Commons, evil: ScriptedPeer) -> None:
    letters = Letters(gh, evil)
    async with serving(gh.app, http=Impatient) as port:
        await said(port, letters.new())
        reader, sending = await asyncio.open_connection("127.0.0.1", port)
        async with asyncio.timeout(30):
            sending.write(letters.new())
            assert b" 202 " in await reader.readline()
            # Nobody else ends it.
            await reader.read(-1)
        sending.close()


async def _kept_waiting(
    gh: Commons, port: int, raw: bytes
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A connection over which something came that waits for the writer, whose lock is held."""
    await gh.instance.database.writer.lock.acquire()
    reader, sending = await asyncio.open_connection("127.0.0.1", port)
    sending.write(raw)
    await _is_waiting(gh)
    return reader, sending


async def _is_waiting(gh: Commons) -> None:
    """Until a row waits for its commit."""
    async with asyncio.timeout(30):
        while not gh.instance.database.writer.waiting:  # noqa: ASYNC110
            await asyncio.sleep(0)
