# SPDX-License-Identifier: Apache-2.0
"""People's pages, and the pictures on them."""

import io
import re

import httpx
import pytest
from PIL import Image

from server.instance import Instance
from storage.members import Member
from tests import makers


async def test_a_profile_is_changed_and_seen(
    client: httpx.AsyncClient, instance: Instance, admin: Member
) -> None:
    ana = await makers.member(instance)
    place = await makers.forum(instance, admin)
    await makers.thread(instance, ana, place, "How do you measure permit time?")
    await makers.sign_in(client, instance, ana)
    await makers.submit(
        client, "/me", name="Ana M. Ruiz", role_title="lead analyst", bio="I count **days**."
    )
    page = await client.get("/u/ana")
    assert page.status_code == 200
    for shown in ("Ana M. Ruiz", "lead analyst · City of Riverton", "<strong>days</strong>"):
        assert shown in page.text
    assert "How do you measure permit time?" in page.text
    assert "@ana@riverton.localhost:8000" in page.text
    wrong = await makers.submit(client, "/me", name=" ", role_title="boss", bio="kept")
    assert wrong.status_code == 422
    assert 'value="boss"' in wrong.text
    assert "kept</textarea>" in wrong.text


@pytest.mark.usefixtures("admin")
async def test_a_person_of_another_agency_is_shown_with_it(
    client: httpx.AsyncClient, instance: Instance
) -> None:
    await makers.person_elsewhere(instance)
    page = await client.get(f"/u/marek@{makers.LAKESIDE}")
    assert "permit manager · City of Lakeside" in page.text
    assert (await client.get("/u/marek")).status_code == 404
    assert (await client.get("/u/nobody@nowhere.example")).status_code == 404
    assert (await client.get("/u/sam")).status_code == 200
    assert (await client.get("/u/sam@riverton.localhost:8000")).status_code == 200
    assert (await client.get("/u/sam@")).status_code == 404


async def upload(client: httpx.AsyncClient, content: bytes) -> httpx.Response:
    page = await client.get("/me")
    found = re.search(r'name="csrf" value="([^"]+)"', page.text)
    assert found is not None
    fields = {"csrf": found[1], "name": "Ana Ruiz", "role_title": "", "bio": "typed"}
    return await client.post("/me", data=fields, files={"avatar": ("me.png", content, "image/png")})


@pytest.mark.usefixtures("admin")
async def test_a_picture_is_shown_and_taken_down(
    client: httpx.AsyncClient, instance: Instance
) -> None:
    ana = await makers.member(instance)
    await makers.sign_in(client, instance, ana)
    sent = io.BytesIO()
    Image.new("RGB", (300, 200), "teal").save(sent, "PNG")
    assert (await upload(client, sent.getvalue())).status_code == 303
    page = await client.get("/u/ana")
    found = re.search(r'src="(/media/[0-9a-f]{64})"', page.text)
    assert found is not None
    media = await client.get(found[1])
    assert media.headers["content-type"] == "image/webp"
    assert media.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in media.headers["content-security-policy"]
    assert "immutable" in media.headers["cache-control"]
    assert "content-disposition" not in media.headers
    unchanged = await client.get(found[1], headers={"If-None-Match": media.headers["etag"]})
    assert unchanged.status_code == 304
    await makers.submit(client, "/me", name="Ana Ruiz", remove_avatar="yes")
    assert (await client.get(found[1])).status_code == 404
    assert "/media/" not in (await client.get("/u/ana")).text


@pytest.mark.usefixtures("admin")
async def test_what_is_no_picture_is_refused_beside_its_field(
    client: httpx.AsyncClient, instance: Instance
) -> None:
    ana = await makers.member(instance)
    await makers.sign_in(client, instance, ana)
    answer = await upload(client, b"<svg onload='alert(1)'/>")
    assert answer.status_code == 422
    assert 'id="f-avatar-fault"' in answer.text
    assert "typed</textarea>" in answer.text
    for megabytes in (5, 7):
        large = await upload(client, b"\x89PNG" + b"\0" * (megabytes * 1024 * 1024))
        assert large.status_code == 422
        assert "over 5 MB" in large.text
        assert 'id="f-avatar-fault"' in large.text
        assert "typed</textarea>" in large.text
    assert (await upload(client, b"\0" * (9 * 1024 * 1024))).status_code == 413


@pytest.mark.parametrize(
    "name", ["../../../master.key", "..%2f..%2f..%2fmaster.key", "0" * 64, "0" * 63, "%00"]
)
@pytest.mark.usefixtures("admin")
async def test_no_other_file_is_served(client: httpx.AsyncClient, name: str) -> None:
    assert (await client.get(f"/media/{name}")).status_code == 404
