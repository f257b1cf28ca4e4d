# SPDX-License-Identifier: Apache-2.0
"""Deliveries reach exactly one server, and tell what it said."""

import asyncio
import datetime
import ssl
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from federation.errors import BadAnswer, Forbidden, Unreachable
from federation.fetch import Door
from federation.fetch.lines import Lines
from federation.fetch.resolver import GuardedResolver
from federation.origins import parse_url
from tests.federation.fetch.hostile import Zone, answer, door_to, listening, read, redirect


def sign(method: str, url: str, body: bytes | None) -> dict[str, str]:
    return {"Signature": f"{method} {url} {len(body or b'')}"}


async def test_a_delivery_carries_body_type_and_signature() -> None:
    async with (
        listening({"/inbox": answer(b"thanks", status=202)}) as vic,
        door_to({"vic.example": vic}) as door,
    ):
        said = await door.post("http://vic.example/inbox", body=b"{}", sign=sign)
    assert (said.status, said.body, said.url) == (202, b"thanks", "http://vic.example/inbox")
    request = vic.requests[0]
    assert (request.method, request.body) == ("POST", b"{}")
    assert request.headers["content-type"] == "application/activity+json"
    assert request.headers["signature"] == "POST http://vic.example/inbox 2"


@pytest.mark.parametrize("status", [200, 301, 400, 401, 410, 429, 500, 503])
async def test_any_status_is_returned_for_the_caller_to_judge(status: int) -> None:
    async with (
        listening({"/inbox": answer(b"", status=status)}) as vic,
        door_to({"vic.example": vic}) as door,
    ):
        said = await door.post("http://vic.example/inbox", body=b"{}", sign=sign)
    assert said.status == status


async def test_a_delivery_follows_no_redirect() -> None:
    async with listening() as canary:
        async with (
            listening({"/inbox": redirect(f"http://canary.example:{canary.port}/")}) as evil,
            door_to({"evil.example": evil, "canary.example": canary}) as door,
        ):
            said = await door.post("http://evil.example/inbox", body=b"{}", sign=sign)
        assert said.status == 302
        assert canary.connections == 0


@pytest.mark.parametrize("url", ["http://other.example/inbox", "https://127.0.0.1:8443/inbox"])
async def test_SSRF_07_a_delivery_to_a_forbidden_address_is_stopped(url: str) -> None:
    async with door_to({}, {"other.example": ["1.1.1.1"]}) as door:
        with pytest.raises(Forbidden):
            await door.post(url, body=b"{}", sign=sign)


async def test_of_a_long_answer_the_beginning_is_kept() -> None:
    async with (
        listening({"/inbox": answer(b"a" * 5_000_000)}) as vic,
        door_to({"vic.example": vic}) as door,
    ):
        said = await door.post("http://vic.example/inbox", body=b"{}", sign=sign)
    assert said.body == b"a" * 8192


async def test_deliveries_to_a_host_share_a_connection_as_long_as_it_answers_as_asked() -> None:
    async with (
        listening({"/inbox": answer(b"ok", status=202)}) as vic,
        door_to({"vic.example": vic}) as door,
    ):

        async def posted(reply: bytes) -> tuple[int, bytes, int]:
            vic.routes["/inbox"] = reply
            said = await door.post("http://vic.example/inbox", body=b"{}", sign=sign)
            return said.status, said.body, vic.connections

        early = b"HTTP/1.1 103 Early\r\nLink: </a>\r\n\r\n"
        chunks = b"HTTP/1.1 202 X\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\nT: 1\r\n\r\n"
        assert await posted(answer(b"", status=204)) == (204, b"", 1)
        assert await posted(early + answer(b"late")) == (200, b"late", 1)
        assert await posted(chunks) == (202, b"ab", 1)
        assert await posted(answer(b"x", Content_Encoding="gzip")) == (200, b"", 1)
        # From here on none of these is asked for anything more.
        assert await posted(answer(b"one") + answer(b"two")) == (200, b"one", 1)
        assert await posted(answer(b"", Connection="close")) == (200, b"", 2)
        assert await posted(b"HTTP/1.1 202 X\r\nContent-Length: 9\r\n\r\n" + b"b" * 9_000) == (
            202,
            b"b" * 9,
            3,
        )
        assert await posted(answer(b"a" * 70_000)) == (200, b"a" * 8192, 4)
        assert await posted(answer(b"done")) == (200, b"done", 5)


async def test_a_delivery_asks_for_what_was_signed_and_nothing_else() -> None:
    def broken(method: str, url: str, body: bytes | None) -> dict[str, str]:
        return {"Signature": "x\r\nHost: other.example"}

    def doubled(method: str, url: str, body: bytes | None) -> dict[str, str]:
        return {"host": "other.example", "Content-Length": "7", "Retry-Count": "1"}

    async with listening({"/inbox?a=1": answer(b"")}) as vic, door_to({"vic.example": vic}) as door:
        with pytest.raises(ValueError, match="line break"):
            await door.post("http://vic.example/inbox", body=b"{}", sign=broken)
        await door.post("http://vic.example:8080/inbox?a=1#b", body=b"{}", sign=doubled)
    (request,) = vic.requests
    assert request.target == "/inbox?a=1"
    assert (request.headers["host"], request.headers["content-length"]) == ("vic.example:8080", "2")
    assert (request.headers["retry-count"], request.body) == ("1", b"{}")


async def test_a_header_said_twice_is_one_value_and_case_does_not_matter() -> None:
    async with (
        listening({"/inbox": answer(b"", status=429, retry_after="7", a="1", A="2")}) as vic,
        door_to({"vic.example": vic}) as door,
    ):
        said = await door.post("http://vic.example/inbox", body=b"{}", sign=sign)
    assert (said.headers["Retry-After"], said.headers["a"]) == ("7", "1, 2")


async def test_SSRF_01_the_second_lock_holds_for_deliveries_too() -> None:
    async with listening() as canary:
        look_up = Zone({"evil.example": ["127.0.0.1", "127.0.0.2"]})
        lines = Lines({}, look_up, user_agent="Guildhall test", per_host=2)
        target = parse_url(f"https://evil.example:{canary.port}/inbox")
        end = asyncio.get_running_loop().time() + 5
        with pytest.raises(Forbidden):
            await lines.post(target, {}, "text/plain", b"", end)
        await lines.close()
        with pytest.raises(Unreachable):
            await lines.post(target, {}, "text/plain", b"", end)
        assert canary.connections == 0


async def test_to_one_host_so_many_at_once_and_who_waits_too_long_gives_up() -> None:
    async with listening() as vic:
        named: dict[str, tuple[str, int | None]] = {"vic.example": ("127.0.0.1", vic.port)}
        zone = Zone({})
        lines = Lines(named, GuardedResolver(named, zone), user_agent="Test", per_host=2)
        let_go = asyncio.Event()

        async def hold(writer: asyncio.StreamWriter) -> None:
            await let_go.wait()
            writer.write(answer(b"", status=202))

        vic.routes["/inbox"] = hold
        target = parse_url("http://vic.example/inbox")
        now = asyncio.get_running_loop().time()
        first = [
            asyncio.create_task(lines.post(target, {}, "text/plain", b"", now + 30))
            for _ in range(2)
        ]
        await asyncio.gather(*[asyncio.sleep(0) for _ in range(2)])
        with pytest.raises(TimeoutError):
            await lines.post(target, {}, "text/plain", b"", now + 0.2)
        let_go.set()
        assert [said.status for said in await asyncio.gather(*first)] == [202, 202]
        assert vic.connections == 2
        await lines.close()


async def test_a_status_counts_though_its_body_never_comes() -> None:
    async def hang(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 202 X\r\nContent-Length: 100\r\n\r\nabc")
        await writer.drain()
        await asyncio.sleep(1800)

    async with (
        listening({"/inbox": hang}) as vic,
        door_to({"vic.example": vic}) as door,
        asyncio.timeout(60),
    ):
        said = await door.post("http://vic.example/inbox", body=b"", sign=sign, deadline=0.3)
    assert (said.status, said.body) == (202, b"abc")


async def test_SSRF_15_a_delivery_without_an_answer_ends_at_the_deadline() -> None:
    async def hang(writer: asyncio.StreamWriter) -> None:
        await writer.drain()
        await asyncio.sleep(5)

    async with listening({"/inbox": hang}) as evil, door_to({"evil.example": evil}) as door:
        with pytest.raises(Unreachable):
            await door.post("http://evil.example/inbox", body=b"", sign=sign, deadline=0.3)


async def test_a_kept_connection_closed_by_the_peer_costs_no_delivery() -> None:
    async def answer_and_close(writer: asyncio.StreamWriter) -> None:
        if len(vic.requests) % 2 == 1:
            writer.write(answer(b"", status=202))
        else:
            writer.close()
        await asyncio.sleep(0)

    async with (
        listening({"/inbox": answer_and_close}) as vic,
        door_to({"vic.example": vic}) as door,
    ):
        for _ in range(3):
            said = await door.post("http://vic.example/inbox", body=b"{}", sign=sign)
            assert said.status == 202


async def test_a_peer_that_always_closes_is_unreachable() -> None:
    async def close(writer: asyncio.StreamWriter) -> None:
        writer.close()
        await asyncio.sleep(0)

    async with listening({"/inbox": close}) as evil, door_to({"evil.example": evil}) as door:
        with pytest.raises(Unreachable):
            await door.post("http://evil.example/inbox", body=b"{}", sign=sign)
    assert len(evil.requests) == 2


async def test_an_answer_that_is_no_http_is_a_bad_answer() -> None:
    async with (
        listening({"/inbox": b"220 smtp ready\r\n\r\n"}) as evil,
        door_to({"evil.example": evil}) as door,
    ):
        with pytest.raises(BadAnswer):
            await door.post("http://evil.example/inbox", body=b"{}", sign=sign)


def certificate(folder: Path, host: str) -> tuple[Path, ssl.SSLContext]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = made.public_bytes(serialization.Encoding.PEM)
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    chain, both = folder / "ca.pem", folder / "server.pem"
    chain.write_bytes(pem)
    both.write_bytes(pem + private)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(both)
    return chain, context


async def test_https_is_believed_by_its_certificate_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chain, context = certificate(tmp_path, "vic.example")
    async with listening({"/inbox": answer(b"", status=202)}, context) as vic:
        place = ("127.0.0.1", vic.port)
        named: dict[str, tuple[str, int | None]] = {"vic.example": place, "evil.example": place}
        stranger = Door(resolve=named, user_agent="Guildhall test", parse=read)
        with pytest.raises(Unreachable):
            await stranger.post("https://vic.example/inbox", body=b"{}", sign=sign)
        await stranger.close()
        monkeypatch.setenv("SSL_CERT_FILE", str(chain))
        door = Door(resolve=named, user_agent="Guildhall test", parse=read)
        said = await door.post("https://vic.example/inbox", body=b"{}", sign=sign)
        assert said.status == 202
        with pytest.raises(Unreachable):
            await door.post("https://evil.example/inbox", body=b"{}", sign=sign)
        await door.close()
    assert len(vic.requests) == 1
    assert vic.requests[0].headers["host"] == "vic.example"
