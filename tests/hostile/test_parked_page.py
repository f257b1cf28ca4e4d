# SPDX-License-Identifier: Apache-2.0
"""What a server would not take, as an admin sees it and has it tried again."""

import httpx

from server import traffic
from tests import makers
from tests.hostile.commons import Commons, doing
from tests.hostile.peer import Asked, Page, ScriptedPeer, vera
from tests.web.page import Page as Shown
from tests.web.page import words


async def test_what_was_set_aside_is_shown_and_goes_when_it_is_tried_again(
    gh: Commons, vic: ScriptedPeer
) -> None:
    vic.software = "lemmy"
    vic.describe()
    await gh.sent(vic, doing("Follow", vera(vic), gh.forum.uri))

    def refuse(asked: Asked) -> Page:
        odd = b"Odd" in asked.body
        return Page(status=403 if odd else 202, body=b"Not <b>that</b> one\n" if odd else b"")

    vic.inbox_answer = refuse
    odd = await makers.thread(gh.instance, gh.admin, gh.forum, "Odd")
    await gh.settled()
    await makers.reply(gh.instance, gh.admin, odd, "And then?")
    await gh.settled()
    path = f"/admin/federation/peer/{vic.host}"
    async with makers.browser(gh.app) as desk:
        await makers.sign_in(desk, gh.instance, gh.admin)
        first, *_, behind = await aside(desk, path)
        assert first.startswith("New: thread “Odd” Written ")
        assert first.endswith("403 Not <b>that</b> one")
        assert behind.startswith("New: reply in “Odd” Written ")
        assert behind.endswith("waits behind an earlier one")
        vic.inbox_answer = lambda _: Page(status=202)
        vic.requests.clear()
        # The clock stands still: nothing is due but by the button.
        assert (await makers.submit(desk, path, action="retry")).status_code == 303
        await gh.settled()
        assert await aside(desk, path) == []
    titles = [one["object"]["object"].get("name") for one in vic.delivered]
    assert titles == ["Odd", None]
    async with gh.instance.reading() as session:
        page = await traffic.peer_page(session, vic.host, gh.clock.now())
    assert (page.outstanding.number, page.line.parked, page.line.refused) == (0, 0, 0)


async def aside(desk: httpx.AsyncClient, path: str) -> list[str]:
    """What the page says was set aside; that this process sends, it knows."""
    page = Shown(await desk.get(path))
    assert words(page.one("dd", data_count="in_flight")) == "0"
    return [words(item) for item in page.all("li") if item.get("data-parked")]
