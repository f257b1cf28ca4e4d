# SPDX-License-Identifier: Apache-2.0
"""Is a practice reviewed by two agencies, and do both see what came of it?"""

from web.demo.pages import Page
from web.demo.readers import Reader
from web.demo.scene import Scene, expect
from web.demo.steps_library import practice_of
from web.demo.waiting import until

CRITERIA = ("clarity", "completeness", "evidence", "transferability", "ethics")
MARKS = {f"{name}.score": "3" for name in CRITERIA} | {
    f"{name}.comment": f"The {name} is good enough to do it elsewhere." for name in CRITERIA
}
ACCEPTED = {"recommendation": "accept", "summary": "", "action": "send", **MARKS}
LETTER = "Two agencies could do this tomorrow with what you wrote. Thank you."


async def _listed(reader: Reader, beginning: str, what: str) -> str:
    """The first review that a member's own page of reviews leads to."""

    async def there() -> str | None:
        links = (await reader.browser.open("/reviews")).links(beginning)
        return next((link for link in links if link != "/reviews/board"), None)

    return await until(what, there)


async def _review(reader: Reader, path: str, **conflict: str) -> None:
    """Accept an invitation, and give a review that recommends to accept."""
    await reader.browser.submit(path, path, action="accept", **conflict)
    await reader.browser.submit(path, path, **ACCEPTED)


async def reviewed(scene: Scene) -> str:
    _, home, here = await practice_of(scene)
    marek, lou = await scene.person("marek"), await scene.person("lou")
    priya, dee, sam = [await scene.person(name) for name in ("priya", "dee", "sam")]
    form = f"/p/{home.split('/')[2]}/review"
    await marek.browser.submit(form, form, note="Is step 3 clear?", action="submit")
    case = await _listed(lou, "/reviews/cases/", "Marek's practice on the stewards' page")
    await lou.browser.submit(case, case, action="member", invite="priya", due="")
    await lou.browser.submit(case, case, action="agency", invite=scene.riverton.netloc, due="")

    offer = await _listed(sam, "/reviews/", "Lakeside's invitation at Riverton")
    asked = await sam.browser.open(offer)
    expect("Marek" not in asked.words, "The invitation tells who wrote the practice")
    await sam.browser.submit(offer, offer, action="name", handle="dee")
    at_riverton = await _listed(dee, "/reviews/", "the review that Dee is asked for")
    at_lakeside = await _listed(priya, "/reviews/", "the review that Priya is asked for")
    await _review(dee, at_riverton, conflict="some", which="We have adapted it.")
    await _review(priya, at_lakeside, conflict="none")

    async def given() -> Page | None:
        page = await lou.browser.open(case)
        return page if page.words.count("Review given") == 2 else None

    page = await until("both reviews at Lakeside", given)
    expect("Dee" not in page.words, "Lakeside's stewards learn who reviewed it at Riverton")
    await lou.browser.submit(case, case, action="decide", decision="accepted", letter=LETTER)
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
