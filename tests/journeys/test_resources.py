# SPDX-License-Identifier: Apache-2.0
"""A template of Lakeside's at Riverton: fetched, adapted, revised."""

import hashlib
from dataclasses import dataclass

import httpx
import pytest
from sqlalchemy import select

from server.resources import links
from storage.forums import Forum
from storage.members import Member
from storage.posts import Kind, Post, PostState
from storage.resources import Resource, ResourceFile
from storage.shelves import Folder
from tests import makers
from tests.journeys.agency import Agency, until

TEMPLATE = b"Register,Owner,Interface\nPeople,Health,REST\n"
ABOUT = {
    "kind": "template",
    "name": "Unified data platform",
    "summary": "A plan for one platform instead of nine registers.",
    "description": "Fill in the **registers** first.",
    "license": "CC-BY-4.0",
    "topic.digital-services": "yes",
    "tags": "data, registers",
    "label": "2026-03",
    "link": "https://registers.example.org/demo",
}
DEAD = "did not answer when"


async def shared(
    browser: httpx.AsyncClient, forum: Forum, files: dict[str, bytes], **about: str
) -> str:
    """Share a resource by the forms; answers the path of its page."""
    begun = await makers.submit(browser, "/resources/new", kind="template", name="Half a title")
    assert begun.status_code == 303, begun.text
    return await published(browser, begun.headers["location"], files, forum=str(forum.id), **about)


async def published(
    browser: httpx.AsyncClient, draft: str, files: dict[str, bytes], **about: str
) -> str:
    """Add files to a draft and publish it; answers the path of the page."""
    added = await makers.upload(browser, draft, files, action="upload", **{**ABOUT, **about})
    assert added.status_code == 303, added.text
    done = await makers.submit(browser, draft, action="publish", **{**ABOUT, **about})
    assert done.status_code == 303, done.text
    path: str = done.headers["location"]
    return path


async def resource_at(agency: Agency, uri: str, version: int = 1) -> Resource:
    """Wait until an agency holds a resource in a version."""

    async def held() -> Resource | None:
        async with agency.instance.reading() as session:
            question = (
                select(Resource)
                .join(Post, Post.id == Resource.post_id)
                .where(Post.uri == uri, Resource.version == version)
            )
            return (await session.execute(question)).scalar_one_or_none()

    return await until(f"version {version} of {uri} at {agency.name}", held)


async def signed_in(agency: Agency, member: Member) -> httpx.AsyncClient:
    browser = makers.browser(agency.app)
    await makers.sign_in(browser, agency.instance, member)
    return browser


@dataclass
class Both:
    """The two agencies with somebody at each, and the template as each of them holds it."""

    riverton: Agency
    lakeside: Agency
    ana: httpx.AsyncClient
    sam: httpx.AsyncClient
    copy: Forum
    uri: str
    there: str
    here: str

    @property
    def file(self) -> str:
        """The template's first file at Riverton."""
        return f"/p/{self.here}/files/1/0/plan.csv"


async def both(riverton: Agency, lakeside: Agency) -> Both:
    """Lakeside has shared the template, and Riverton holds it."""
    forum = await makers.forum(lakeside.instance, lakeside.admin, "data", title="Data")
    ana = await makers.member(riverton.instance, "ana")
    copy = await riverton.follow(ana, forum.uri)
    sam, reader = await signed_in(lakeside, lakeside.admin), await signed_in(riverton, ana)
    there = (await shared(sam, forum, {"plan.csv": TEMPLATE})).split("/")[2]
    uri = f"{lakeside.settings.origin}/p/{there}"
    home, here = await resource_at(lakeside, uri), await resource_at(riverton, uri)
    assert (here.record, here.digest, here.html) == (home.record, home.digest, home.html)
    assert here.agency == "City of Lakeside"
    held = await riverton.sees(uri, kind=Kind.RESOURCE, title="Unified data platform")
    return Both(riverton, lakeside, reader, sam, copy, uri, there, str(held.id))


@pytest.mark.fep("b2b8")
async def test_a_template_is_fetched_checked_and_adapted_across_agencies(
    riverton: Agency, lakeside: Agency
) -> None:
    story = await both(riverton, lakeside)
    await fetched(story)
    mine = await adapted(story)
    await revised(story, mine)
    await used(story)
    await link_dead(story.lakeside, story.there, story.riverton, story.here)
    # One of Riverton's in Lakeside's forum: its author's agency looks, and Lakeside passes it on.
    there = str(
        (await story.lakeside.sees(f"{riverton.settings.origin}{mine[: mine.rindex('/')]}")).id
    )
    await link_dead(story.riverton, mine.split("/")[2], story.lakeside, there)
    await story.ana.aclose()
    await story.sam.aclose()


async def fetched(story: Both) -> None:
    """Riverton fetches it once, when Ana asks, and knows it by its checksum."""
    assert f'href="{story.file}"' in (await story.ana.get(f"/p/{story.here}")).text
    await refused(story)
    got = await story.ana.get(story.file)
    assert got.status_code == 303, got.text
    got = await story.ana.get(story.file)
    assert (got.status_code, got.content) == (200, TEMPLATE)
    assert got.headers["x-checksum-sha256"] == hashlib.sha256(TEMPLATE).hexdigest()
    assert got.headers["content-disposition"].startswith("attachment")
    assert "sandbox" in got.headers["content-security-policy"]
    # What is seen of it is made here, from its bytes.
    assert "First rows" in (await story.ana.get(f"/p/{story.here}")).text
    # From then on for visitors as well.
    assert (await story.riverton.page(story.file)).content == TEMPLATE


async def refused(story: Both) -> None:
    """Other bytes of the same size are not kept, and the page says what came of it."""
    shelf = story.lakeside.instance.files.shelf
    assert isinstance(shelf, Folder)
    lying = shelf.path(hashlib.sha256(TEMPLATE).hexdigest())
    lying.write_bytes(TEMPLATE.upper())
    got = await story.ana.get(story.file)
    assert got.status_code == 503, got.text
    assert "its checksum differs" in got.text
    assert "its checksum differs" in (await story.ana.get(f"/p/{story.here}")).text
    # A visitor has nothing fetched, and is led to the page, which says where the file is.
    assert (await story.riverton.page(story.file)).status_code == 303
    lying.write_bytes(TEMPLATE)
    story.riverton.clock.turn(minutes=2)


async def adapted(story: Both) -> str:
    """Ana shares what she made of it in Lakeside's forum; both pages show the lineage."""
    riverton, lakeside = story.riverton, story.lakeside
    begun = await makers.submit(story.ana, f"/p/{story.here}/resource/adapt")
    mine = await published(
        story.ana, begun.headers["location"], {"ours.csv": TEMPLATE + b"Dogs,Clerk,none\n"},
        forum=str(story.copy.id), name="Unified data platform for cities", license="CC0-1.0",
    )  # fmt: skip
    number = mine.split("/")[2]
    ours = f"{riverton.settings.origin}/p/{number}"
    await resource_at(lakeside, ours)
    there = str((await lakeside.sees(ours)).id)
    await riverton.sees(ours, state=PostState.LIVE)
    for agency, adaptation, original in (
        (lakeside, there, story.there),
        (riverton, number, story.here),
    ):
        page = (await agency.page(f"/p/{adaptation}")).text
        assert "Adapted from" in page, page
        # The licences do not go together, and that is said.
        assert "lets its name be dropped" in page
        for shown in (page, (await agency.page(f"/p/{original}")).text):
            assert "City of Lakeside: Unified data platform<" in shown, shown
            assert "City of Riverton: Unified data platform for cities" in shown
    # Lakeside's people get Riverton's file through Lakeside.
    theirs = f"/p/{there}/files/1/0/ours.csv"
    got = await story.sam.get(theirs)
    assert got.status_code == 303, got.text
    assert (await story.sam.get(theirs)).content.endswith(b"none\n")
    return mine


async def revised(story: Both, mine: str) -> None:
    """A new version of the original, of which the adaptation tells; the old one stays."""
    story.lakeside.clock.turn(minutes=2)
    begun = await makers.submit(story.sam, f"/p/{story.there}/resource/revise")
    await published(
        story.sam, begun.headers["location"], {"notes.txt": b"Begin with people."},
        note="Notes on where to begin", label="2026-09",
    )  # fmt: skip
    await resource_at(story.riverton, story.uri, 2)
    async with story.riverton.instance.reading() as session:
        question = select(ResourceFile.version, ResourceFile.name).where(
            ResourceFile.post_id == int(story.here)
        )
        files = sorted(tuple(row) for row in (await session.execute(question)).all())
    assert files == [(1, "plan.csv"), (2, "notes.txt"), (2, "plan.csv")]
    assert "The original has a new version since" in (await story.riverton.page(mine)).text
    told = (await story.ana.get("/notifications")).text
    assert "published a new version of what this was made from:" in told
    assert (await story.riverton.page(story.file)).content == TEMPLATE


async def used(story: Both) -> None:
    """Riverton says that it uses it, and both show so."""
    said = await makers.submit(
        story.ana, f"/p/{story.here}/use", verdict="changed", words="Fewer columns."
    )
    assert said.status_code == 303, said.text
    for agency, number in ((story.lakeside, story.there), (story.riverton, story.here)):

        async def told(agency: Agency = agency, number: str = number) -> bool:
            text = (await agency.page(f"/p/{number}")).text
            return 'data-use="changed"' in text and "Fewer columns." in text

        await until(f"the use at {agency.name}", told)


async def link_dead(home: Agency, number: str, other: Agency, copy: str) -> None:
    """What its home found at a resource's link is said at the other agency, until it answers."""

    async def shows(words: str, path: str) -> None:
        async def told() -> bool:
            text = (await other.page(path)).text
            return words in text if words else DEAD not in text

        await until(f"“{words}” at {other.name}", told)

    async def visited(fault: str) -> None:
        home.clock.turn(minutes=2)
        async with home.instance.transaction() as tx:
            await links.visited(tx, int(number), ABOUT["link"], fault)

    for fault in ("It answered 404.", "It answered 404."):
        assert DEAD not in (await other.page(f"/p/{copy}")).text
        await visited(fault)
    assert "did not answer when it was last tried" in (await home.page(f"/p/{number}")).text
    agency = f"City of {home.name.title()}"
    await shows(f"{DEAD} {agency}, whose resource this is, last tried it", f"/p/{copy}")
    assert "As of" in (await other.page(f"/p/{copy}")).text
    await visited("")
    await shows("", f"/p/{copy}")
    assert DEAD not in (await home.page(f"/p/{number}")).text
