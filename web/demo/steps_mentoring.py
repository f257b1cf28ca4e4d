# SPDX-License-Identifier: Apache-2.0
"""Does a mentee find a mentor elsewhere, and does nobody else learn of it?"""

from web.demo.mentoring import offer, open_programme
from web.demo.pages import Page
from web.demo.readers import Reader
from web.demo.scene import Scene, expect
from web.demo.story import MAREK
from web.demo.waiting import until

NEED = {
    "goal": "Say to an applicant on the first day what is missing.",
    "skill.0": "digital permits", "languages": "en", "zone": "America/Chicago", "hours": "2",
}  # fmt: skip
HELLO = "Thank you for taking me on. I bring the list."
AIM = "Ten checks in plain words by spring"
WORDS = "We begin with forms in spring. Would you look over our list of checks?"


async def _linked(reader: Reader, beginning: str) -> str:
    """The first link of the room that begins so, once it is there."""

    async def probe() -> str | None:
        links = (await reader.browser.open("/mentoring")).links(beginning)
        return links[0] if links else None

    return await until(f"a link to {beginning}… in {reader.handle}'s mentoring room", probe)


async def _matched(scene: Scene) -> tuple[str, str]:
    """(pair at Riverton, pair at Lakeside) of Ana and Marek."""
    ana, marek = await scene.person("ana"), await scene.person("marek")
    await open_programme(await scene.person("lou"))
    await offer(marek, MAREK)
    await ana.browser.open(f"/agencies/{scene.lakeside.netloc}")
    programme = await open_programme(await scene.person("sam"))
    form = f"{programme}/request"
    need = (await ana.browser.submit(form, form, **NEED)).path.partition("?")[0]

    async def suggested() -> Page | None:
        page = await ana.browser.open(need)
        return page if "Marek Nowak" in page.words else None

    page = await until("Marek among the mentors who suit Ana", suggested)
    card = page.root.with_attribute("data-card")[0].get("data-card")
    await ana.browser.submit(need, need, action="ask", card=card, match="", message=WORDS)
    ask = await _linked(marek, "/mentoring/asks/")
    read = (await marek.browser.open(ask)).words
    expect(WORDS in read and "Ana Ruiz" in read, f"Marek does not read who asks what: {read[:300]}")
    expect(NEED["goal"] not in read, "what Ana wants to learn went to Lakeside")
    await marek.browser.submit(ask, ask, action="accept")
    there = await _linked(marek, "/mentoring/pairs/")
    return await _linked(ana, "/mentoring/pairs/"), there


async def matched(scene: Scene) -> str:
    here, there = await scene.once("mentoring", lambda: _matched(scene))
    ana, marek = await scene.person("ana"), await scene.person("marek")
    at_riverton = await ana.browser.open(here)
    at_lakeside = await marek.browser.open(there)
    expect("Marek Nowak" in at_riverton.title, f"Riverton shows “{at_riverton.title}”")
    expect("Ana Ruiz" in at_lakeside.title, f"Lakeside shows “{at_lakeside.title}”")
    return f"“{at_riverton.title}” at Riverton, “{at_lakeside.title}” at Lakeside"


async def they_meet(scene: Scene) -> str:
    here, there = await scene.once("mentoring", lambda: _matched(scene))
    ana, marek = await scene.person("ana"), await scene.person("marek")
    await ana.browser.submit(here, here, action="message", text=HELLO, parent="", entry="")
    await ana.browser.submit(
        here, here, action="terms", goals=AIM, confidentiality="between-us", starts="", ends=""
    )

    async def proposed() -> Page | None:
        page = await marek.browser.open(there)
        return page if HELLO in page.words and AIM in page.words else None

    await until("Ana's message and terms on Marek's page", proposed)
    await marek.browser.submit(there, there, action="agree", edition="1")

    async def agreed() -> Page | None:
        page = await ana.browser.open(here)
        return page if "Both of you agree" in page.words else None

    await until("Marek's agreement on Ana's page", agreed)
    return f"“{HELLO}” read at Lakeside; “{AIM}” agreed by both"


async def seen_by_nobody_else(scene: Scene) -> str:
    here, there = await scene.once("mentoring", lambda: _matched(scene))
    for reader, path in (("sam", here), ("lou", there)):
        page = await (await scene.person(reader)).browser.look(path)
        expect(page.status == 404, f"{reader} was answered {page.status} at {path}")
    cards = "/instance/mentors?programme=open"
    signed = await scene.peer.get(scene.lakeside, cards)
    unsigned = await scene.peer.get(scene.lakeside, cards, signed=False)
    expect(signed.status == 403, f"the stranger was answered {signed.status} for the cards")
    expect(unsigned.status == 401, f"nobody known was answered {unsigned.status} for the cards")
    return "administrators get 404 for the pair, a stranger 403 and 401 for the mentors' cards"
