# SPDX-License-Identifier: Apache-2.0
"""Everything works where scripts do not run."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.browser.town import Town
from tests.browser.windows import Chromium, Windows

pytestmark = pytest.mark.browser


@pytest.fixture
def windows(town: Town, browser: Chromium) -> Iterator[Windows]:
    """Opens windows in which scripts do not run."""
    opened = Windows(town, browser, width=375, scripts=False)
    yield opened
    opened.close()


def test_a_thread_is_previewed_and_posted(town: Town, windows: Windows, handle: str) -> None:
    town.forum(town.riverton, handle, "Service counters")
    page = windows.member(town.riverton, "ana")
    page.goto(f"/f/{handle}/new")
    page.get_by_label("Title").fill("A quiet hour")
    page.get_by_label("Text").fill("It was **asked for**.")
    page.get_by_role("button", name="Preview").click()
    expect(page.locator(".preview strong")).to_have_text("asked for")
    page.get_by_role("button", name="Post thread").click()
    expect(page.get_by_role("status").first).to_have_text("Your thread is posted.")
    expect(page.get_by_role("heading", level=1)).to_have_text("A quiet hour")


def test_a_fault_is_said_beside_its_field(town: Town, windows: Windows, handle: str) -> None:
    town.forum(town.riverton, handle, "Service counters")
    page = windows.member(town.riverton, "ana")
    page.goto(f"/f/{handle}/new")
    page.get_by_label("Text").fill("It was asked for.")
    page.get_by_role("button", name="Post thread").click()
    title = page.get_by_label("Title")
    expect(title).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_role("alert").get_by_role("link")).to_have_attribute("href", "#f-title")
    expect(page.get_by_label("Text")).to_have_value("It was asked for.")


def test_a_reply_is_posted_below_what_it_answers(
    town: Town, windows: Windows, handle: str, dee: str
) -> None:
    forum = town.forum(town.riverton, handle, "Service counters")
    opener = town.thread(town.riverton, dee, forum, "A quiet hour on Wednesdays")
    first = town.reply(town.riverton, dee, opener, "31 people came.")
    page = windows.member(town.riverton, "ana")
    page.goto(f"/p/{opener.id}")
    page.get_by_role("link", name="Reply to Dee Okafor").click()
    page.get_by_label("Your reply").fill("How did they hear of it?")
    page.get_by_role("button", name="Post reply").click()
    branch = page.locator("li").filter(has=page.locator(f"#p-{first.id}")).locator("li")
    expect(branch.locator(".body")).to_have_text("How did they hear of it?")


def test_a_post_is_endorsed_and_the_endorsement_withdrawn(
    town: Town, windows: Windows, handle: str, dee: str
) -> None:
    forum = town.forum(town.riverton, handle, "Service counters")
    opener = town.thread(town.riverton, dee, forum, "A quiet hour on Wednesdays")
    page = windows.member(town.riverton, "ana")
    page.goto(f"/p/{opener.id}")
    button = page.locator(".opener form[action$=endorse] button")
    button.click()
    expect(page.locator(".opener data.endorsements")).to_have_attribute("value", "1")
    withdraw = page.locator(".opener form[action$=withdraw] button")
    expect(withdraw).to_have_attribute("aria-pressed", "true")
    withdraw.click()
    expect(page.locator(".opener data.endorsements")).to_have_attribute("value", "0")


def test_a_forum_elsewhere_is_found_and_followed(town: Town, windows: Windows, handle: str) -> None:
    town.forum(town.lakeside, handle, "Permits and licensing")
    page = windows.member(town.riverton, "ana")
    page.goto("/forums")
    page.get_by_label("Its name or link").fill(f"@{handle}@{town.lakeside.host}")
    page.get_by_role("button", name="Look it up").click()
    page.get_by_role("button", name="Follow").click()
    for _ in range(40):
        if page.locator("#follow").get_attribute("data-follow") == "accepted":
            break
        page.wait_for_timeout(250)
        page.reload()
    expect(page.get_by_role("link", name="Ask or share")).to_be_visible()
