# SPDX-License-Identifier: Apache-2.0
"""Is a practice reviewed by two agencies, and a draft by one alone?"""

import json

from web.demo import practices, reviews
from web.demo.pages import Page
from web.demo.readers import Reader
from web.demo.reviews import LETTER, listed
from web.demo.scene import Scene, expect
from web.demo.steps_library import practice_of
from web.demo.waiting import until

TITLE = "Permits by appointment"


async def reviewed(scene: Scene) -> str:
    _, home, here = await practice_of(scene)
    marek, lou = await scene.person("marek"), await scene.person("lou")
    priya, dee, sam = [await scene.person(name) for name in ("priya", "dee", "sam")]
    form = await reviews.submit(marek, home)
    case = await listed(lou, "/reviews/cases/", "Marek's practice on the stewards' page")
    await reviews.invite(lou, case, "priya", scene.riverton.netloc)

    offer = await listed(sam, "/reviews/", "Lakeside's invitation at Riverton")
    asked = await sam.browser.open(offer)
    expect("Marek" not in asked.words, "The invitation tells who wrote the practice")
    await sam.browser.submit(offer, offer, action="name", handle="dee")
    at_riverton = await listed(dee, "/reviews/", "the review that Dee is asked for")
    at_lakeside = await listed(priya, "/reviews/", "the review that Priya is asked for")
    await reviews.give(dee, at_riverton, conflict="some", which="We have adapted it.")
    await reviews.give(priya, at_lakeside, conflict="none")
    words = await reviews.given(lou, case, 2)
    expect("Dee" not in words, "Lakeside's stewards learn who reviewed it at Riverton")
    await reviews.accept(lou, case)
    told = (await marek.browser.open(form)).words
    expect(LETTER in told, "Marek does not read the stewards' letter")
    expect("City of Riverton" in told, "Marek does not learn which agencies reviewed it")
    expect("Dee" not in told and "Priya" not in told, "Marek learns who reviewed it")
    return await _risen(scene, home, here)


async def _risen(scene: Scene, home: str, here: str) -> str:
    """The ladder has risen at both agencies, each by what it may know."""
    marek, ana = await scene.person("marek"), await scene.person("ana")
    said = "2 reviewers of 2 agencies"
    for reader, path, words, where in (
        (marek, home, f"Accepted by {said}", "Lakeside"),
        (ana, here, f"Its home states that {said}", "Riverton"),
    ):

        async def risen(
            reader: Reader = reader, path: str = path, words: str = words
        ) -> Page | None:
            page = await reader.browser.open(path)
            return page if words in page.words else None

        await until(f"the acceptance on the ladder at {where}", risen)
    return f"Reviewed by people of Lakeside and Riverton, accepted; both pages say “{said}”"


async def draft_reviewed(scene: Scene) -> str:
    await scene.followed()
    ana, lou, priya = [await scene.person(name) for name in ("ana", "lou", "priya")]
    file = json.dumps(practices.PRACTICES[1].record | {"name": TITLE, "kind": "practice"})
    new = "/practices/new"
    draft = await ana.browser.submit(new, new, file=file, action="import")
    form = f"/reviews/drafts/{draft.path.rpartition('/')[2]}"
    forum = practices.choice(
        await ana.browser.open(form), "Permits and licensing (City of Lakeside)"
    )
    await ana.browser.submit(form, form, forum=forum, note=reviews.NOTE, action="submit")
    case = await listed(lou, "/reviews/cases/", "Riverton's draft on Lakeside's stewards' page")
    asked = await lou.browser.submit(case, case, action="member", invite="priya", due="")
    expect("Ana" not in asked.words, "Lakeside learns who wrote the draft")
    task = await listed(priya, "/reviews/", "the draft that Priya is asked for")
    await reviews.give(priya, task, conflict="none")
    await reviews.given(lou, case, 1)
    for reader in (lou, ana):
        library = await reader.browser.open("/practices")
        expect(TITLE not in library.words, f"{reader.agency.netloc} lists what is under review")
    await reviews.accept(lou, case)

    async def told() -> bool | None:
        return LETTER in (await ana.browser.open(form)).words or None

    await until("the stewards' letter about the draft at Riverton", told)
    await ana.browser.submit(draft.path, f"{draft.path}/publish", forum=forum)

    async def published() -> bool | None:
        return "See the practice" in (await priya.browser.open(task)).words or None

    await until("where the draft was published, at its reviewer's", published)
    return "Lakeside reviewed and accepted Riverton's draft, not knowing whose; then it was there"
