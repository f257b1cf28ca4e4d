# SPDX-License-Identifier: Apache-2.0
"""Sending files of a resource over a line that breaks."""

import pytest
from playwright.sync_api import FilePayload, Route, expect

from tests.browser.town import Town
from tests.browser.windows import Chromium, Windows
from tests.server.resources.test_publiccode import MEDUSA

pytestmark = pytest.mark.browser
LARGE = b"People,Health\n" * 640_000


def test_a_file_goes_on_where_its_line_broke(town: Town, browser: Chromium) -> None:
    town.clock.let_pass(minutes=1)
    # A broken line is complained of by the browser, so nothing is asserted about that.
    windows = Windows(town, browser, width=1280)
    page = windows.member(town.riverton, "ana")
    page.goto("/resources/new")
    page.get_by_label("Title").fill("Registers")
    page.get_by_role("button", name="Begin").click()
    page.get_by_label("What is it good for?").fill("Counting registers.")
    starts: list[str] = []
    breaks = True

    def line(route: Route) -> None:
        if route.request.method != "PATCH":
            return route.continue_()
        starts.append(route.request.headers["upload-offset"])
        if len(starts) == 2 or (breaks and len(starts) > 2):
            return route.abort()
        return route.continue_()

    page.route("**/resources/arrivals/*", line)
    file: FilePayload = {"name": "all.csv", "mimeType": "text/csv", "buffer": LARGE}
    page.locator("#f-upload").set_input_files(files=[file])
    state = page.locator("[data-upload-state]")
    expect(state).to_contain_text("The line broke after 4.2 MB of 9.0 MB: trying again")
    breaks = False
    expect(state).to_have_text("Added.")
    assert starts[:2] == ["0", "4194304"]
    assert starts[2:] == ["4194304"] * (len(starts) - 3) + ["8388608"]
    expect(page.locator(".uploads")).to_contain_text("all.csv")
    # What was typed is still there, and is kept.
    page.reload()
    expect(page.get_by_label("What is it good for?")).to_have_value("Counting registers.")
    # A publiccode.yml is no file of it: what is empty is filled in from it.
    about: FilePayload = {"name": "publiccode.yml", "mimeType": "", "buffer": MEDUSA.encode()}
    page.locator("#f-upload").set_input_files(files=[about])
    expect(page.get_by_label("Or a link")).to_have_value("https://example.org/medusa.git")
    expect(page.get_by_label("What is it good for?")).to_have_value("Counting registers.")
    expect(page.locator(".uploads > li")).to_have_count(1)
    windows.close()
