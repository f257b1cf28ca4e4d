# SPDX-License-Identifier: Apache-2.0
"""A practice is kept while it is typed, and endorsed in place."""

import pytest
from playwright.sync_api import expect

from tests.browser.town import Town
from tests.browser.windows import Windows

pytestmark = pytest.mark.browser


def test_a_section_is_kept_while_it_is_typed_and_tells_of_somebody_else(
    town: Town, windows: Windows, handle: str, dee: str
) -> None:
    forum = town.forum(town.riverton, handle, "Permits and licensing")
    number = town.half_a_practice(town.riverton, "ana", forum)
    path = f"/practices/drafts/{number}"
    ana, other = (windows.member(town.riverton, who) for who in ("ana", dee))
    ana.goto(path)
    ana.get_by_label("Write it with a colleague").fill(dee)
    ana.get_by_role("button", name="Invite").click()
    ana.goto(f"{path}/solution")
    other.goto(f"{path}/solution")
    state = "[data-draft-state]"
    for words in ("A form", "A form that tells what is missing"):
        ana.get_by_label("What was done?").fill(words)
        expect(ana.locator(state)).to_have_text("Draft saved")
    other.get_by_label("What was done?").fill("A counter")
    expect(other.locator(state)).to_have_text("Ana Ruiz changed this meanwhile: save to see both")
    other.get_by_role("button", name="Save and continue").click()
    expect(other.locator(".clash .changed")).to_have_text("A form that tells what is missing")
    expect(other.get_by_label("What was done?")).to_have_value("A counter")
    ana.reload()
    expect(ana.get_by_label("What was done?")).to_have_value("A form that tells what is missing")


def test_a_practice_is_endorsed_in_place(
    town: Town, windows: Windows, handle: str, dee: str
) -> None:
    forum = town.forum(town.riverton, handle, "Permits and licensing")
    post = town.practice(town.riverton, "ana", forum)
    page = windows.member(town.riverton, dee)
    page.goto(f"/p/{post.id}")
    page.evaluate("window.stayed = true")
    page.get_by_role("button", name="Endorse").click()
    expect(page.get_by_role("button", name="Endorsed")).to_be_focused()
    expect(page.get_by_role("button", name="Adapt for my agency")).to_have_count(1)
    assert page.evaluate("window.stayed")
