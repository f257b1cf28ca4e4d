# SPDX-License-Identifier: Apache-2.0
"""Takes the pictures the docs use: `make screenshots`."""

import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from tests.machine import chromium

FOLDER = Path(__file__).resolve().parents[1] / "docs/img"
FIRST_PORT = 4101
LARGEST = 250_000
COLOURS = 192
PRACTICE = "Digital permits with a completeness check"
THREAD = "How we cut permit times from 21 days to 12.6"
RESOURCE = "What makes a permit application complete"
WEBINAR = "How Lakeside cut permit times by 40 %"
MENTOR = "Marek Nowak"
STRANGER = "forum.harbor.example.gov"
RULES = (
    ("allow", "*.cascadia.example.gov", "All agencies of the State of Cascadia", "2027-12-31"),
    ("deny", "copies.example.net", "Passes our posts on without saying whose they are", ""),
)


@dataclass(frozen=True)
class Agency:
    """An agency of the running demo, as the demo describes it."""

    url: str
    connect: str
    passwords: dict[str, str]

    @property
    def host(self) -> str:
        return self.url.partition("://")[2]


@contextmanager
def demo() -> Iterator[list[Agency]]:
    """The story's agencies, running until the end."""
    command = [sys.executable, "-m", "web.cli", "demo", "--json", "--port", str(FIRST_PORT)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as running:
        try:
            assert running.stdout is not None
            line = running.stdout.readline()
            if not line:
                raise SystemExit("The demo did not start.")
            yield [_agency(found) for found in json.loads(line)["agencies"]]
        finally:
            running.terminate()


def _agency(found: dict[str, Any]) -> Agency:
    passwords = {member["handle"]: member["password"] for member in found["members"]}
    return Agency(found["url"], found["connect"], passwords)


@contextmanager
def window(
    browser: Browser, agency: Agency, who: str, size: tuple[int, int], *, dark: bool = False
) -> Iterator[Page]:
    """A window of a signed-in member; `size` is width and height in CSS pixels."""
    context = browser.new_context(
        base_url=agency.url,
        viewport={"width": size[0], "height": size[1]},
        color_scheme="dark" if dark else "light",
        locale="en-GB",
    )
    page = context.new_page()
    page.goto("/sign-in")
    page.locator("[name=login]").fill(who)
    page.locator("[name=password]").fill(agency.passwords[who])
    page.get_by_role("main").get_by_role("button", name="Sign in").click()
    page.get_by_role("heading", name="Hello").wait_for()
    yield page
    context.close()


def knock(agency: Agency) -> None:
    """A site that is not on the list tries to deliver something."""
    actor = f"https://{STRANGER}/u/noor"
    activity = {
        "@context": "https://www.w3.org/ns/activitystreams",
        "id": f"{actor}#like-1",
        "type": "Like",
        "actor": actor,
        "object": f"{agency.url}/p/1",
    }
    signature = f'keyId="{actor}#main-key",headers="(request-target) host date",signature="AAAA"'
    answer = httpx.post(
        f"http://{agency.connect}/inbox",
        json=activity,
        headers={"Host": agency.host, "Signature": signature},
        trust_env=False,
    )
    if answer.status_code != 403:
        raise SystemExit(f"A stranger was answered {answer.status_code}: {answer.text}")


def consent(agency: Agency) -> str:
    """Where an app that has just registered sends its member."""
    callback = "com.example.pocket:/let-in"
    sent = {"client_name": "Pocket", "redirect_uris": callback, "scopes": "read write follow push"}
    made = httpx.post(
        f"http://{agency.connect}/api/v1/apps",
        json=sent,
        headers={"Host": agency.host},
        trust_env=False,
    ).json()
    asked = {"response_type": "code", "redirect_uri": callback, "scope": sent["scopes"]}
    return f"/oauth/authorize?{urlencode({**asked, 'client_id': made['client_id']})}"


def take(page: Page, name: str) -> None:
    """What the window shows, as a small PNG."""
    taken = Image.open(io.BytesIO(page.screenshot()))
    small = taken.convert("RGB").quantize(COLOURS, method=Image.Quantize.MEDIANCUT)
    FOLDER.mkdir(exist_ok=True)
    path = FOLDER / f"{name}.png"
    small.save(path, optimize=True)
    size = path.stat().st_size
    if size > LARGEST:
        raise SystemExit(f"{path.name} has {size} bytes: make its window smaller.")
    print(f"{path.name}: {small.width} x {small.height}, {size // 1000} kB")


def take_all(browser: Browser, riverton: Agency, lakeside: Agency) -> None:
    """The pictures, each as somebody at Riverton sees it."""
    with window(browser, riverton, "ana", (1280, 1000)) as page:
        page.goto("/")
        take(page, "home")
    with window(browser, riverton, "dee", (1280, 1380)) as page:
        page.goto(f"/f/permits@{lakeside.host}")
        page.get_by_role("link", name=THREAD).click()
        page.get_by_role("heading", name=THREAD).wait_for()
        thread = page.url
        take(page, "thread")
    with window(browser, riverton, "tom", (375, 812), dark=True) as page:
        page.goto(thread)
        page.locator("#replies").scroll_into_view_if_needed()
        page.evaluate("document.querySelector('main .note').scrollIntoView()")
        take(page, "thread-phone")
    with window(browser, lakeside, "priya", (1280, 1500)) as page:
        page.goto("/practices")
        page.get_by_role("link", name=PRACTICE).click()
        page.get_by_role("heading", name=PRACTICE).wait_for()
        take(page, "practice")
        page.set_viewport_size({"width": 1280, "height": 760})
        page.evaluate("document.querySelector('#adopters').scrollIntoView()")
        take(page, "adopters")
    take_resource(browser, riverton)
    with window(browser, riverton, "ana", (1280, 1040)) as page:
        page.goto("/events")
        page.get_by_role("link", name=WEBINAR).click()
        page.get_by_role("heading", name=WEBINAR).wait_for()
        take(page, "event")
    with window(browser, riverton, "dee", (1280, 900)) as page:
        page.goto(consent(riverton))
        take(page, "app-consent")
    knock(riverton)
    with window(browser, riverton, "sam", (1280, 1240)) as page:
        for rule in RULES:
            add_rule(page, *rule)
        page.goto("/admin/federation")
        take(page, "federation")


def take_resource(browser: Browser, riverton: Agency) -> None:
    """A resource of the other agency's, once its file was fetched and checked."""
    with window(browser, riverton, "ana", (1280, 1000)) as page:
        page.goto("/resources")
        page.get_by_role("link", name=RESOURCE).click()
        page.get_by_role("heading", name=RESOURCE).wait_for()
        with page.expect_download():
            page.locator(".file a").first.click()
        page.reload()
        page.locator(".file summary", has_text="First rows").click()
        page.locator(".file summary", has_text="Checksum").click()
        take(page, "resource")


def take_review(browser: Browser, riverton: Agency, lakeside: Agency) -> None:
    """The review of the practice, as its three sides see it."""
    with window(browser, lakeside, "lou", (1280, 900)) as page:
        page.goto("/reviews/board")
        page.get_by_role("link", name=PRACTICE).click()
        page.get_by_role("heading", name="Reviewers", exact=True).wait_for()
        take(page, "review")
    with window(browser, lakeside, "marek", (1280, 860)) as page:
        page.goto("/reviews")
        page.get_by_role("link", name=PRACTICE).click()
        page.get_by_role("heading", name="Where it stands").wait_for()
        take(page, "review-author")
    with window(browser, riverton, "dee", (375, 812)) as page:
        page.goto("/reviews")
        page.get_by_role("link", name=PRACTICE).click()
        page.get_by_role("heading", name="Your review").wait_for()
        take(page, "review-phone")


def take_mentoring(browser: Browser, riverton: Agency) -> None:
    """The mentors who suit what somebody looks for, here and at another agency."""
    with window(browser, riverton, "ana", (1280, 1160)) as page:
        look_for_a_mentor(page)
        page.get_by_text(MENTOR).first.wait_for()
        page.locator("[data-card] summary").first.click()
        take(page, "mentoring")


def look_for_a_mentor(page: Page) -> None:
    """Fill in what is looked for, and wait until other agencies were asked for their mentors."""
    page.goto("/mentoring")
    page.get_by_role("link", name="Permit mentors").click()
    page.get_by_role("link", name="Find a mentor").click()
    page.locator("#f-goal").fill("Cut our permit times without checking less.")
    for number, skill in enumerate(("Digital permits", "Plain language")):
        page.locator(f"[name='skill.{number}']").fill(skill)
    page.locator("#f-zone").fill("America/New_York")
    page.get_by_role("button", name="Show mentors who suit").click()
    page.get_by_role("heading", name="The best first").wait_for()
    for _ in range(60):
        if page.get_by_text(MENTOR).count():
            return
        page.wait_for_timeout(1_000)
        page.reload()
    raise SystemExit("No mentor of another agency was found.")


def add_rule(page: Page, verdict: str, pattern: str, reason: str, last_day: str) -> None:
    """Add a rule about other sites, by the administrators' form."""
    page.goto("/admin/federation")
    page.locator(f"#f-verdict-{verdict}").check()
    page.locator("#f-pattern").fill(pattern)
    page.locator("#f-reason").fill(reason)
    page.locator("#f-expires").fill(last_day)
    page.get_by_role("button", name="Add the rule").click()
    page.locator(".said").wait_for()


def main() -> None:
    program = chromium()
    if program is None:
        raise SystemExit("Chromium is not installed here.")
    with demo() as (riverton, lakeside), sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=program,
            chromium_sandbox=os.geteuid() != 0,
            args=["--disable-background-networking", "--disable-gpu"],
        )
        take_all(browser, riverton, lakeside)
        take_review(browser, riverton, lakeside)
        take_mentoring(browser, riverton)
        browser.close()


if __name__ == "__main__":
    main()
