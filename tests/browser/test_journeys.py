# SPDX-License-Identifier: Apache-2.0
"""What members do, in a real browser, wide and on a phone."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests import makers
from tests.browser.town import Town
from tests.browser.windows import Windows

pytestmark = pytest.mark.browser


def in_sight(page: Page, selector: str) -> bool:
    """Whether the top of an element is in the window and nothing else lies over it."""
    return bool(
        page.evaluate(
            """(selector) => {
                const element = document.querySelector(selector);
                const box = element.getBoundingClientRect();
                const there = document.elementFromPoint(box.left + 30, box.top + 20);
                return box.top >= 0 && element.contains(there);
            }""",
            selector,
        )
    )


def test_a_member_signs_in_and_goes_where_they_were_going(town: Town, windows: Windows) -> None:
    page = windows.visitor(town.riverton)
    page.goto("/sign-in?next=/me/drafts")
    page.get_by_label("Password").fill(makers.PASSWORD)
    page.locator("[name=login]").fill("ana")
    page.get_by_role("main").get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Drafts")


def test_a_wrong_password_keeps_the_name_that_was_typed(town: Town, windows: Windows) -> None:
    page = windows.visitor(town.riverton)
    page.goto("/sign-in")
    page.locator("[name=login]").fill("ana")
    page.get_by_label("Password").fill("seven loud lanterns")
    page.get_by_role("main").get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_be_focused()
    expect(page.locator("[name=login]")).to_have_value("ana")


def test_a_thread_posted_in_a_forum_elsewhere_is_confirmed_by_its_home(
    town: Town, windows: Windows, handle: str, marek: str
) -> None:
    town.forum(town.lakeside, handle, "Permits and licensing")
    town.follow(town.riverton, handle)
    page = windows.member(town.riverton, "ana")
    page.goto(f"/f/{handle}@{town.lakeside.host}")
    page.get_by_role("link", name="Ask or share").click()
    page.get_by_label("Title").fill("Who looks at sheds?")
    page.get_by_label("Text").fill("One person, or **whoever is there**?")
    page.get_by_label("Tags").fill("sheds, building permits")
    page.get_by_role("button", name="Post thread").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Who looks at sheds?")

    there = windows.member(town.lakeside, marek)

    def arrived() -> bool:
        there.goto(f"/f/{handle}")
        return there.get_by_role("link", name="Who looks at sheds?").is_visible()

    wait_for(there, arrived)
    there.get_by_role("link", name="Who looks at sheds?").click()
    expect(there.locator(".opener .who")).to_contain_text("Ana Ruiz")
    expect(there.locator(".opener .who")).to_contain_text("City of Riverton")
    expect(there.locator(".opener .body strong")).to_have_text("whoever is there")

    def confirmed() -> bool:
        page.reload()
        return page.locator(".opener[data-state=live] .body").is_visible()

    wait_for(page, confirmed)
    assert page.locator(".status").count() == 0


def test_a_reply_is_shown_at_once_and_arrives_at_the_other_agency(
    town: Town, windows: Windows, handle: str, marek: str
) -> None:
    forum = town.forum(town.lakeside, handle, "Permits and licensing")
    town.follow(town.riverton, handle)
    opener = town.thread(town.lakeside, marek, forum, "How we cut permit times")
    copy = town.arrived(town.riverton, opener)
    page = windows.member(town.riverton, "ana")
    page.goto(f"/p/{copy.id}")
    expect(page.locator("main")).to_contain_text("This thread lives at City of Lakeside")
    page.get_by_label("Your reply").fill("Who does your ten minutes?")
    page.get_by_role("button", name="Post reply").click()
    expect(page.locator("#replies .body")).to_have_text("Who does your ten minutes?")

    there = windows.member(town.lakeside, marek)

    def arrived() -> bool:
        there.goto(f"/p/{opener.id}")
        return there.locator("#replies article").is_visible()

    wait_for(there, arrived)
    expect(there.locator("#replies .who")).to_contain_text("City of Riverton")


def test_endorsing_stays_in_place_and_counts_at_the_home(
    town: Town, windows: Windows, handle: str, marek: str
) -> None:
    forum = town.forum(town.lakeside, handle, "Permits and licensing")
    town.follow(town.riverton, handle)
    opener = town.thread(town.lakeside, marek, forum, "How we cut permit times")
    copy = town.arrived(town.riverton, opener)
    page = windows.member(town.riverton, "ana")
    page.goto(f"/p/{copy.id}")
    page.evaluate("window.stayed = true")
    page.get_by_role("button", name="Endorse").click()
    pressed = page.get_by_role("button", name="Endorsed")
    expect(pressed).to_have_attribute("aria-pressed", "true")
    expect(pressed).to_be_focused()
    assert page.evaluate("window.stayed")
    town.endorsements(town.lakeside, opener, 1)
    pressed.click()
    expect(page.get_by_role("button", name="Endorse ")).to_have_attribute("aria-pressed", "false")
    town.endorsements(town.lakeside, opener, 0)


def test_a_forum_of_another_agency_is_found_followed_and_filled(
    town: Town, windows: Windows, handle: str, marek: str
) -> None:
    forum = town.forum(town.lakeside, handle, "Permits and licensing")
    town.thread(town.lakeside, marek, forum, "How we cut permit times")
    page = windows.member(town.riverton, "ana")
    page.goto("/forums")
    page.get_by_label("Its name or link").fill(f"@{handle}@{town.lakeside.host}")
    page.get_by_role("button", name="Look it up").click()
    expect(page.get_by_role("main")).to_contain_text("A forum of City of Lakeside")
    page.get_by_role("button", name="Follow").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Permits and licensing")
    expect(page.locator("#follow")).to_have_attribute("data-follow", "accepted")
    expect(page.get_by_role("link", name="How we cut permit times")).to_be_visible()
    expect(page.locator("[data-copy=current]")).to_contain_text("City of Lakeside")


def test_an_answer_from_another_agency_makes_a_notice(
    town: Town, windows: Windows, handle: str, dee: str, marek: str
) -> None:
    forum = town.forum(town.lakeside, handle, "Permits and licensing")
    town.follow(town.riverton, handle, dee)
    opener = town.thread(town.lakeside, marek, forum, f"Inspection photos {handle}")
    copy = town.arrived(town.riverton, opener)
    answer = town.reply(town.riverton, dee, copy, "Ours fits on a sticker.")
    town.arrived(town.lakeside, answer)
    page = windows.member(town.lakeside, marek)
    page.goto("/")
    page.get_by_role("link", name="Notifications").click()
    notice = page.get_by_role("listitem").filter(has_text=f"Inspection photos {handle}")
    expect(notice).to_contain_text("Dee Okafor")
    notice.get_by_role("link", name=f"Inspection photos {handle}").first.click()
    expect(page.locator("main")).to_contain_text("Ours fits on a sticker.")


def test_a_draft_survives_a_closed_tab(town: Town, windows: Windows, handle: str, dee: str) -> None:
    forum = town.forum(town.riverton, handle, "Service counters")
    opener = town.thread(town.riverton, dee, forum, f"A quiet hour {handle}")
    page = windows.member(town.riverton, "ana")
    page.goto(f"/p/{opener.id}")
    page.get_by_label("Your reply").fill("How do people hear of it?")
    expect(page.get_by_text("Draft saved")).to_be_visible()
    page.close()
    again = page.context.new_page()
    again.goto("/me/drafts")
    again.get_by_role("link", name=f"A quiet hour {handle}").click()
    expect(again.get_by_label("Your reply")).to_have_value("How do people hear of it?")


def test_a_draft_survives_leaving_the_page_at_once(
    town: Town, windows: Windows, handle: str, dee: str
) -> None:
    forum = town.forum(town.riverton, handle, "Service counters")
    opener = town.thread(town.riverton, dee, forum, "A quiet hour on Wednesdays")
    page = windows.member(town.riverton, "ana")
    page.goto(f"/p/{opener.id}")
    page.get_by_label("Your reply").fill("A sign at the door reaches nobody.")
    page.get_by_role("link", name="Home").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Hello, Ana")

    def kept() -> bool:
        page.goto(f"/p/{opener.id}")
        return page.get_by_label("Your reply").input_value().startswith("A sign at the door")

    wait_for(page, kept)


def test_drafts_are_kept_again_after_sending_failed(
    town: Town, windows: Windows, handle: str, dee: str
) -> None:
    forum = town.forum(town.riverton, handle, "Service counters")
    opener = town.thread(town.riverton, dee, forum, "A quiet hour on Thursdays")
    page = windows.member(town.riverton, "ana")
    page.goto(f"/p/{opener.id}")
    page.get_by_label("Your reply").fill("First words.")
    expect(page.get_by_text("Draft saved")).to_be_visible()
    page.route("**/reply", lambda route: route.fulfill(status=204))
    page.get_by_role("button", name="Post reply").click()
    page.get_by_label("Your reply").fill("Second words.")
    with page.expect_response("**/drafts"):
        pass
    page.close()
    again = page.context.new_page()
    again.goto(f"/p/{opener.id}/reply")
    expect(again.get_by_label("Your reply")).to_have_value("Second words.")


def test_what_was_posted_does_not_come_back_as_a_draft(
    town: Town, windows: Windows, handle: str, dee: str
) -> None:
    forum = town.forum(town.riverton, handle, "Service counters")
    opener = town.thread(town.riverton, dee, forum, "A quiet hour on Fridays")
    page = windows.member(town.riverton, "ana")
    page.goto(f"/p/{opener.id}/reply")
    page.get_by_label("Your reply").fill("Posted at once.")
    page.get_by_role("button", name="Post reply").click()
    expect(page.get_by_text("Your reply is posted.")).to_be_visible()
    page.go_back()
    page.goto("/me/drafts")
    expect(page.get_by_role("main")).not_to_contain_text("A quiet hour on Fridays")


def test_a_preview_shows_the_text_and_keeps_what_was_typed(
    town: Town, windows: Windows, handle: str
) -> None:
    town.forum(town.riverton, handle, "Service counters")
    page = windows.member(town.riverton, "ana")
    page.goto(f"/f/{handle}/new")
    page.get_by_label("Title").fill("A quiet hour")
    page.get_by_label("Text").fill("It was **asked for**.")
    page.get_by_role("button", name="Preview").click()
    expect(page.locator(".preview strong")).to_have_text("asked for")
    expect(page.get_by_label("Title")).to_have_value("A quiet hour")
    expect(page).to_have_url(re.compile(rf"/f/{handle}/new$"))


def test_the_next_new_reply_is_one_press_away(
    town: Town, windows: Windows, handle: str, dee: str
) -> None:
    forum = town.forum(town.riverton, handle, "Service counters")
    opener = town.thread(town.riverton, dee, forum, "A quiet hour on Wednesdays")
    for number in range(6):
        town.reply(town.riverton, dee, opener, f"Week {number}: nobody came.\n\n" * 5)
    page = windows.member(town.riverton, "ana")
    page.goto(f"/p/{opener.id}")
    new = [town.reply(town.riverton, dee, opener, f"Week {n}: they came!") for n in (13, 14)]
    page.goto(f"/p/{opener.id}")
    assert page.locator(".post.unread").count() == 2
    for reply in new:
        page.get_by_role("link", name="Next new").last.click()
        expect(page.locator(f"#p-{reply.id}")).to_be_focused()
        assert in_sight(page, f"#p-{reply.id}")


def test_the_keyboard_skips_to_the_content_and_closes_a_menu(town: Town, windows: Windows) -> None:
    page = windows.member(town.riverton, "ana")
    page.goto("/")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to main content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#main")).to_be_focused()
    menu = page.locator("details.menu")
    menu.locator("summary").press("Enter")
    expect(menu.get_by_role("link", name="Drafts")).to_be_visible()
    page.keyboard.press("Escape")
    expect(menu.get_by_role("link", name="Drafts")).to_be_hidden()
    expect(menu.locator("summary")).to_be_focused()


def wait_for(page: Page, holds: Callable[[], bool]) -> None:
    """Ask again, as a person reloads, until it holds."""
    for _ in range(60):
        if holds():
            return
        page.wait_for_timeout(250)
    raise AssertionError(f"It never came to {page.url}: {page.locator('main').inner_text()[:500]}")
