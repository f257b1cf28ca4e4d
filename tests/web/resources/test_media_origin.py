# SPDX-License-Identifier: Apache-2.0
"""Files and pictures from an origin of their own, which knows nobody."""

import re
from urllib.parse import quote

import httpx
import pytest
from starlette.applications import Starlette

from server.instance import Instance
from server.settings import Settings
from storage.members import Member
from storage.posts import Post
from tests import makers
from tests.clock import TurnableClock
from tests.server.hub import bench
from tests.web.resources.test_hub import BROWSER, photo
from tests.web.test_media import png

MEDIA = "https://media.riverton.example.gov"
INERT = {
    "content-security-policy": "default-src 'none'; sandbox",
    "x-content-type-options": "nosniff",
}


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Riverton, with an origin for media."""
    return settings.model_copy(update={"media_origin": MEDIA})


async def test_XSS_07_media_come_from_an_origin_of_their_own(
    app: Starlette,
    client: httpx.AsyncClient,
    instance: Instance,
    clock: TurnableClock,
    admin: Member,
) -> None:
    staff = await makers.forum(instance, admin, "staff", visibility="instance")
    post = await bench.shared(instance, admin, staff, {"plan 1.csv": bench.CSV, "a.jpg": photo()})
    await makers.sign_in(client, instance, admin)
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app=app), base_url=MEDIA, headers=BROWSER
    ) as elsewhere:
        await signed(client, elsewhere, post, clock)
        await pictures_shown(client, elsewhere)
        # Nothing else of us is there, and nobody is known.
        for path in ("/", "/sign-in", f"/p/{post.id}", "/u/sam", "/static/app.js"):
            answer = await elsewhere.get(path)
            assert (answer.status_code, answer.text) == (404, "Only pictures and files are here.")
        assert "set-cookie" not in answer.headers


async def signed(
    client: httpx.AsyncClient, elsewhere: httpx.AsyncClient, post: Post, clock: TurnableClock
) -> None:
    """Who may have a file is asked at home; the address that is given then runs out."""
    path = f"/p/{post.id}/files/1/0/plan%201.csv"
    assert (await elsewhere.get(path)).status_code == 404
    led = await client.get(path, headers=BROWSER)
    assert (led.status_code, led.headers["cache-control"]) == (303, "no-store")
    address = led.headers["location"]
    assert address.startswith(f"{MEDIA}/media/files/")
    got = await elsewhere.get(address)
    assert (got.status_code, got.content) == (200, bench.CSV)
    assert "plan 1.csv" in got.headers["content-disposition"]
    assert got.headers["content-disposition"].startswith("attachment")
    assert got.headers.items() >= INERT.items()
    seen = await client.get(f"/p/{post.id}/preview/1/1")
    picture = await elsewhere.get(seen.headers["location"])
    assert picture.headers["content-type"] == "image/webp"
    assert picture.headers.items() >= INERT.items()
    sha256 = got.headers["x-checksum-sha256"]
    until = address.split("/")[5]
    for forged in (
        address.replace(until, str(int(until) + 300)),
        address.replace("plan%201", "other"),
        address.replace(sha256, "0" * 64),
        address.replace(until, "9" * 30),
        address.replace("/media/files/", "/media/shown/").rpartition("/")[0],
        f"{MEDIA}/media/{sha256}",
        f"{MEDIA}/media/files/{until}/{'ä' * 40}/{sha256}/{quote('plan 1.csv')}",
    ):
        assert (await elsewhere.get(forged)).status_code == 404
    clock.turn(minutes=16)
    late = await elsewhere.get(address)
    assert late.status_code == 404
    assert "has run out" in late.text


async def pictures_shown(client: httpx.AsyncClient, elsewhere: httpx.AsyncClient) -> None:
    """Pages and apps show pictures from there, and are let to."""
    fields = {"csrf": await makers.form_token(client), "name": "Sam", "role_title": "", "bio": ""}
    await client.post("/me", data=fields, files={"avatar": ("a.png", png(), "image/png")})
    page = await client.get("/u/sam")
    assert f"img-src 'self' {MEDIA};" in page.headers["content-security-policy"]
    found = re.findall(rf'src="({MEDIA}/media/[0-9a-f]{{64}})"', page.text)
    assert found
    assert 'src="/media/' not in page.text
    assert (await elsewhere.get(found[0])).headers["content-type"] == "image/webp"
    account = (await client.get("/api/v1/accounts/lookup?acct=sam")).json()
    assert account["avatar"] == found[0]


@pytest.mark.parametrize(
    ("media", "words"),
    [
        ("https://commons.riverton.example.gov:8443", "host of its own"),
        ("http://media.riverton.example.gov", "must be https"),
    ],
)
def test_an_origin_of_media_that_protects_nothing_is_refused(
    settings: Settings, media: str, words: str
) -> None:
    given = settings.model_dump() | {
        "origin": "https://commons.riverton.example.gov", "media_origin": media,
    }  # fmt: skip
    with pytest.raises(ValueError, match=words):
        Settings(**given)
