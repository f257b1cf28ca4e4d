# SPDX-License-Identifier: Apache-2.0
"""A reply says by itself that it came, and what is typed stays."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.town import Town, until
from tests.browser.windows import Windows

pytestmark = pytest.mark.browser

TYPED = "I was about to say that"


def listens(page: Page, path: str) -> None:
    """Open a thread and wait until its page listens."""
    with page.expect_response(lambda response: "/events" in response.url) as answer:
        page.goto(path)
    assert answer.value.status == 200


def test_a_reply_from_another_agency_is_announced_and_shown_in_place(
    town: Town, windows: Windows, handle: str, marek: str, dee: str
) -> None:
    forum = town.forum(town.lakeside, handle, "Permits and licensing")
    town.follow(town.riverton, handle)
    opener = town.thread(town.lakeside, marek, forum, "How we cut permit times")
    first = town.reply(town.lakeside, marek, opener, "It took a year.\n\n" * 30)
    town.arrived(town.riverton, first)
    copy = town.arrived(town.riverton, opener)
    page = windows.member(town.riverton, "ana")
    listens(page, f"/p/{copy.id}")
    page.evaluate("window.stayed = true")
    box = page.get_by_label("Your reply")
    box.fill(TYPED)
    height = page.evaluate("scrollY")

    town.reply(town.lakeside, marek, first, "And half of another.")
    notice = page.get_by_role("status").get_by_role("link", name="1 new reply: show it")
    expect(notice).to_be_visible()
    expect(box).to_be_focused()
    assert page.evaluate("scrollY") == height
    town.reply(town.riverton, dee, copy, "Thank you!")
    both = page.get_by_role("status").get_by_role("link", name="2 new replies: show them")
    both.press("Enter")
    expect(page.locator("#replies article").nth(1)).to_be_focused()
    expect(page.locator("#replies article")).to_have_count(3)
    expect(page.locator("#replies article .body").nth(1)).to_have_text("And half of another.")
    expect(page.locator("#replies-title")).to_have_text("3 replies")
    expect(page.locator("#news")).to_be_empty()
    expect(box).to_have_value(TYPED)
    assert page.evaluate("window.stayed")


def test_a_hidden_page_does_not_listen_and_catches_up_when_it_is_seen(
    town: Town, windows: Windows, handle: str, dee: str
) -> None:
    forum = town.forum(town.riverton, handle, "Service counters")
    opener = town.thread(town.riverton, "ana", forum, "A quiet hour on Mondays")
    page = windows.visitor(town.riverton)
    listens(page, f"/p/{opener.id}")

    async def nobody() -> bool:
        return len(town.riverton.app.state.live) == 0

    # A browser without windows never hides a page by itself.
    hide = """(hidden) => {
        Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
        document.dispatchEvent(new Event("visibilitychange"));
    }"""
    page.evaluate(hide, True)
    town.run(until(nobody))
    reply = town.reply(town.riverton, dee, opener, "Nobody came.")
    expect(page.locator("#news")).to_be_empty()
    page.evaluate(hide, False)
    page.get_by_role("link", name="1 new reply: show it").click()
    expect(page.locator(f"#p-{reply.id}")).to_be_focused()
