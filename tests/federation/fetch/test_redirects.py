# SPDX-License-Identifier: Apache-2.0
"""Redirects, followed by hand and checked at every hop."""

import pytest

from federation.errors import BadAnswer, Forbidden
from tests.federation.fetch.hostile import (
    answer,
    door_to,
    listening,
    redirect,
)


@pytest.mark.parametrize("target", ["https://127.0.0.1:{}/", "https://private.example:{}/"])
async def test_SSRF_02_a_redirect_to_a_private_address_is_stopped(target: str) -> None:
    async with listening() as canary:
        routes = {"/a": redirect(target.format(canary.port))}
        async with (
            listening(routes) as evil,
            door_to({"evil.example": evil}, {"private.example": ["127.0.0.1"]}) as door,
        ):
            with pytest.raises(Forbidden):
                await door.get("http://evil.example/a", accept="*/*")
        assert canary.connections == 0


@pytest.mark.parametrize(
    "location",
    [
        "file:///etc/passwd",
        "data:,x",
        "gopher://x.example/",
        "http://other.example/",
        "https://x.example:22/",
        "//[",
        "https://é.example/",
        "\\\\other.example",
    ],
)
async def test_SSRF_07_a_redirect_to_another_scheme_is_stopped(location: str) -> None:
    async with (
        listening({"/a": redirect(location)}) as evil,
        door_to({"evil.example": evil}) as door,
    ):
        with pytest.raises(Forbidden):
            await door.get("http://evil.example/a", accept="*/*")


async def test_SSRF_14_a_chain_of_redirects_ends_after_three_hops() -> None:
    routes = {f"/{n}": redirect(f"/{n + 1}") for n in range(30)}
    routes["/loop"] = redirect("/loop")
    async with listening(routes) as evil, door_to({"evil.example": evil}) as door:
        with pytest.raises(BadAnswer):
            await door.get("http://evil.example/0", accept="*/*")
        assert [one.target for one in evil.requests] == ["/0", "/1", "/2", "/3"]
        with pytest.raises(BadAnswer):
            await door.get("http://evil.example/loop", accept="*/*")
        assert len(evil.requests) == 8


async def test_every_hop_is_signed_anew_and_headers_stay_with_the_first_origin() -> None:
    signed: list[tuple[str, str, bytes | None]] = []

    async def sign(method: str, url: str, body: bytes | None) -> dict[str, str]:
        signed.append((method, url, body))
        return {"Signature": f"of {url}"}

    async with (
        listening({"/b": answer(b"hello")}) as vic,
        listening({"/a": redirect("http://vic.example/b")}) as first,
        door_to({"vic.example": vic, "first.example": first}) as door,
    ):
        found = await door.get(
            "http://first.example/a", accept="*/*", sign=sign, headers={"X-Own": "1"}
        )
    assert found.url == "http://vic.example/b"
    assert signed == [
        ("GET", "http://first.example/a", None),
        ("GET", "http://vic.example/b", None),
    ]
    assert vic.requests[0].headers["signature"] == "of http://vic.example/b"
    assert "x-own" in first.requests[0].headers
    assert "x-own" not in vic.requests[0].headers
