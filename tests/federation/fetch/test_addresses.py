# SPDX-License-Identifier: Apache-2.0
"""No address of the machine, the house or the cloud is met."""

import ipaddress
import socket

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from federation.errors import Forbidden, Unreachable, WireError
from federation.fetch import Door
from federation.fetch.addresses import may_connect
from federation.fetch.resolver import (
    ForbiddenAddress,
    GuardedResolver,
    SystemResolver,
    guarded_socket,
)
from federation.origins import host_of, origin_of, parse_url
from tests.federation.fetch.hostile import Zone, answer, door_to, listening, read


def words(text: str) -> list[str]:
    return text.split()


FORBIDDEN = words(
    """
    0.0.0.0 0.1.2.3 10.0.0.1 100.64.0.1 100.100.100.200 100.127.255.255 127.0.0.1 127.255.255.254
    168.63.129.16 169.254.169.254 172.16.0.1 172.31.255.255 192.0.0.8 192.0.0.192 192.0.2.1
    192.88.99.1 192.168.1.1 198.18.0.1 198.19.255.255 198.51.100.7 203.0.113.9 224.0.0.1
    239.255.255.250 240.0.0.1 255.255.255.255
    :: ::1 ::127.0.0.1 ::ffff:127.0.0.1 ::ffff:8.8.8.8 64:ff9b::7f00:1 64:ff9b::808:808 64:ff9b:1::1
    100::1 2001::1 2001:0:4136:e378:8000:63bf:3fff:fdd2 2001:2::1 2001:10::1 2001:20::1 2001:db8::1
    2002:7f00:1:: 2002:808:808::1 3fff::1 5f00::1 fc00::1 fd00:ec2::254 fe80::1 fe80::1%lo febf::1
    fec0::1 ff02::1 4000::1
    """
)
ORDINARY = words(
    """
    1.1.1.1 9.255.255.255 11.0.0.1 100.63.255.255 100.128.0.1 172.15.255.255 172.32.0.1 192.0.1.1
    192.167.1.1 198.17.255.255 198.20.0.1 223.255.255.255
    2606:4700:4700::1111 2001:200::1 2001:4860:4860::8888 2a00:1450:4001:81b::200e
    """
)
ODD_SPELLINGS = words(
    """
    2130706433 0x7f000001 017700000001 127.1 127.0.1 0177.0.0.1 0x7f.0.0.1 127.0.0.1. 0x7f.1
    [::1] [::ffff:127.0.0.1] [::ffff:7f00:1] [0:0:0:0:0:0:0:1] [fe80::1%25lo] user@127.0.0.1
    good.example@127.0.0.1 127.0.0.1%00.example １２７.0.0.1 127。0。0。1 ①②⑦.0.0.1 localhost
    localhost. [127.0.0.1]
    """
)


@pytest.mark.parametrize("address", FORBIDDEN)
def test_SSRF_04_special_addresses_are_not_connected_to(address: str) -> None:
    assert not may_connect(address)


@pytest.mark.parametrize("address", ORDINARY)
def test_SSRF_04_neighbours_of_special_ranges_are_ordinary(address: str) -> None:
    assert may_connect(address)


@given(st.ip_addresses())
def test_SSRF_04_whatever_the_standard_library_calls_private_is_refused(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> None:
    if address.is_private or address.is_loopback or address.is_multicast or address.is_link_local:
        assert not may_connect(str(address))


@pytest.mark.parametrize("text", ["", "example", "1.2.3", "127.1", "0x7f000001", "1.2.3.4.5"])
def test_what_is_no_address_is_not_connected_to(text: str) -> None:
    assert not may_connect(text)


@pytest.mark.parametrize("host", ["127.0.0.1", "169.254.169.254", "10.0.0.1", *ODD_SPELLINGS])
async def test_SSRF_01_addresses_written_into_urls_are_refused_without_a_connection(
    host: str,
) -> None:
    async with listening() as canary, door_to({}) as door:
        with pytest.raises(Forbidden):
            await door.get(f"https://{host}:{canary.port}/", accept="*/*")
        assert canary.connections == 0


@pytest.mark.parametrize("address", [a for a in FORBIDDEN if "%" not in a])
async def test_SSRF_01_names_that_lead_to_special_addresses_are_refused(address: str) -> None:
    async with listening() as canary, door_to({}, {"evil.example": [address]}) as door:
        with pytest.raises(Forbidden):
            await door.document(f"https://evil.example:{canary.port}/key", sign=None)
        with pytest.raises(Forbidden):
            await door.post(f"https://evil.example:{canary.port}/", body=b"", sign=lambda *_: {})
        assert canary.connections == 0


async def test_only_the_ordinary_addresses_of_a_mixed_answer_are_dialled() -> None:
    zone = Zone({"mixed.example": ["127.0.0.1", "1.1.1.1", "::1", "2606:4700:4700::1111"]})
    found = await GuardedResolver({}, zone).resolve("mixed.example", 443)
    assert [one["host"] for one in found] == ["1.1.1.1", "2606:4700:4700::1111"]


async def test_a_second_and_different_dns_answer_is_checked_like_the_first() -> None:
    hosts = {"rebinding.example": ["1.1.1.1"]}
    guarded = GuardedResolver({}, Zone(hosts))
    assert [one["host"] for one in await guarded.resolve("rebinding.example")] == ["1.1.1.1"]
    hosts["rebinding.example"] = ["127.0.0.1"]
    with pytest.raises(Forbidden):
        await guarded.resolve("rebinding.example")


@pytest.mark.parametrize("addresses", [["127.0.0.1"], ["127.0.0.1", "127.0.0.2"]])
async def test_SSRF_01_the_second_lock_holds_where_the_first_is_missing(
    addresses: list[str],
) -> None:
    connector = aiohttp.TCPConnector(
        resolver=Zone({"evil.example": addresses}), socket_factory=guarded_socket({})
    )
    async with (
        listening() as canary,
        Door(resolve={}, user_agent="Guildhall test", parse=read, connector=connector) as door,
    ):
        with pytest.raises(Forbidden):
            await door.get(f"https://evil.example:{canary.port}/", accept="*/*")
        assert canary.connections == 0


async def test_the_systems_own_look_up_is_guarded() -> None:
    system = SystemResolver()
    found = [one["host"] for one in await system.resolve("localhost", 443)]
    assert found
    assert set(found) <= {"127.0.0.1", "::1"}
    guarded = GuardedResolver({}, system)
    with pytest.raises(Forbidden):
        await guarded.resolve("localhost", 443)
    await guarded.close()


async def test_an_ip_address_may_be_asked_only_where_it_is_named() -> None:
    async with (
        listening({"/a": answer(b"hello")}) as peer,
        Door(
            resolve={"127.0.0.1": ("127.0.0.1", None)}, user_agent="Guildhall test", parse=read
        ) as door,
    ):
        found = await door.get(f"http://127.0.0.1:{peer.port}/a", accept="*/*")
        assert found.body == b"hello"
        with pytest.raises(Forbidden):
            await door.get(f"http://127.0.0.2:{peer.port}/a", accept="*/*")


def test_a_host_cannot_be_named_to_lead_to_what_is_no_address() -> None:
    with pytest.raises(ValueError, match="nowhere"):
        Door(resolve={"vic.example": ("nowhere", None)}, user_agent="Guildhall test", parse=read)


async def test_only_the_named_port_of_a_named_address_is_exempt_from_the_second_lock() -> None:
    make = guarded_socket({"peer.example": ("127.0.0.1", 4101)})
    make((socket.AF_INET, socket.SOCK_STREAM, 0, "", ("127.0.0.1", 4101))).close()
    with pytest.raises(ForbiddenAddress):
        make((socket.AF_INET, socket.SOCK_STREAM, 0, "", ("127.0.0.1", 4102)))


async def test_a_name_without_an_address_is_unreachable() -> None:
    async with door_to({}) as door:
        with pytest.raises(Unreachable):
            await door.get("https://nowhere.example/", accept="*/*")


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "data:application/activity+json,{}",
        "ftp://good.example/a",
        "gopher://good.example:70/1",
        "http://good.example/a",
        "http://good.example:443/a",
        "https://1.1.1.1/",
        "https://[2606:4700:4700::1111]/",
        "http://good.example:8080/a",
        "javascript:alert(1)",
        "//good.example/a",
        "good.example/a",
        "https:/good.example",
        "https:///a",
        "https://good.example:22/",
        "https://good.example:80/",
        "https://good.example:0/",
        "https://good.example:65536/",
        "https://good.example:/",
        "https://good.example:443@other.example/",
        "https://good.example\\@other.example/",
        "https://good.example\r\nHost: x/",
        "https://good .example/",
        "https://gööd.example/",
        "https://\u212aelvin.example/",
        "https://good..example/",
        "https://-good.example/",
        "https://intranet/",
        "https://good.example/" + "a" * 2048,
        "",
    ],
)
async def test_SSRF_07_only_plain_https_urls_are_asked(url: str) -> None:
    zone = {"good.example": ["1.1.1.1"], "other.example": ["1.1.1.1"]}
    async with door_to({}, zone) as door:
        with pytest.raises(Forbidden):
            await door.get(url, accept="*/*", deadline=0.3)


@given(st.text() | st.text("htps:/@[]#?%.\\0x127 é", max_size=40).map("https://".__add__))
def test_reading_a_url_either_works_or_raises_an_error_of_the_wire(text: str) -> None:
    try:
        found = parse_url(text)
    except WireError:
        return
    assert parse_url(found.url) == found
    assert found.url.startswith(found.origin + "/")
    assert origin_of(found.url) == found.origin
    assert found.url.isascii()


@pytest.mark.parametrize(
    ("url", "origin", "sent"),
    [
        ("HTTPS://Good.Example", "https://good.example", "https://good.example/"),
        ("https://good.example:443/a#b", "https://good.example", "https://good.example/a"),
        ("https://a.example:8443?q=1", "https://a.example:8443", "https://a.example:8443/?q=1"),
        ("http://a.localhost:80/%7Eé", "http://a.localhost", "http://a.localhost/%7E%C3%A9"),
        ("http://[::0001]:8000/", "http://[::1]:8000", "http://[::1]:8000/"),
    ],
)
def test_a_url_has_one_form_and_one_origin(url: str, origin: str, sent: str) -> None:
    assert (origin_of(url), parse_url(url).url) == (origin, sent)


def test_a_host_is_told_without_its_port() -> None:
    assert host_of("https://Good.Example:8443/a") == "good.example"
