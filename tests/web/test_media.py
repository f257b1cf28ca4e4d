# SPDX-License-Identifier: Apache-2.0
"""Pictures elsewhere are fetched once, made anew, and served by us."""

import io
import re

import httpx
import pytest
from PIL import Image
from starlette.applications import Starlette

from server import files
from server.instance import Instance
from server.remote_pictures import Pictures
from storage.members import Member
from tests import makers
from tests.clock import TurnableClock
from tests.server.test_pictures import png_header
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


async def test_DOS_06_what_is_no_picture_or_a_bomb_is_not_shown_and_not_asked_for_again(
    app: Starlette,
    client: httpx.AsyncClient,
    instance: Instance,
    clock: TurnableClock,
    admin: Member,
) -> None:
    bomb = "https://evil.example/avatar.png"
    sent = {URL: b"<svg onload=alert(1)>", bomb: png_header(30_000, 30_000)}
    lookup = app.state.lookup = WrittenLookup(pictures=dict(sent))
    for _ in range(2):
        assert (await client.get(Pictures(instance.vault).address(bomb))).status_code == 404
    assert lookup.asked.count(bomb) == 1
    lookup.asked.clear()
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


POLYGLOTS = {
    "SVG": b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>',
    "HTML": b"<!doctype html><script>alert(document.cookie)</script>",
    "PDF": b"%PDF-1.7\n1 0 obj<</OpenAction<</S/JavaScript/JS(app.alert(1))>>>>endobj",
    "GIF and script": b"GIF89a/*" + b"\0" * 32 + b"*/=1;alert(1)//",
    "activity": b'{"@context":"https://www.w3.org/ns/activitystreams","id":"x","type":"Note"}',
}


@pytest.mark.parametrize("kind", [*POLYGLOTS, "PNG and HTML"])
async def test_AUT_19_XSS_07_what_is_uploaded_never_acts_as_a_page(
    client: httpx.AsyncClient, instance: Instance, admin: Member, kind: str
) -> None:
    """A picture is made anew; any other file, however it came here, is only downloaded."""
    upload = POLYGLOTS.get(kind) or png() + b"<script>alert(1)</script>"
    await makers.sign_in(client, instance, admin)
    found = re.search(r'name="csrf" value="([^"]+)"', (await client.get("/me")).text)
    assert found is not None
    fields = {"csrf": found[1], "name": "Sam", "role_title": "", "bio": ""}
    answer = await client.post("/me", data=fields, files={"avatar": ("a.png", upload, "image/png")})
    assert answer.status_code == (303 if kind.startswith("PNG") else 422)
    shown = re.findall(r'"(/media/[0-9a-f]{64})"', (await client.get("/u/sam")).text)
    assert bool(shown) is kind.startswith("PNG")
    for path in shown:
        served = await client.get(path)
        assert served.headers["content-type"] == "image/webp"
        assert b"script" not in served.content
    for claimed in ("text/html", "image/svg+xml", "application/pdf", "application/activity+json"):
        new = await instance.files.write(upload + claimed.encode(), claimed)
        async with instance.transaction() as tx:
            await files.keep(tx, new)
        # What no member shows is nobody's to have here, and what one shows is inert all the same.
        assert (await client.get(f"/media/{new.sha256}")).status_code == 404
        async with instance.transaction() as tx:
            (await tx.session.get_one(Member, admin.id)).avatar_file = new.sha256
        for accept in ("text/html", "application/activity+json", "*/*"):
            served = await client.get(f"/media/{new.sha256}", headers={"Accept": accept})
            assert served.status_code == 200
            assert served.headers["content-type"] == "application/octet-stream"
            assert served.headers["content-disposition"].startswith("attachment")
            assert "sandbox" in served.headers["content-security-policy"]
            assert served.headers["x-content-type-options"] == "nosniff"


async def test_DOS_05_ranges_of_a_stored_file_are_not_looked_at(
    client: httpx.AsyncClient, instance: Instance, admin: Member
) -> None:
    new = await instance.files.write(png(), "image/png")
    async with instance.transaction() as tx:
        await files.keep(tx, new)
        (await tx.session.get_one(Member, admin.id)).avatar_file = new.sha256
    many = "bytes=" + ",".join(f"{n}-{n}" for n in range(0, 200_000, 2))
    for asked in (many, "bytes=0-,0-,0-", "bytes=0-0", "bytes=-1"):
        answer = await client.get(f"/media/{new.sha256}", headers={"Range": asked})
        assert (answer.status_code, answer.content) == (200, png())
