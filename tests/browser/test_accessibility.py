# SPDX-License-Identifier: Apache-2.0
"""Every kind of page passes axe, light and dark, wide and narrow."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import axe_playwright_python
import pytest
from playwright.sync_api import Page

from tests.browser.apps import let_in
from tests.browser.town import Town
from tests.browser.vetting import reviews
from tests.browser.windows import HEIGHT, Chromium, Windows
from tests.server.calendar.bench import TERM

pytestmark = pytest.mark.browser

AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8")
NARROWEST = 320
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
# Every rule at every width, each of them in other colours: nothing but colours differs between
# light and dark (see `test_nothing_but_colours_depends_on_the_theme`), so that whatever else is
# wrong at a width is wrong in both.
LOOKS: list[tuple[int, Literal["light", "dark"]]] = [(1280, "light"), (375, "dark")]
OPTIONS = {"runOnly": TAGS, "resultTypes": ["violations"]}
# One line for each rule and element; all else that axe tells takes as long as to load a page.
RUN = """async (options) => (await axe.run(document, options)).violations.flatMap((rule) =>
    rule.nodes.map((one) => `${rule.id}: ${one.target.join(", ")}: ${one.html.slice(0, 120)}`)
)"""

# Who looks -> what each kind of page is called, and where it is.
FOR_VISITORS = {
    "home": "/",
    "forums": "/forums",
    "forum": "/f/counters",
    "thread": "{thread}",
    "person": "/u/ana",
    "search": "/search?q=permit",
    "practices": "/practices",
    "practice": "{practice}",
    "practices side by side": "/practices/compare?p={permits}&p={quiet}",
    "practice on one page": "{practice}/print",
    "resources": "/resources",
    "resource": "{resource}",
    "licences": "/resources/licences",
    "calendar": "/events",
    "month": "/events?view=month&date=2099-12-01",
    "event": "{event}",
    "a place by letter": "{event}/by-mail",
    "embedded agenda": "/events/embed",
    "agencies": "/agencies",
    "tag": "/tags/hours",
    "sign in": "/sign-in",
    "sign up": "/sign-up",
    "an invitation that is not there": "/invitation/gone",
    "help": "/help",
    "privacy": "/privacy",
    "accessibility": "/accessibility",
    "a page that is not there": "/nowhere",
}
FOR_MEMBERS = {
    "own home": "/",
    "forums to follow": "/forums",
    "forum elsewhere": "{forum}",
    "thread elsewhere": "{copy}",
    "branch": "{branch}",
    "new thread": "/f/counters/new",
    "reply": "{copy}/reply",
    "edit": "{thread}/edit",
    "delete": "{thread}/delete",
    "history": "{thread}/history",
    "where it is quoted": "{thread}/quotes",
    "report": "{copy}/report",
    "drafts": "/me/drafts",
    "kept posts": "/me/kept",
    "people muted": "/me/muted",
    "filters": "/me/filters",
    "muting somebody": "/u/marek@{lakeside}/mute",
    "apps": "/me/apps",
    "letting an app in": "{consent}",
    "notices": "/notifications",
    "profile form": "/me",
    "person elsewhere": "/u/marek@{lakeside}",
    "found forum": "/search?q=@permits@{lakeside}",
    "found nothing": "/search?q=zebra",
    "one agency": "/agencies/{lakeside}",
    "new practice": "/practices/new",
    "own practice": "{practice}",
    "draft of a practice": "{half}",
    "section of a practice": "{half}/about",
    "steps": "{half}/steps",
    "outcome": "{half}/outcomes/1",
    "preview": "{half}/preview",
    "versions": "{practice}/versions",
    "distilling": "{thread}/distil",
    "practice elsewhere": "{adopted}",
    "reporting on a practice": "{adopted}/replicate",
    "review of an own practice": "{practice}/review",
    "review of a draft": "{unpublished}",
    "reviews": "/reviews",
    "earlier reviews": "/reviews/earlier",
    "writing a review": "{task}",
    "adapted practice": "{made}",
    "warning of a practice": "{practice}/notice",
    "offering a change": "{made}/offer",
    "offered change": "{offer}",
    "new resource": "/resources/new",
    "draft of a resource": "{template}",
    "resource elsewhere": "{fetched}",
    "using a resource": "{fetched}/use",
    "own calendar": "/events?view=week&date=2099-12-03",
    "own event": "{event}",
    "event elsewhere": "{webinar}",
    "new event": "/f/counters/events/new",
    "where to announce": "/events/new",
    "event form": "{event}/event",
    "guests": "{event}/guests",
    "calling off": "{event}/call-off",
    "materials": "{event}/materials",
    "mentoring": "/mentoring",
    "mentor card": "/mentoring/card",
    "programme": "{mentoring[programme]}",
    "request for a mentor": "{mentoring[programme]}/request",
    "mentors who suit": "{mentoring[need]}",
    "asked to mentor": "{mentoring[asked]}",
    "pair": "{mentoring[pair]}",
    "what one wrote to the other": "{mentoring[entry]}",
    "certificate": "{mentoring[certificate]}",
}
FOR_ADMINS = {
    "new forum": "/forums/new",
    "forum form": "/f/counters/edit",
    "forum people": "/f/staff/people",
    "reports": "/f/counters/reports",
    "shutting out": "{thread}/shut-out",
    "administration": "/admin",
    "agencies and rules": "/admin/federation",
    "a knock": "/admin/federation/knock/stranger.example.org",
    "a peer": "/admin/federation/peer/{lakeside}",
    "a peer in trouble": "/admin/federation/peer/harbor.example.gov",
    "a peer to forget": "/admin/federation/peer/harbor.example.gov/forget",
    "people": "/admin/people",
    "apps of members": "/admin/apps",
    "letters": "/admin/letters",
    "record": "/admin/record",
    "keys": "/admin/keys",
    "keeping the library": "/practices/keeping",
    "reviews to look after": "/reviews/board",
    "withdrawing a practice": "/p/{quiet}/notice",
    "a review to look after": "{case}",
    "new programme": "/mentoring/programmes/new",
    "programme form": "{mentoring[programme]}/edit",
    "programme desk": "{mentoring[programme]}/desk",
}


# As long as the town lasts: a worker may come back to these tests after others.
@pytest.fixture(scope="session")
def places(town: Town) -> dict[str, Any]:
    """What the addresses above leave open."""
    town.clock.let_pass(minutes=1)
    dee = town.newcomer(town.riverton, "Dee Okafor")
    counters = town.forum(town.riverton, "counters", "Service counters")
    town.forum(town.riverton, "staff", "Staff room", "members")
    permits = town.forum(town.lakeside, "permits", "Permits and licensing")
    copied = town.follow(town.riverton, "permits")
    table = "| Step | Before |\n|---|---|\n| First look | 6 days |\n\n> `why` so *long*?\n"
    thread = town.thread(town.riverton, "ana", counters, "A quiet hour", table)
    town.endorse(town.riverton, dee, thread)
    answer = town.reply(town.riverton, dee, thread, "@ana, how do people hear of it?")
    town.reply(town.riverton, "ana", answer, "Through the schools.")
    opener = town.thread(town.lakeside, "marek", permits, "How we cut permit times", table)
    copy = town.arrived(town.riverton, opener)
    last = copy
    for _ in range(5):
        last = town.reply(town.riverton, dee, last, "And then?")
    digital = town.practice(town.riverton, "ana", counters)
    adopted = town.arrived(town.riverton, town.practice(town.lakeside, "marek", permits))
    made, offer = town.offer(town.riverton, "ana", counters, adopted)
    town.warning(town.riverton, "ana", digital)
    quiet = town.practice(town.riverton, dee, counters, name="A quiet hour", kind="attempt")
    wrong = {"outcomes__1__baseline__value": "", "started": "2025-02-30"}
    half = town.half_a_practice(town.riverton, "ana", counters, **wrong)
    fetched = town.arrived(town.riverton, town.resource(town.lakeside, "marek", permits))
    adapted = town.resource(town.riverton, "ana", counters, fetched)
    template = town.half_a_resource(town.riverton, "ana")
    event = town.event(town.riverton, "ana", counters, guest=dee)
    webinar = town.arrived(town.riverton, town.event(town.lakeside, "marek", permits))
    town.knock(town.riverton, "stranger.example.org")
    town.trouble(town.riverton, "harbor.example.gov", thread)
    return {
        "thread": f"/p/{thread.id}",
        "branch": f"/p/{answer.id}",
        "copy": f"/p/{copy.id}",
        "forum": f"/f/{copied.handle}@{copied.peer}",
        "lakeside": town.lakeside.host,
        "practice": f"/p/{digital.id}",
        "adopted": f"/p/{adopted.id}",
        "made": f"/p/{made.id}",
        "offer": f"/practices/offers/{offer}",
        "permits": str(digital.id),
        "quiet": str(quiet.id),
        "half": f"/practices/drafts/{half}",
        "unpublished": f"/reviews/drafts/{half}",
        "resource": f"/p/{adapted.id}",
        "fetched": f"/p/{fetched.id}",
        "event": f"/p/{event.id}",
        "webinar": f"/p/{webinar.id}",
        "template": f"/resources/drafts/{template}",
        **reviews(town, digital, quiet, dee),
        "consent": town.run(let_in(town.riverton.instance, town.riverton.people["ana"], thread)),
        "mentoring": town.mentoring(town.riverton, "ana", "sam"),
    }


@pytest.fixture(scope="module")
def pages(town: Town, browser: Chromium) -> Iterator[dict[str, Page]]:
    """One window each for a visitor, a member and an administrator, with axe in every page."""
    windows = Windows(town, browser)
    opened = {
        "visitor": windows.visitor(town.riverton),
        "member": windows.member(town.riverton, "ana"),
        "admin": windows.member(town.riverton, "sam"),
    }
    # Handed over once for each window, not for each page: it is half a megabyte.
    sessions = [page.context.new_cdp_session(page) for page in opened.values()]
    for session in sessions:
        session.send("Page.enable")
        session.send("Page.addScriptToEvaluateOnNewDocument", {"source": AXE})
    yield opened
    for session in sessions:
        session.detach()
    windows.close()
    assert windows.complaints == []


def violations(page: Page) -> list[str]:
    """What axe finds, one line for each rule and element."""
    found: list[str] = page.evaluate(RUN, OPTIONS)
    return found


def faults(page: Page) -> list[str]:
    """What is wrong with an open page at any width and in any colours."""
    found = []
    for width, scheme in LOOKS:
        page.set_viewport_size({"width": width, "height": HEIGHT})
        page.emulate_media(color_scheme=scheme)
        found += [f"{width} {scheme}: {line}" for line in violations(page)]
    page.set_viewport_size({"width": NARROWEST, "height": HEIGHT})
    wide = page.evaluate("document.documentElement.scrollWidth")
    if wide > NARROWEST:
        found.append(f"{NARROWEST}: is {wide} pixels wide")
    return found


CASES = [
    *(("visitor", name, path) for name, path in FOR_VISITORS.items()),
    *(("member", name, path) for name, path in FOR_MEMBERS.items()),
    *(("admin", name, path) for name, path in FOR_ADMINS.items()),
]


@pytest.mark.parametrize(
    ("who", "path"),
    [(who, path) for who, _, path in CASES],
    ids=[f"{who}: {name}" for who, name, _ in CASES],
)
def test_a_page_is_accessible(
    pages: dict[str, Page], places: dict[str, Any], who: str, path: str
) -> None:
    page = pages[who]
    page.goto(path.format(**places))
    found = faults(page)
    assert not found, "\n".join(found)


@pytest.mark.parametrize("path", ["/f/counters/new", "/admin/federation"])
def test_a_refused_form_is_accessible(
    pages: dict[str, Page], places: dict[str, Any], path: str
) -> None:
    assert places
    page = pages["admin"]
    page.goto(path)
    page.locator("main form .btn.main").last.click()
    page.locator("#faults").wait_for()
    found = faults(page)
    assert not found, "\n".join(found)


def test_a_section_that_needs_another_look_is_accessible(
    pages: dict[str, Page], places: dict[str, Any]
) -> None:
    page = pages["member"]
    page.goto(f"{places['half']}/outcomes/1")
    page.get_by_role("button", name="Save and continue").click()
    page.locator("#faults").wait_for()
    found = faults(page)
    assert not found, "\n".join(found)


def test_choosing_from_a_calendar_file_is_accessible(
    pages: dict[str, Page], places: dict[str, Any]
) -> None:
    assert places
    page = pages["member"]
    page.goto("/f/counters/events/new")
    page.get_by_text("Take it from a calendar file").click()
    page.get_by_label("Calendar file").set_input_files(
        {"name": "term.ics", "mimeType": "text/calendar", "buffer": TERM}
    )
    page.get_by_role("button", name="Read the file").click()
    page.get_by_role("button", name="Put these into the calendar").wait_for()
    found = faults(page)
    assert not found, "\n".join(found)


def test_a_thread_that_tells_of_a_new_reply_is_accessible(
    town: Town, pages: dict[str, Page], places: dict[str, Any]
) -> None:
    assert places
    forum = town.forum(town.riverton, "desks", "Front desks")
    opener = town.thread(town.riverton, "sam", forum, "Who opens at eight?")
    page = pages["member"]
    page.goto(f"/p/{opener.id}")
    town.reply(town.riverton, "sam", opener, "We do.")
    page.locator("#news .btn").wait_for()
    found = faults(page)
    assert not found, "\n".join(found)


def test_a_page_that_is_not_accessible_is_seen(pages: dict[str, Page]) -> None:
    page = pages["visitor"]
    page.goto("/help")
    page.evaluate(
        """() => {
            const words = document.createElement("p");
            words.textContent = "Hardly to be read";
            words.style.color = "light-dark(#ddd, #333)";
            words.style.width = "400px";
            document.querySelector("main h1").after(words, document.createElement("input"));
        }"""
    )
    found = faults(page)
    for expected in ("1280 light: label: ", "375 dark: color-contrast: ", "320: is "):
        assert [line for line in found if line.startswith(expected)], "\n".join(found)
