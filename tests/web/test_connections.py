# SPDX-License-Identifier: Apache-2.0
"""An answer put together beforehand is the one that uvicorn would send."""

import asyncio
import re
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import pytest
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from tests.hostile.serving import serving
from web.connections import Connection

Message = MutableMapping[str, Any]
Send = Callable[[Message], Awaitable[None]]
HEAD = ((b"Content-Type", b"text/plain"), (b"content-length", b"10"), (b"vary", b"Accept"))
ENDS = b"GET /%s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"


def start(headers: tuple[tuple[bytes, bytes], ...] = HEAD, status: int = 202) -> Message:
    return {"type": "http.response.start", "status": status, "headers": headers}


def body(part: bytes, *, more: bool = False) -> Message:
    return {"type": "http.response.body", "body": part, "more_body": more}


WITHOUT_SIZE = (HEAD[0], HEAD[2])
ANSWERS: dict[str, list[Message]] = {
    "whole": [start(), body(b"0123456789")],
    "refused": [start(status=429), body(b"0123456789")],
    "in-parts": [start(), body(b"01234", more=True), body(b"56789")],
    "ended-later": [start(), body(b"0123456789", more=True), body(b"")],
    "of-no-size": [start(WITHOUT_SIZE), body(b"0123456789")],
    "empty": [start((HEAD[0], (b"content-length", b"0"))), body(b"")],
    "last": [start((*HEAD, (b"connection", b"close"))), body(b"0123456789")],
    "too-long": [start(), body(b"0123456789a")],
    "too-short": [start(), body(b"012345678")],
    "no-body": [start()],
    "unclean": [start((*HEAD, (b"x", b"a\r\nb: c"))), body(b"0123456789")],
}
REQUESTS = {
    "kept": b"GET /%s HTTP/1.1\r\nHost: x\r\n\r\n",
    "twice-at-once": b"GET /%s HTTP/1.1\r\nHost: x\r\n\r\nGET /whole HTTP/1.1\r\nHost: x\r\n\r\n",
    "expecting": b"POST /%s HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n"
    b"Content-Length: 0\r\n\r\n",
    "head": b"HEAD /%s HTTP/1.1\r\nHost: x\r\n\r\n",
    "old": b"GET /%s HTTP/1.0\r\nHost: x\r\n\r\n",
    "closing": ENDS,
}


async def app(scope: Message, receive: Callable[[], Awaitable[Message]], send: Send) -> None:
    name = scope["path"].strip("/")
    if name == "broken":
        await send(start())
        raise RuntimeError("a bug after the head")
    for message in ANSWERS[name]:
        await send(dict(message))


async def said(port: int, sent: bytes) -> bytes:
    """All that is answered until the connection ends, without the time."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(sent)
    # What does not end by itself is ended by the next request.
    writer.write(ENDS % b"whole")
    async with asyncio.timeout(10):
        answer = await reader.read(-1)
    writer.close()
    return re.sub(rb"date: [^\r]+", b"date: now", answer)


@pytest.mark.parametrize("request_", REQUESTS)
async def test_an_answer_whose_headers_are_fixed_reads_as_any_other(request_: str) -> None:
    async with serving(app, http=Connection) as ours, serving(app, http=HttpToolsProtocol) as other:
        for name in ANSWERS:
            sent = REQUESTS[request_] % name.encode()
            if name == "no-body" or (request_ == "head" and name.startswith("too-")):
                continue
            found, wanted = await said(ours, sent), await said(other, sent)
            assert found == wanted, name
            assert found.startswith(b"HTTP/1.1 ") or name == "unclean"


async def test_a_head_whose_body_never_comes_is_an_end_and_no_answer() -> None:
    async with serving(app, http=Connection) as port:
        assert b" 202 " not in (await said(port, REQUESTS["kept"] % b"no-body"))[:40]
        assert (await said(port, REQUESTS["kept"] % b"broken")).startswith(b"HTTP/1.1 500 ")
