# SPDX-License-Identifier: Apache-2.0
"""A page that is at hand is answered at once, as by the usual way."""

import asyncio
import re
from collections.abc import Iterator
from typing import Any

import pytest
from starlette.applications import Starlette
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from server.freshness import Freshness
from tests import databases, makers
from tests.clock import TurnableClock
from tests.hostile.serving import serving
from tests.server.town import Town
from tests.web.kept import other, town
from web.connections import Connection
from web.exchanges import Headers, Ready
from web.kept import Kept

__all__ = ["other", "town"]
database_url = databases.database_url
HOST = "riverton.localhost:8000"
LAST = b"GET /healthz HTTP/1.1\r\nHost: %b\r\nConnection: close\r\n\r\n" % HOST.encode()


class Counting(Kept):
    """What is kept, counting who was answered with it by the connection."""

    answered = 0

    def at_hand(self, url: bytes, headers: Headers) -> Ready | None:
        found = super().at_hand(url, headers)
        if found is None or found.is_right is None:
            self.answered += found is not None
            return found
        is_right = found.is_right

        async def asked() -> bool:
            right = await is_right()
            self.answered += right
            return right

        return found._replace(is_right=asked)


class InPieces(Connection):
    """As a slow line has it."""

    def data_received(self, data: bytes) -> None:
        for at in range(0, len(data), 7):
            if not self.transport.is_closing():
                super().data_received(data[at : at + 7])


def get(target: str, *headers: str, method: str = "GET", version: str = "1.1") -> bytes:
    named = (
        headers if any(one.startswith("Host:") for one in headers) else (f"Host: {HOST}", *headers)
    )
    return "\r\n".join([f"{method} {target} HTTP/{version}", *named, "", ""]).encode()


def kinds(thread: int, etag: str) -> Iterator[tuple[str, bytes, int]]:
    """The name of each, the request, and how often a page is answered at once."""
    page = f"/p/{thread}"
    yield "plain", get(page), 1
    yield "packed", get(page, "Accept-Encoding: gzip, br"), 1
    yield "never packed", get(page, "Accept-Encoding: gzip;q=0"), 1
    yield "as-a-browser", get(page, "Accept: text/html,*/*;q=0.8", "Accept-Language: de"), 1
    yield "two-at-once", get(page) + get(page, "Accept-Encoding: gzip"), 2
    yield "after-another", get("/forums") + get(page), 0
    yield "before-another", get(page) + get("/forums"), 1
    yield "with-a-body", get(page, "Content-Length: 4") + b"a=1&", 1
    yield "empty-lines-before", b"\r\n\r\n" + get(page), 1
    yield "known-already", get(page, f"If-None-Match: {etag}"), 0
    yield "known-otherwise", get(page, 'If-None-Match: "another"'), 0
    yield "head", get(page, method="HEAD"), 0
    yield "old", get(page, version="1.0"), 0
    yield "closing", get(page, "Connection: close"), 0
    yield "expecting", get(page, "Expect: 100-continue"), 0
    yield "an-upgrade", get(page, "Connection: Upgrade", "Upgrade: h2c"), 0
    yield "never-kept", get("/forums"), 0
    yield "another-query", get(f"{page}?before=1"), 0
    yield "spelled-otherwise", get(f"/%70/{thread}"), 0
    yield "a-whole-address", get(f"http://{HOST}{page}"), 0
    yield "of-another-host", get(page, "Host: other.localhost"), 0
    yield "of-no-host", get(page, "Host:"), 0
    yield "signed-in", get(page, "Cookie: guildhall_session=wrong"), 0
    yield "as-activity", get(page, "Accept: application/activity+json"), 0
    yield "with-a-signature", get(page, "Accept: application/activity+json", "Signature: x"), 0
    yield "posted", get(page, "Content-Length: 0", method="POST"), 0


async def said(port: int, sent: bytes) -> bytes:
    """All that is answered until the connection ends, without the time of day."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(sent)
    # Who asks for another protocol is not heard any more.
    upgrades = b"Upgrade" in sent
    if b"close" not in sent and not upgrades:
        writer.write(LAST)
    try:
        async with asyncio.timeout(30):
            answer = await (reader.readuntil(b"</html>") if upgrades else reader.read(-1))
    finally:
        writer.close()
    return re.sub(rb"date: [^\r]+", b"date", answer)


@pytest.fixture
def kept(app: Starlette) -> Counting:
    """What the application keeps."""
    found: Any = app
    found.kept.__class__ = Counting
    counting: Counting = found.kept
    return counting


async def test_every_kind_of_question_is_answered_alike_on_both_ways(
    app: Starlette, town: Town, kept: Counting
) -> None:
    opener = await makers.thread(town.instance, town.ana, town.forum)
    async with (
        serving(app, http=HttpToolsProtocol) as usual,
        serving(app, http=Connection) as ours,
        serving(app, http=InPieces) as slow,
    ):
        packed = get(f"/p/{opener.id}", "Accept-Encoding: gzip")
        for _ in range(3):
            first = await said(usual, packed)
        assert b"content-encoding: gzip" in first
        assert kept.answered == 0
        found = re.search(rb'etag: (W/"[^"]+")', first)
        assert found is not None
        for name, sent, times in kinds(opener.id, found[1].decode()):
            wanted = await said(usual, sent)
            # The parser takes no more bytes once another protocol was asked for.
            for port in (ours,) if name == "an-upgrade" else (ours, slow):
                before = kept.answered
                assert await said(port, sent) == wanted, name
                # What comes in pieces is answered at once as well, but for a body still to come.
                late = port == slow and name == "with-a-body"
                # Who has to wait for an answer has the next request queued.
                most = times if town.instance.database.is_sqlite else 1
                assert kept.answered - before == min(times, most) or late, name
            assert wanted.startswith(b"HTTP/1.1 "), name


async def test_nothing_is_answered_at_once_that_is_no_longer_so(
    app: Starlette, town: Town, other: Town, kept: Counting, clock: TurnableClock
) -> None:
    opener = await makers.thread(town.instance, town.ana, town.forum)
    page = get(f"/p/{opener.id}")
    async with serving(app, http=Connection) as port:
        # The first reader has it written; on SQLite the second asks whether it is right.
        first = await said(port, page)
        assert kept.answered == 0
        assert await said(port, page) == first
        asked = kept.answered
        assert asked == (not town.instance.database.is_sqlite)
        assert await said(port, page) == first
        assert kept.answered == asked + 1
        # By another process, in the same thread: what is kept is not right any more.
        reply = await makers.reply(other.instance, town.dee, opener)
        second = await said(port, page)
        assert f'id="p-{reply.id}"'.encode() in second
        assert kept.answered == asked + 1
        assert await said(port, page) == second
        assert kept.answered == 2 * asked + 1
        assert await said(port, page) == second
        assert kept.answered == 2 * asked + 2
        # Elsewhere: what is kept is right, which has to be asked once.
        await makers.person_elsewhere(other.instance)
        assert await said(port, page) == second
        assert kept.answered == 3 * asked + 2
        assert await said(port, page) == second
        assert kept.answered == 3 * asked + 3
        # By the clock, which made "2 hours ago" of what was an hour ago.
        clock.turn(hours=3)
        assert await said(port, page) != second
        assert kept.answered == 3 * asked + 3


async def test_what_cannot_be_asked_is_told_by_the_usual_way(
    app: Starlette, town: Town, kept: Counting, monkeypatch: pytest.MonkeyPatch
) -> None:
    opener = await makers.thread(town.instance, town.ana, town.forum)
    page, other = get(f"/p/{opener.id}"), get("/forums")

    async def broken(*_: object) -> bool:
        raise ConnectionError("the database is gone")

    async with serving(app, http=Connection) as port:
        shown = await said(port, page)
        both = await said(port, page + other)
        with monkeypatch.context() as patched:
            patched.setattr(Freshness, "is_known_to_hold", lambda *_: False)
            patched.setattr(app.kept._freshness, "is_far", True)  # type: ignore[attr-defined]
            patched.setattr(Kept, "is_right", broken)
            found = await said(port, page)
            assert found.startswith(b"HTTP/1.1 503 ")
        assert await said(port, page) == shown
        # One that is not right any more, with another request behind it.
        await makers.reply(town.instance, town.dee, opener)
        after = await said(port, page + other)
        assert after != both
        assert after == await said(port, page + other)


async def test_who_is_quiet_after_a_page_at_hand_is_let_go(
    app: Starlette, town: Town, kept: Counting
) -> None:
    opener = await makers.thread(town.instance, town.ana, town.forum)

    class Impatient(Connection):
        def __init__(self, *given: Any, **named: Any) -> None:
            super().__init__(*given, **named)
            self.timeout_keep_alive = 0.1  # type: ignore[assignment]

    async with serving(app, http=Impatient) as port:
        for _ in range(2):
            await said(port, get(f"/p/{opener.id}"))
        before = kept.answered
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        async with asyncio.timeout(30):
            writer.write(get(f"/p/{opener.id}"))
            assert b" 200 " in await reader.readline()
            assert kept.answered == before + 1
            # Nobody else ends it.
            await reader.read(-1)
        writer.close()
