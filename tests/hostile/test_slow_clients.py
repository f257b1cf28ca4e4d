# SPDX-License-Identifier: Apache-2.0
"""Clients that take their time, or send heads without end, hold up nobody."""

import asyncio
import contextlib

import pytest

from tests.hostile.commons import HOST, Commons
from web import connections
from web.activitypub import arriving
from web.templates import HERE

CLIENTS = 300
STYLE = HERE / "static" / "style.css"
BEGUN = [
    b"",
    b"G",
    b"\r\n",
    b"GET / HTTP/1.1\r\nHost: gh.localhost\r\nX-Slow: ",
    b"POST /inbox HTTP/1.1\r\nHost: gh.localhost\r\nContent-Length: 900000\r\n\r\n{",
    b"POST /sign-in HTTP/1.1\r\nHost: gh.localhost\r\nContent-Length: 9000\r\n"
    b"Content-Type: application/x-www-form-urlencoded\r\n\r\nlogin=",
]
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def connected(gh: Commons, sent: bytes) -> Streams:
    reader, writer = await asyncio.open_connection("127.0.0.1", gh.port)
    writer.write(sent)
    return reader, writer


async def rest(streams: Streams) -> bytes:
    """What the server says until it closes."""
    reader, writer = streams
    try:
        return await asyncio.wait_for(reader.read(-1), 30)
    except ConnectionError:
        return b""
    finally:
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


async def drip(writer: asyncio.StreamWriter) -> None:
    while True:
        writer.write(b"x")
        await asyncio.sleep(0.02)


async def test_DOS_09_three_hundred_dawdling_clients_are_let_go_and_hold_up_nobody(
    gh: Commons, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "SPAN", 0.5)
    slow = [await connected(gh, BEGUN[number % len(BEGUN)]) for number in range(CLIENTS)]
    for path in ("/healthz", "/", "/healthz"):
        assert (await gh.client.get(path)).status_code == 200
    # One that goes on a byte at a time is let go as well.
    dripping = await connected(gh, b"GET / HTTP/1.1\r\nX: ")
    drops = asyncio.create_task(drip(dripping[1]))
    slow.append(dripping)
    answers = await asyncio.gather(*(rest(one) for one in slow))
    drops.cancel()
    assert not any(answer.startswith(b"HTTP/1.1 2") for answer in answers)
    assert (await gh.client.get("/healthz")).json() == {"ok": True}


async def test_an_activity_that_comes_too_slowly_is_not_waited_for(
    gh: Commons, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(arriving, "RECEIVING_SECONDS", 0.2)
    assert (await rest(await connected(gh, BEGUN[4]))).startswith(b"HTTP/1.1 408")


async def test_a_head_without_end_is_not_read_on(gh: Commons) -> None:
    reader, writer = await connected(gh, b"GET / HTTP/1.1\r\nHost: gh.localhost\r\n")
    sent = 0
    try:
        while sent < 20_000_000 and not reader.at_eof():
            writer.write(b"X-More: " + b"y" * 8_000 + b"\r\n")
            sent += 8_000
            await writer.drain()
    except ConnectionError:
        pass
    assert sent < 10_000_000
    said = await rest((reader, writer))
    assert said == b"" or said.startswith(b"HTTP/1.1 400")
    assert (await gh.client.get("/healthz")).status_code == 200


@pytest.mark.parametrize("ranges", [2, 1_000, 4_000, 100_000])
async def test_DOS_05_a_file_is_never_sent_in_pieces(gh: Commons, ranges: int) -> None:
    size = STYLE.stat().st_size
    many = ",".join(f"{2 * n % size}-{2 * n % size}" for n in range(ranges))
    overlapping = ",".join("0-" for _ in range(ranges))
    for asked in (many, overlapping, f"-{'9' * 1_000}", "bytes=bytes=0-", "0-0"):
        request = f"GET /static/style.css HTTP/1.1\r\nHost: {HOST}\r\nRange: bytes={asked}\r\n"
        answer = await rest(await connected(gh, f"{request}Connection: close\r\n\r\n".encode()))
        assert len(answer) <= size + 2_000
        if answer:
            assert answer.split(b" ")[1] in {b"200", b"400", b"416"}
        else:
            # Cut off while it was still being sent.
            assert len(asked) > connections.LARGEST_HEAD
