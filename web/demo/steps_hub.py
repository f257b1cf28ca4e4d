# SPDX-License-Identifier: Apache-2.0
"""Does Harbor County adapt Cascadia's template, and do both show it?"""

import asyncio
import hashlib
from dataclasses import dataclass

from web.demo.agencies import Agency
from web.demo.neighbours import CASCADIA, HARBOR, JUNE, OMAR, SHARED_DATA
from web.demo.pages import Page
from web.demo.readers import Reader
from web.demo.resources import ADAPTED, TEMPLATE, begin, publish
from web.demo.scene import Scene, expect
from web.demo.story import Person, password
from web.demo.telling import befriend, furnish
from web.demo.visitor import Unexpected
from web.demo.waiting import until


@dataclass(frozen=True)
class Both:
    """The two agencies with a person at each, and the template's page at both."""

    cascadia: Agency
    harbor: Agency
    june: Reader
    omar: Reader
    uri: str
    home: str
    copy: str


async def _open(agency: Agency, other: Agency, person: Person) -> Reader:
    places = (SHARED_DATA,) if agency.sign is CASCADIA else ()
    await furnish(agency, (person,), places)
    await befriend(agency, other)
    await agency.start()
    return await Reader(agency, person.handle, password(person.agency)).sign_in()


async def _shared(scene: Scene) -> Both:
    """Both agencies are started, Omar follows June's forum, and June shares her template."""
    cascadia, harbor = scene.neighbours[CASCADIA.key], scene.neighbours[HARBOR.key]
    june, omar = await asyncio.gather(_open(cascadia, harbor, JUNE), _open(harbor, cascadia, OMAR))
    scene.people |= {JUNE.handle: june, OMAR.handle: omar}
    forum = SHARED_DATA.handle
    await omar.follow(cascadia, forum)
    draft = await begin(june, TEMPLATE)
    page = await publish(june, draft, TEMPLATE, SHARED_DATA.title)
    uri = next(iter(page.posts))
    return Both(
        cascadia, harbor, june, omar, uri, page.path.partition("?")[0],
        await omar.thread(cascadia, forum, uri),
    )  # fmt: skip


async def _both(scene: Scene) -> Both:
    return await scene.once("template", lambda: _shared(scene))


async def resource_travels(scene: Scene) -> str:
    both = await _both(scene)
    at_home = await both.june.browser.open(both.home)
    copy = await both.omar.browser.open(both.copy)
    for told in (TEMPLATE.title, TEMPLATE.summary, TEMPLATE.file, "State of Cascadia"):
        expect(told in at_home.words, f"Cascadia does not show “{told}” of its template")
        expect(told in copy.words, f"Harbor County does not show “{told}” of the template")
    listed = await both.omar.browser.open("/resources?kind=template")
    expect(both.copy in listed.links("/p/"), "Harbor County's hub does not list the template")
    return f"Harbor County shows “{copy.title}” of the State of Cascadia with its file"


async def file_checked(scene: Scene) -> str:
    both = await _both(scene)
    wanted = hashlib.sha256(TEMPLATE.content).hexdigest()
    page = await both.omar.browser.open(both.copy)
    expect(wanted in page.words, "Harbor County does not show the checksum of the file")
    files = [link for link in page.links("/p/") if "/files/" in link]
    expect(bool(files), "Harbor County's page of the template offers no file")

    async def came() -> bytes | None:
        answer = await both.omar.browser.raw(files[0], "text/html")
        return (
            answer.content
            if "attachment" in answer.headers.get("content-disposition", "")
            else None
        )

    content = await until("Cascadia's file at Harbor County", came)
    expect(content == TEMPLATE.content, "Harbor County gave out another file than Cascadia's")
    async with both.harbor.visitor() as visitor:
        again = await visitor.raw(files[0], "text/html")
    expect(again.content == TEMPLATE.content, "a visitor of Harbor County is not given the file")
    return f"{TEMPLATE.file} came to Omar through Harbor County, SHA-256 {wanted[:12]}…"


async def _adapted(scene: Scene) -> tuple[str, str]:
    """(page at Harbor County, page at Cascadia) of what Omar made of the template."""
    both = await _both(scene)
    number = both.copy.split("/")[2]
    draft = await both.omar.browser.submit(both.copy, f"/p/{number}/resource/adapt")
    page = await publish(both.omar, draft.path, ADAPTED, SHARED_DATA.title)
    uri = next(iter(page.posts))
    path = page.path.partition("?")[0]

    async def confirmed() -> str | None:
        post = (await both.omar.browser.open(path)).posts[uri]
        return None if post.status == "sent" else path

    await until("Cascadia's receipt for the adaptation", confirmed)
    return path, await both.june.thread(both.cascadia, SHARED_DATA.handle, uri)


async def lineage_shown(scene: Scene) -> str:
    both = await _both(scene)
    here, there = await scene.once("adapted template", lambda: _adapted(scene))
    pages: list[tuple[str, Page]] = [
        ("Harbor County's adaptation", await both.omar.browser.open(here)),
        ("Cascadia's copy of the adaptation", await both.june.browser.open(there)),
        ("Cascadia's template", await both.june.browser.open(both.home)),
        ("Harbor County's copy of the template", await both.omar.browser.open(both.copy)),
    ]
    for where, page in pages:
        for kin in (f"State of Cascadia: {TEMPLATE.title}", f"{HARBOR.agency}: {ADAPTED.title}"):
            expect(kin in page.words, f"{where} does not show “{kin}”")
    said = f"Adapted from {TEMPLATE.title} by State of Cascadia, version 1"
    for where, page in pages[:2]:
        expect(said in page.words, f"{where} does not say “{said}”")
    return f"four pages show both, and two say “{said}”"


async def new_version_told(scene: Scene) -> str:
    both = await _both(scene)
    here, _ = await scene.once("adapted template", lambda: _adapted(scene))
    number = both.home.split("/")[2]
    draft = await both.june.browser.submit(both.home, f"/p/{number}/resource/revise")
    page = await publish(both.june, draft.path, None, "", note="The owner of each register")
    if "Version 2" not in page.words:
        raise Unexpected(f"Cascadia's second version is not on {page.path}.")
    told = "The original has a new version since"

    async def seen() -> Page | None:
        shown = await both.omar.browser.open(here)
        return shown if told in shown.words else None

    await until("the new version of the original at Harbor County", seen)
    return f"Harbor County's adaptation says “{told}”"


async def use_told(scene: Scene) -> str:
    both = await _both(scene)
    words = "We left two columns out."
    path = f"/p/{both.copy.split('/')[2]}/use"
    await both.omar.browser.submit(path, path, verdict="changed", words=words)
    told = ("it works for us after some changes", HARBOR.agency, words)

    async def seen() -> Page | None:
        shown = await both.june.browser.open(both.home)
        return shown if all(part in shown.words for part in told) else None

    await until("Harbor County's word on the template at Cascadia", seen)
    return f"Cascadia says that at {HARBOR.agency} it works after some changes"
