# SPDX-License-Identifier: Apache-2.0
"""Sharing a resource by the form: what is kept, refused, served and counted."""

import hashlib
import io
import re

import httpx
import pytest
from PIL import Image
from PIL.ExifTags import IFD, Base
from starlette.applications import Starlette

from server.instance import Instance
from server.resources import drafts, publiccode
from server.settings import Settings
from storage.forums import Forum
from storage.members import Member
from storage.practices import Practice
from storage.resources import Resource
from tests import makers
from tests.clock import TurnableClock
from tests.server.hub import bench
from tests.server.library.bench import published
from tests.server.resources.test_publiccode import MEDUSA
from tests.web.page import Page

BROWSER = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0"}
TYPED = {
    "name": "Unified data platform",
    "summary": "A plan for one platform.",
    "description": "Fill in the **registers** first.",
    "kind": "template",
    "license": "CC-BY-4.0",
    "tags": "data",
}


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Riverton, with little room for files."""
    small = {"upload_size": 1, "upload_quota": 2}
    return Settings(**settings.model_dump() | small)


@pytest.fixture
async def forum(instance: Instance, admin: Member) -> Forum:
    return await makers.forum(instance, admin)


async def draft(client: httpx.AsyncClient, instance: Instance, person: Member) -> str:
    """The path of a new draft."""
    await makers.sign_in(client, instance, person)
    begun = await makers.submit(client, "/resources/new", kind="template", name="Half")
    path: str = begun.headers["location"]
    return path


def photo() -> bytes:
    """A JPEG that says where and with what it was taken."""
    exif = Image.Exif()
    exif[Base.Make] = "Camera 7"
    exif.get_ifd(IFD.GPSInfo).update({1: "N", 2: (48.0, 8.0, 14.0), 3: "E", 4: (11.0, 34.0, 31.0)})
    written = io.BytesIO()
    Image.linear_gradient("L").convert("RGB").save(written, "JPEG", exif=exif)
    return written.getvalue()


async def test_what_was_typed_and_sent_stays_when_a_file_is_refused(
    client: httpx.AsyncClient, instance: Instance, admin: Member, forum: Forum
) -> None:
    path = await draft(client, instance, admin)
    files = {"plan.csv": bench.CSV, "plan.png": b"<html><script>alert(1)</script>"}
    refused = await makers.upload(client, path, files, action="upload", **TYPED)
    page = Page(refused)
    assert page.status == 422
    assert "holds HTML" in page.main
    assert page.one("input", id="f-upload").get("aria-invalid") == "true"
    assert page.value("name") == TYPED["name"]
    # The good one before it is in the draft already, and what was typed as well.
    again = Page(await client.get(path))
    assert "plan.csv" in again.main
    assert "plan.png" not in again.main
    assert again.value("summary") == TYPED["summary"]

    large = await makers.upload(client, path, {"b.txt": b"x" * 1_500_000}, action="upload", **TYPED)
    assert large.status_code == 422
    assert "over 1 MB" in large.text
    assert "plan.csv" in large.text
    endless = await makers.upload(client, path, {"c.txt": b"x" * 5_000_000}, action="upload")
    assert endless.status_code == 413
    for name in ("one.txt", "two.txt", "three.txt"):
        full = await makers.upload(
            client, path, {name: name.encode() * 90_000}, action="upload", **TYPED
        )
    assert full.status_code == 422
    assert "at most 2.0 MB" in full.text

    nothing = await makers.submit(client, path, action="publish", forum="", name="", summary="")
    faults = Page(nothing)
    assert faults.status == 422
    assert faults.one("input", id="f-name").get("aria-invalid") == "true"
    done = await makers.submit(client, path, action="publish", forum=str(forum.id), **TYPED)
    assert done.status_code == 303, done.text
    assert (await client.get(path)).status_code == 404
    # Of each file it is said whether everybody can use it, and that nobody has looked as well.
    shown = (await client.get(done.headers["location"])).text
    assert shown.count("Not checked yet for use with a screen reader") == shown.count("SHA-256 ")


async def test_WEB_07_of_a_photo_only_what_can_be_seen_is_kept(
    app: Starlette, client: httpx.AsyncClient, instance: Instance, admin: Member, forum: Forum
) -> None:
    path = await draft(client, instance, admin)
    assert b"Camera 7" in photo()
    sent = {"place.jpg": photo(), "page.html": b"<!doctype html><script>alert(1)</script>"}
    added = await makers.upload(client, path, sent, action="upload", **TYPED)
    assert added.status_code == 303, added.text
    assert "data on place and camera are gone" in (await client.get(path)).text
    done = await makers.submit(client, path, action="publish", forum=str(forum.id), **TYPED)
    found = re.findall(
        r'href="(/p/\d+/files/1/\d/[^"]+)"', (await client.get(done.headers["location"])).text
    )
    assert len(found) == 2
    async with makers.browser(app) as visitor:
        picture, page = [await visitor.get(one) for one in found]
    with Image.open(io.BytesIO(picture.content)) as seen:
        assert seen.format == "JPEG"
        assert not seen.getexif()
    # Whatever it is, and whatever is asked for, nothing acts as a page or an activity of ours.
    assert page.headers["content-type"] == "application/octet-stream"
    for served in (picture, page):
        assert served.headers["content-disposition"].startswith("attachment")
        assert "sandbox" in served.headers["content-security-policy"]
        assert served.headers["x-content-type-options"] == "nosniff"


async def test_a_draft_is_its_owners_alone(
    app: Starlette, client: httpx.AsyncClient, instance: Instance, admin: Member, forum: Forum
) -> None:
    ana = await makers.member(instance)
    number = await bench.begun(instance, ana, forum)
    path = f"/resources/drafts/{number}"
    await makers.sign_in(client, instance, admin)
    assert (await client.get(path)).status_code == 404
    for fields in ({"action": "publish"}, {"action": "save", "name": "Mine now"}):
        assert (await makers.submit(client, path, **fields)).status_code == 404
    assert (await makers.submit(client, f"{path}/discard")).status_code == 404
    async with instance.reading() as session:
        assert len((await drafts.opened(session, ana, number)).uploads) == 1
    async with makers.browser(app) as visitor:
        assert (await visitor.get(path)).status_code == 303


async def test_downloads_are_counted_once_a_day_and_nobody_is_remembered(
    app: Starlette,
    client: httpx.AsyncClient,
    instance: Instance,
    clock: TurnableClock,
    admin: Member,
    forum: Forum,
) -> None:
    post = await bench.shared(instance, admin, forum)
    path = f"/p/{post.id}/files/1/0/plan.csv"
    robot = {"User-Agent": "ExampleBot/2.0"}
    for headers in (BROWSER, BROWSER, robot, {"User-Agent": ""}):
        got = await client.get(path, headers=headers)
        assert (got.status_code, got.content) == (200, bench.CSV)
    held = {**BROWSER, "If-None-Match": got.headers["etag"]}
    assert (await client.get(path, headers=held)).status_code == 304
    assert "Downloaded 1 time here" in (await client.get(f"/p/{post.id}")).text
    clock.turn(hours=25)
    await client.get(path, headers=BROWSER)
    assert "Downloaded 2 times here" in (await client.get(f"/p/{post.id}")).text
    for wrong in ("/files/1/1/x", "/files/2/0/x", "/files/x/0/x", f"/files/{'9' * 19}/0/x"):
        assert (await client.get(f"/p/{post.id}{wrong}")).status_code == 404


async def test_of_a_deleted_resource_no_byte_is_left_but_of_what_others_share(
    client: httpx.AsyncClient, instance: Instance, admin: Member, forum: Forum
) -> None:
    files = {"plan.csv": bench.CSV, "only.txt": b"only here"}
    first = await bench.shared(instance, admin, forum, files)
    second = await bench.shared(instance, admin, forum)
    await makers.sign_in(client, instance, admin)
    gone = await makers.submit(client, f"/p/{first.id}/delete")
    assert gone.status_code == 303
    assert (await client.get(f"/p/{first.id}/files/1/0/plan.csv")).status_code == 404
    assert (await client.get(f"/p/{second.id}/files/1/0/plan.csv")).content == bench.CSV
    lying = [one.read_bytes() for one in instance.settings.state.rglob("*") if one.is_file()]
    assert bench.CSV in lying
    assert b"only here" not in lying


async def test_a_licence_that_does_not_go_with_the_sources_is_told_while_writing(
    client: httpx.AsyncClient, instance: Instance, admin: Member, forum: Forum
) -> None:
    source = await bench.shared(instance, admin, forum, said={"license": "CC-BY-SA-4.0"})
    await makers.sign_in(client, instance, admin)
    begun = await makers.submit(client, f"/p/{source.id}/resource/adapt")
    path = begun.headers["location"]
    await makers.submit(client, path, action="save", **{**TYPED, "license": "CC-BY-4.0"})
    assert "adaptations stay under" in (await client.get(path)).text
    other = {**TYPED, "license": "other", "licenseOther": "not a licence!"}
    wrong = await makers.submit(client, path, action="publish", forum=str(forum.id), **other)
    page = Page(wrong)
    assert page.status == 422
    assert page.value("licenseOther") == "not a licence!"
    assert page.one("input", id="f-licenseOther").get("aria-invalid") == "true"


async def test_other_portals_can_harvest_what_is_shared(
    client: httpx.AsyncClient, instance: Instance, admin: Member, forum: Forum
) -> None:
    said = {"language": "en", "label": "2026-03", "link": "https://registers.example.org/"}
    post = await bench.shared(instance, admin, forum, said=said)
    closed = await makers.forum(instance, admin, "staff", visibility="instance")
    await bench.shared(instance, admin, closed, {"secret.txt": b"not for harvest"})
    copy = await makers.forum_elsewhere(instance)
    await makers.follow(instance, admin, copy)
    answer = await client.get("/catalog.jsonld")
    assert answer.headers["content-type"].startswith("application/ld+json")
    found = answer.json()
    assert [one["@id"] for one in found["dcat:dataset"]] == [post.uri]
    entry = found["dcat:dataset"][0]
    assert entry["dcat:version"] == "2026-03"
    assert entry["dct:license"] == {"@id": "https://creativecommons.org/licenses/by/4.0/"}
    file, elsewhere = entry["dcat:distribution"]
    assert elsewhere["dcat:accessURL"] == {"@id": "https://registers.example.org/"}
    assert file["dcat:accessURL"] == entry["dcat:landingPage"] == {"@id": post.url}
    assert file["dcat:byteSize"]["@value"] == str(len(bench.CSV))
    got = await client.get(file["dcat:downloadURL"]["@id"])
    assert hashlib.sha256(got.content).hexdigest() == file["spdx:checksum"]["spdx:checksumValue"]
    assert "secret" not in answer.text
    assert (await client.get("/catalog.jsonld?before=1")).json()["dcat:dataset"] == []


async def test_a_step_of_a_practice_names_its_resources(
    client: httpx.AsyncClient, instance: Instance, admin: Member, forum: Forum
) -> None:
    closed = await makers.forum(instance, admin, "staff", visibility="instance")
    open_one = await bench.shared(instance, admin, forum)
    secret = await bench.shared(instance, admin, closed, said={"name": "For ourselves"})
    links = f"{open_one.url}#files\n{open_one.uri}\n{secret.uri}\nhttps://example.org/form"
    practice = await published(instance, admin, forum, steps__1__resourceId=links)
    page = Page(await client.get(f"/p/{practice.id}"))
    named = [
        link for link in page.all("a") if link.get("href") == f"/p/{open_one.id}/{open_one.slug}"
    ]
    assert len(named) == 2
    assert "Template of City of Riverton" in page.main
    # What a visitor may not see stays the address that it is.
    assert "For ourselves" not in page.main
    assert len(page.all("a", href=secret.uri)) == 1
    assert len(page.all("a", href="https://example.org/form")) == 1


async def test_two_that_name_each_other_as_their_source_are_shown_all_the_same(
    client: httpx.AsyncClient, instance: Instance, admin: Member, forum: Forum
) -> None:
    first = await bench.shared(instance, admin, forum)
    second = await bench.shared(instance, admin, forum, source=first)
    reports = [await published(instance, admin, forum, name=name) for name in ("One", "Other")]
    async with instance.transaction() as tx:
        (await tx.session.get_one(Resource, first.id)).based_on = second.uri
        for one, other in zip(reports, reports[::-1], strict=True):
            practice = await tx.session.get_one(Practice, one.id)
            practice.based_on, practice.root = other.uri, reports[0].uri
    for post in (first, second, *reports):
        page = await client.get(f"/p/{post.id}")
        assert page.status_code == 200, page.text
        assert "Adapted from" in page.text


async def test_a_program_is_filled_in_from_its_publiccode(
    app: Starlette, client: httpx.AsyncClient, instance: Instance, admin: Member, forum: Forum
) -> None:
    path = await draft(client, instance, admin)
    typed = {"name": "Half", "kind": "template", "summary": "My own words."}
    wrong = {"publiccode.yml": b"name: &a [*a]"}
    refused = Page(await makers.upload(client, path, wrong, action="upload", **typed))
    assert refused.status == 422
    assert refused.one("textarea", id="f-publiccode").get("aria-invalid") == "true"
    assert "no publiccode.yml that can be read" in refused.main
    assert refused.value("summary") == "My own words."
    nothing = await makers.submit(client, path, action="fill", **typed)
    assert "Put in the text of a publiccode.yml first" in nothing.text
    for added in (
        await makers.upload(client, path, {"publiccode.yml": MEDUSA.encode()}, action="upload"),
        await makers.submit(client, path, action="fill", **typed, publiccode=MEDUSA),
    ):
        assert added.status_code == 303
        form = Page(await client.get(path))
        # What was typed stays, what was empty is filled in, and the file is no file of it.
        assert form.value("summary") == "My own words."
        assert form.value("link") == "https://example.org/medusa.git"
        assert form.value("label") == "1.10"
        assert "No file yet" in form.main
    kept = {name: form.value(name) for name in ("name", "summary", "link", "label", "publiccode")}
    sent = {**kept, "kind": "code", "license": "EUPL-1.2", "forum": str(forum.id)}
    done = await makers.submit(client, path, action="publish", **sent)
    assert done.status_code == 303, done.text
    page = Page(await client.get(done.headers["location"]))
    for told in ("Stable, released 2026-03-01", "PostgreSQL; Redis, 7", "City of Riverton"):
        assert told in page.main
    number = done.headers["location"].split("/")[2]
    async with makers.browser(app) as visitor:
        written = await visitor.get(f"/p/{number}/publiccode.yml")
    assert written.headers["content-disposition"].startswith("attachment")
    assert written.headers["x-content-type-options"] == "nosniff"
    assert publiccode.prefilled(written.text, "en")["license"] == "EUPL-1.2"
    assert publiccode.software_of(written.text)["status"] == "stable"
    # The next version begins with it, and what is no program has none.
    begun = await makers.submit(client, f"/p/{number}/resource/revise")
    assert "developmentStatus: stable" in (await client.get(begun.headers["location"])).text
    other = await bench.shared(instance, admin, forum)
    assert (await client.get(f"/p/{other.id}/publiccode.yml")).status_code == 404
