# SPDX-License-Identifier: Apache-2.0
"""Pictures elsewhere are fetched once, made anew, and served by us."""

import io

import httpx
from PIL import Image
from starlette.applications import Starlette

from server.instance import Instance
from server.remote_pictures import Pictures
from storage.members import Member
from tests.clock import TurnableClock
from tests.web.lookups import WrittenLookup

URL = "https://lakeside.example.gov/media/plan.png"


def png(width: int = 40, height: int = 20) -> bytes:
    written = io.BytesIO()
    Image.new("RGB", (width, height), (20, 71, 138)).save(written, "PNG")
    return written.getvalue()


async def test_a_picture_elsewhere_is_fetched_once_and_made_anew(
    app: Starlette, client: httpx.AsyncClient, instance: Instance, admin: Member
) -> None:
    lookup = app.state.lookup = WrittenLookup(pictures={URL: png(4_000, 1_000)})
    address = Pictures(instance.vault).address(URL)
    first, second = await client.get(address), await client.get(address)
    assert first.status_code == second.status_code == 200
    assert first.headers["content-type"] == "image/webp"
    assert first.content == second.content
    with Image.open(io.BytesIO(first.content)) as shown:
        assert (shown.format, shown.size) == ("WEBP", (1_600, 400))
    assert lookup.asked == [URL]
    assert "sandbox" in first.headers["content-security-policy"]


async def test_what_is_no_picture_is_not_shown_and_not_asked_for_again(
    app: Starlette,
    client: httpx.AsyncClient,
    instance: Instance,
    clock: TurnableClock,
    admin: Member,
) -> None:
    lookup = app.state.lookup = WrittenLookup(pictures={URL: b"<svg onload=alert(1)>"})
    address = Pictures(instance.vault).address(URL)
    assert (await client.get(address)).status_code == 404
    assert (await client.get(address)).status_code == 404
    assert lookup.asked == [URL]
    clock.turn(hours=7)
    lookup.pictures[URL] = png()
    assert (await client.get(address)).status_code == 200


async def test_SSRF_13_an_address_that_we_did_not_make_fetches_nothing(
    app: Starlette, client: httpx.AsyncClient, instance: Instance, admin: Member
) -> None:
    lookup = app.state.lookup = WrittenLookup(pictures={URL: png()})
    address = Pictures(instance.vault).address(URL)
    for forged in (
        address[:-1],
        address + "A",
        address.replace("/media/remote/", "/media/remote/0"),
    ):
        assert (await client.get(forged)).status_code == 404
    assert lookup.asked == []
