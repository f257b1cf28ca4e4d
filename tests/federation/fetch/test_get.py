# SPDX-License-Identifier: Apache-2.0
"""Fetching from peers that behave, and from peers that do not."""

import asyncio
import contextlib
import gzip
import time
import zlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from federation.errors import BadAnswer, Busy, Refused, Unreachable, WireError
from federation.fetch.answers import retry_after
from tests.federation.fetch.hostile import (
    Peer,
    Request,
    Script,
    answer,
    door_to,
    listening,
)

# Whoever waits for a peer instead of the deadline waits this long, and more than a test may take.
AGES, SECONDS = 1800, 60


def resident_megabytes() -> float:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * 4096 / 1e6


async def test_an_answer_comes_back_whole_with_its_headers() -> None:
    async with (
        listening({"/a?b=%7Ec": answer(b"hello", Etag='"1"')}) as peer,
        door_to({"vic.example": peer}) as door,
    ):
        found = await door.get(f"http://vic.example:{peer.port}/a?b=%7Ec#d", accept="text/x")
    assert (found.status, found.body) == (200, b"hello")
    assert found.headers["eTAG"] == '"1"'
    request: Request = peer.requests[0]
    assert request.headers["accept"] == "text/x"
    assert request.headers["user-agent"] == "Guildhall test"
    assert request.headers["host"] == f"vic.example:{peer.port}"


async def test_the_connection_is_kept_for_the_next_request() -> None:
    async with listening({"/a": answer(b"hello")}) as peer, door_to({"vic.example": peer}) as door:
        for _ in range(5):
            await door.get("http://vic.example/a", accept="*/*")
    assert peer.connections == 1


async def test_cookies_are_not_kept() -> None:
    async with (
        listening({"/a": answer(b"", Set_Cookie="s=1; Path=/")}) as peer,
        door_to({"vic.example": peer}) as door,
    ):
        for _ in range(2):
            await door.get("http://vic.example/a", accept="*/*")
    assert all("cookie" not in one.headers for one in peer.requests)


async def test_proxies_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    async with listening() as canary, listening({"/a": answer(b"hello")}) as peer:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{canary.port}")
        async with door_to({"vic.example": peer}) as door:
            await door.get("http://vic.example/a", accept="*/*")
        assert canary.connections == 0


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, Refused),
        (404, Refused),
        (410, Refused),
        (401, Busy),
        (403, Busy),
        (408, Busy),
        (429, Busy),
        (500, Busy),
        (503, Busy),
        (300, Refused),
    ],
)
async def test_an_unwelcome_status_is_an_error_that_names_it(
    status: int, kind: type[Refused | Busy]
) -> None:
    async with (
        listening({"/a": answer(b"no", status=status, Retry_After="7")}) as peer,
        door_to({"vic.example": peer}) as door,
    ):
        with pytest.raises(kind, match=str(status)) as raised:
            await door.get("http://vic.example/a", accept="*/*")
    assert (raised.value.status, raised.value.retry_after) == (status, 7.0)


async def test_not_modified_is_an_answer() -> None:
    async with (
        listening({"/a": b"HTTP/1.1 304 X\r\n\r\n"}) as peer,
        door_to({"vic.example": peer}) as door,
    ):
        found = await door.get(
            "http://vic.example/a", accept="*/*", headers={"If-None-Match": '"1"'}
        )
    assert (found.status, found.body) == (304, b"")
    assert peer.requests[0].headers["if-none-match"] == '"1"'


def test_a_time_to_wait_is_read_as_seconds_or_as_a_date() -> None:
    sent = "Tue, 02 Jun 2026 10:00:00 GMT"
    later = "Tue, 02 Jun 2026 10:01:30 GMT"
    assert retry_after({"Retry-After": later, "Date": sent}) == 90
    assert retry_after({"Retry-After": sent, "Date": later}) == 0
    assert retry_after({"Retry-After": "999999999", "Date": sent}) == 86_400
    assert [retry_after({"Retry-After": odd}) for odd in (later, "-1", "soon", "")] == [None] * 4


async def drip_head(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 X\r\nX-Slow: ")
    while not writer.is_closing():
        writer.write(b"a")
        await writer.drain()
        await asyncio.sleep(0.02)


async def drip_body(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 X\r\nContent-Length: 90000\r\n\r\n")
    while not writer.is_closing():
        writer.write(b"a")
        await writer.drain()
        await asyncio.sleep(0.02)


async def say_nothing(writer: asyncio.StreamWriter) -> None:
    await writer.drain()
    await asyncio.sleep(AGES)


@pytest.mark.parametrize("script", [drip_head, drip_body, say_nothing])
async def test_SSRF_15_a_peer_that_drips_is_given_up_at_the_deadline(script: Script) -> None:
    async with listening({"/a": script}) as evil, door_to({"evil.example": evil}) as door:
        begun = time.monotonic()
        async with asyncio.timeout(SECONDS):
            with pytest.raises(Unreachable):
                await door.get("http://evil.example/a", accept="*/*", deadline=0.3)
        assert time.monotonic() - begun > 0.25


async def test_SSRF_15_a_peer_that_stalls_in_tls_is_given_up_at_the_deadline() -> None:
    async with listening({}) as evil, door_to({"evil.example": evil}) as door:
        async with asyncio.timeout(SECONDS):
            with pytest.raises(Unreachable):
                await door.get("https://evil.example/a", accept="*/*", deadline=0.3)
        assert evil.connections == 1


async def test_SSRF_15_thirty_dripping_peers_do_not_slow_an_honest_one() -> None:
    async with listening({"/a": drip_body}) as evil, listening({"/": answer(b"ok")}) as vic:
        names: dict[str, Peer] = {f"evil{n}.example": evil for n in range(30)}
        async with door_to({**names, "vic.example": vic}) as door:
            slow = [
                asyncio.create_task(door.get(f"http://{name}/a", accept="*/*", deadline=AGES))
                for name in names
            ]
            await asyncio.sleep(0.2)
            async with asyncio.timeout(SECONDS):
                for _ in range(20):
                    await door.get("http://vic.example/", accept="*/*")
            assert not any(one.done() for one in slow)
            for one in slow:
                one.cancel()
            ended = await asyncio.gather(*slow, return_exceptions=True)
            assert all(isinstance(one, asyncio.CancelledError) for one in ended)


async def test_one_slow_host_holds_at_most_its_share_of_connections() -> None:
    arrived = asyncio.Semaphore(0)

    async def hold(writer: asyncio.StreamWriter) -> None:
        arrived.release()
        await say_nothing(writer)

    async with listening({"/a": hold}) as evil, door_to({"evil.example": evil}) as door:
        asked = [
            asyncio.create_task(door.get("http://evil.example/a", accept="*/*")) for _ in range(40)
        ]
        async with asyncio.timeout(SECONDS):
            for _ in range(16):
                await arrived.acquire()
        await asyncio.sleep(0.2)
        assert evil.connections == 16
        for task in asked:
            task.cancel()
        ended = await asyncio.gather(*asked, return_exceptions=True)
        assert all(isinstance(one, asyncio.CancelledError) for one in ended)


async def endless_gzip(writer: asyncio.StreamWriter) -> None:
    writer.write(
        b"HTTP/1.1 200 X\r\nContent-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n"
        b"Content-Type: application/activity+json\r\n\r\n"
    )
    packer, zeros = zlib.compressobj(9, zlib.DEFLATED, 31), bytes(10_000_000)
    for _ in range(500):
        piece = packer.compress(zeros)
        writer.write(b"%x\r\n%s\r\n" % (len(piece), piece))
        await writer.drain()
        await asyncio.sleep(0)


async def endless_chunks(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 X\r\nTransfer-Encoding: chunked\r\n\r\n")
    while not writer.is_closing():
        writer.write(b"4000\r\n" + bytes(0x4000) + b"\r\n")
        await writer.drain()


@pytest.mark.parametrize("script", [endless_gzip, endless_chunks])
async def test_SSRF_16_a_body_without_end_is_cut_at_the_cap(script: Script) -> None:
    async with listening({"/a": script}) as evil, door_to({"evil.example": evil}) as door:
        before = resident_megabytes()
        with pytest.raises(BadAnswer, match="too large"):
            await door.get("http://evil.example/a", accept="*/*", max_bytes=1_000_000)
        assert resident_megabytes() - before < 50


async def test_SSRF_16_the_cap_counts_what_is_unpacked() -> None:
    packed = gzip.compress(bytes(1000))
    assert len(packed) < 100
    async with (
        listening({"/a": answer(packed, Content_Encoding="gzip")}) as peer,
        door_to({"vic.example": peer}) as door,
    ):
        found = await door.get("http://vic.example/a", accept="*/*", max_bytes=1000)
        assert found.body == bytes(1000)
        with pytest.raises(BadAnswer):
            await door.get("http://vic.example/a", accept="*/*", max_bytes=999)


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"HTTP/1.1 200 X\r\nContent-Length: 10000000000\r\n\r\nabc", BadAnswer),
        (b"HTTP/1.1 200 X\r\nContent-Length: -1\r\n\r\nabc", BadAnswer),
        (b"HTTP/1.1 200 X\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc", Unreachable),
        (b"HTTP/1.1 200 X\r\nX: " + b"a" * 100_000 + b"\r\n\r\n", BadAnswer),
        (b"HTTP/1.1 200 X\r\n" + b"X: a\r\n" * 20_000 + b"\r\n", BadAnswer),
        (b"SSH-2.0-OpenSSH_9.6\r\n\r\n", BadAnswer),
    ],
)
async def test_SSRF_16_lying_and_broken_answers_are_told_apart(
    head: bytes, kind: type[Exception]
) -> None:
    async with listening({"/a": head}) as evil, door_to({"evil.example": evil}) as door:
        with pytest.raises(kind):
            await door.get("http://evil.example/a", accept="*/*", deadline=2)


async def test_a_body_that_breaks_off_is_asked_for_again_later() -> None:
    async def cut(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 X\r\nContent-Length: 100\r\n\r\nabc")
        writer.close()
        await asyncio.sleep(0)

    async with listening({"/a": cut}) as evil, door_to({"evil.example": evil}) as door:
        with pytest.raises(Unreachable) as raised:
            await door.get("http://evil.example/a", accept="*/*")
    assert not raised.value.permanent


async def test_a_closed_port_is_unreachable() -> None:
    async with listening() as gone:
        pass
    async with door_to({"gone.example": gone}) as door:
        with pytest.raises(Unreachable):
            await door.get("http://gone.example/", accept="*/*")


pieces = st.sampled_from(
    [
        b"HTTP/1.1 200 X\r\n",
        b"HTTP/1.1 302 X\r\n",
        b"HTTP/1.0 99 X\r\n",
        b"\r\n",
        b"\r\n\r\n",
        b"Content-Length: 5\r\n",
        b"Transfer-Encoding: chunked\r\n",
        b"Content-Encoding: gzip\r\n",
        b"Content-Encoding: deflate\r\n",
        b"Content-Encoding: zstd\r\n",
        b"Location: \xff\r\n",
        b"Location: //[\r\n",
        b"5\r\nhello\r\n",
        b"0\r\n\r\n",
        gzip.compress(b"hello"),
        b"\x00",
    ]
)


@settings(max_examples=60, deadline=None)
@given(st.lists(pieces | st.binary(max_size=8), max_size=8))
async def test_SSRF_16_whatever_bytes_come_only_errors_of_the_wire_are_raised(
    parts: list[bytes],
) -> None:
    async def send(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 X\r\n" * (len(parts) % 2) + b"".join(parts))
        writer.close()
        await asyncio.sleep(0)

    async with listening({"/a": send}) as evil, door_to({"evil.example": evil}) as door:
        with contextlib.suppress(WireError):
            await door.get("http://evil.example/a", accept="*/*", deadline=1)
        said = door.post("http://evil.example/a", body=b"", sign=lambda *_: {}, deadline=1)
        with contextlib.suppress(WireError):
            assert (await said).body[8192:] == b""
