# SPDX-License-Identifier: Apache-2.0
"""The review of the story: who asks, who reviews, who decides."""

from collections.abc import Mapping

from web.demo.practices import number
from web.demo.readers import Reader
from web.demo.story import DEE, LOU, PRIYA, SAM
from web.demo.waiting import until

_WHY = {
    "clarity": "A counter that never saw an online form could begin on Monday.",
    "completeness": "Steps, costs and staff are there, and so is what went wrong.",
    "evidence": "Every permit of a month, before and after, from the same register.",
    "transferability": "It says what has to be there first: electronic payment.",
    "ethics": "Nobody is turned away at the counter who has no computer.",
}
MARKS = {f"{name}.score": "3" for name in _WHY} | {
    f"{name}.comment": words for name, words in _WHY.items()
}
ACCEPTED = {"recommendation": "accept", "summary": "", "action": "send", **MARKS}
NOTE = "Is step 3 clear?"
LETTER = "Two agencies could do this tomorrow with what you wrote. Thank you."


async def submit(author: Reader, path: str) -> str:
    """Ask for a review of the practice at `path`; answers where its author sees how it goes."""
    form = f"/p/{number(path)}/review"
    await author.browser.submit(form, form, note=NOTE, action="submit")
    return form


async def listed(reader: Reader, beginning: str, what: str) -> str:
    """The first review that a member's own page of reviews leads to, once it is there."""

    async def there() -> str | None:
        links = (await reader.browser.open("/reviews")).links(beginning)
        return next((link for link in links if link != "/reviews/board"), None)

    return await until(what, there)


async def invite(steward: Reader, case: str, member: str, agency: str) -> None:
    """Ask a member here, and another agency (its host) for one of theirs."""
    await steward.browser.submit(case, case, action="member", invite=member, due="")
    await steward.browser.submit(case, case, action="agency", invite=agency, due="")


async def give(reader: Reader, path: str, **conflict: str) -> None:
    """Accept an invitation, and give a review that recommends to accept."""
    await reader.browser.submit(path, path, action="accept", **conflict)
    await reader.browser.submit(path, path, **ACCEPTED)


async def given(steward: Reader, case: str, count: int) -> str:
    """What the steward's page says once there are so many reviews."""

    async def there() -> str | None:
        words = (await steward.browser.open(case)).words
        return words if words.count("Review given") == count else None

    return await until(f"{count} reviews at {steward.agency.netloc}", there)


async def accept(steward: Reader, case: str) -> None:
    """Decide that the practice is accepted."""
    await steward.browser.submit(case, case, action="decide", decision="accepted", letter=LETTER)


async def review(readers: Mapping[str, Reader], author: str, path: str) -> None:
    """Have the practice at `path` reviewed at both agencies, and accepted."""
    lou, priya, sam, dee = (readers[key] for key in (LOU, PRIYA, SAM, DEE))
    await submit(readers[author], path)
    case = await listed(lou, "/reviews/cases/", "the practice on the stewards' page")
    await invite(lou, case, priya.handle, dee.agency.netloc)
    offer = await listed(sam, "/reviews/", "the invitation at the other agency")
    await sam.browser.submit(offer, offer, action="name", handle=dee.handle)
    for reader in (priya, dee):
        asked = await listed(reader, "/reviews/", f"the review that {reader.handle} is asked for")
        await give(reader, asked, conflict="none")
    await given(lou, case, 2)
    await accept(lou, case)
