# SPDX-License-Identifier: Apache-2.0
"""An admin holds back what is for one agency, then lets it go."""

from sqlalchemy import select

from storage.log import Lane
from tests import makers
from tests.journeys.agency import Agency, until
from tests.web.page import Page, words


async def press(agency: Agency, host: str, action: str) -> str:
    """Press a button of the page of another agency; what is said then."""
    path = f"/admin/federation/peer/{host}"
    async with makers.browser(agency.app) as browser:
        await makers.sign_in(browser, agency.instance, agency.admin)
        sent = await makers.submit(browser, path, action=action)
        assert (sent.status_code, sent.headers["location"]) == (303, path)
        return words(Page(await browser.get(path)).one(class_="said"))


async def shown(agency: Agency, host: str) -> dict[str, str]:
    """The numbers on the page of another agency."""
    page = Page(await agency.page(f"/admin/federation/peer/{host}", agency.admin))
    return {e.get("data-count", ""): words(e) for e in page.all("dd") if e.get("data-count")}


async def delivered(agency: Agency) -> int:
    async with agency.instance.reading() as session:
        return sum((await session.execute(select(Lane.delivered))).scalars())


async def test_nothing_is_sent_while_paused_and_everything_after(
    riverton: Agency, lakeside: Agency
) -> None:
    forum = await makers.forum(lakeside.instance, lakeside.admin, "permits", title="Permits")
    ana = await makers.member(riverton.instance, "ana")
    await riverton.follow(ana, forum.uri)
    opener = await makers.thread(lakeside.instance, lakeside.admin, forum, "Before")
    here = await riverton.sees(opener.uri)

    async def idle() -> bool:
        return (await shown(lakeside, riverton.host))["outstanding"] == "0"

    await until("Lakeside had nothing left to send", idle)
    sent = await delivered(lakeside)
    assert (await press(lakeside, riverton.host, "pause")).startswith("Paused.")
    held = await makers.thread(lakeside.instance, lakeside.admin, forum, "Meanwhile")
    # What they send is taken in as always; hearing of them wakes what is for them, but for this.
    answer = await makers.reply(riverton.instance, ana, here, "Still listening?")
    await lakeside.sees(answer.uri)

    async def waiting() -> bool:
        return (await shown(lakeside, riverton.host))["outstanding"] == "2"

    await until("the thread and the announced reply waited", waiting)
    assert await riverton.held(held.uri) is None
    assert await delivered(lakeside) == sent
    assert (await press(lakeside, riverton.host, "resume")).startswith("Resumed.")
    await riverton.sees(held.uri)
    await until("Lakeside had nothing left to send", idle)
    assert await delivered(lakeside) == sent + 2
