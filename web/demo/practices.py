# SPDX-License-Identifier: Apache-2.0
"""The practices of the story, and publishing them as a person would."""

import json
from dataclasses import dataclass
from typing import Any

from web.demo.pages import Page
from web.demo.readers import Reader
from web.demo.story import ANA, COUNTERS, DEE, MAREK, PERMITS, TOM
from web.demo.visitor import Unexpected


@dataclass(frozen=True)
class Written:
    """A practice, by whom, and in which forum of their own agency."""

    forum: str
    author: str
    record: dict[str, Any]
    reports: tuple["Reported", ...] = ()
    adaptations: tuple["Adapted", ...] = ()
    is_reviewed: bool = False


@dataclass(frozen=True)
class Reported:
    """What came of a practice at another agency, told by somebody there, as in the form."""

    author: str
    fields: dict[str, str]


@dataclass(frozen=True)
class Adapted:
    """What somebody elsewhere made of a practice, in a forum of their own agency."""

    author: str
    forum: str
    title: str
    lessons: str


_PERMITS: dict[str, Any] = {
    "v": 1,
    "name": "Digital permits with a completeness check",
    "summary": "An online form that refuses incomplete applications cut median permit time"
    " from 21 to 12.6 days in eight months.",
    "agency": "City of Lakeside",
    "partners": [{"name": "Lakeside Builders’ Association", "role": "tried the form first"}],
    "contact": "permits@lakeside.example.gov",
    "setting": {
        "country": "US",
        "level": "city",
        "populationBand": "50k-499k",
        "urbanRural": "mixed",
        "size": "About 3,600 building permits a year",
    },
    "problem": "Two of three applications came back at least once, most of them for a paper that"
    " everybody at the counter could have named on the first day. The clock ran meanwhile, and"
    " nobody could say whose time it was.",
    "solution": "One online form asks for what **this** kind of work needs, and cannot be sent"
    " before it is there. Each refusal says what is missing and where to get it. The permit clock"
    " starts when an application is complete, and both times are published.",
    "novelty": "new-here",
    "steps": [
        {
            "title": "Map what makes an application incomplete",
            "text": "Take two weeks of returned applications and sort them by reason. Ten reasons"
            " made up nine tenths of ours.",
            "role": "Permit manager",
            "duration": "10 days",
            "output": "A list of checks, the most frequent first",
        },
        {
            "title": "Write the checks in plain words",
            "text": "Each says what is missing, why it is needed, and where to get it.",
            "role": "Analyst, counter staff",
            "duration": "3 weeks",
            "resourceId": ["https://lakeside.example.gov/permits/34-checks"],
        },
        {
            "title": "Try them with people who apply every week",
            "role": "Digital services",
            "duration": "2 weeks",
            "pitfall": "Builders know the answers by heart: invite somebody who builds once.",
        },
        {
            "title": "Switch on, with the counter beside it",
            "text": "Nobody is sent away: staff fill in the form with the applicant.",
            "role": "Counter staff",
            "duration": "From then on",
        },
    ],
    "costs": {"startup": 140_000, "yearly": 18_000, "currency": "USD", "year": 2025},
    "costBand": 3,
    "staff": {"fte": 1.5, "skills": "Forms, plain language"},
    "stage": "live",
    "started": "2025-02",
    "outcomes": [
        {
            "indicator": "Days from filing to permit",
            "unit": "days",
            "direction": "down",
            "statistic": "median",
            "baseline": {"value": 21, "date": "2025-01", "n": 1204},
            "target": {"value": 14},
            "actual": {"value": 12.6, "date": "2025-09", "n": 1187},
            "method": "all building permits of a month, from the permit register",
        },
        {
            "indicator": "Applications complete at first",
            "unit": "%",
            "direction": "up",
            "statistic": "proportion",
            "baseline": {"value": 34, "date": "2025-01", "n": 1204},
            "actual": {"value": 81, "date": "2025-09", "n": 1187},
        },
    ],
    "notWorked": [
        "Refusing scanned drawings outright: contractors went back to paper for six weeks.",
        "A form for everything: people filled in the wrong half.",
    ],
    "lessons": ["Begin with the ten reasons that matter, not with the law."],
    "conditions": [
        {"text": "Electronic payment", "must": True},
        {"text": "A counter that helps with the form"},
    ],
    "topics": ["permits-and-licensing", "digital-services"],
    "functions": ["04.4", "06.2"],
    "tags": ["permits", "forms"],
    "license": "CC-BY-4.0",
}
_QUIET_HOUR: dict[str, Any] = {
    "v": 1,
    "kind": "attempt",
    "name": "A quiet hour at the service counter",
    "summary": "An hour without telephones let counter staff finish what was begun, and moved the"
    " calls to the next hour.",
    "agency": "City of Riverton",
    "setting": {"country": "US", "level": "city", "populationBand": "10k-49k"},
    "problem": "Half of all visits were interrupted by the telephone at least once.",
    "solution": "From nine to ten nobody answered the telephone at the counter, for three months.",
    "steps": [
        {"title": "Say so on the tape and the website"},
        {"title": "Send calls of that hour to a voice mailbox"},
        {
            "title": "Call everybody back before noon",
            "pitfall": "This is what nobody had time for.",
        },
    ],
    "stage": "ended",
    "started": "2026-03",
    "ended": "2026-06",
    "outcomes": [
        {
            "indicator": "Minutes for a visit",
            "unit": "min",
            "direction": "down",
            "statistic": "mean",
            "baseline": {"value": 14.2, "date": "2026-02", "n": 26, "sd": 5.1},
            "actual": {"value": 13.8, "date": "2026-05", "n": 28, "sd": 5.6},
        }
    ],
    "notWorked": [
        "People called at ten instead, all at once.",
        "One in five was never called back.",
    ],
    "lessons": ["A second person on the telephone would have cost as much and helped more."],
    "topics": ["customer-service"],
    "functions": ["01.3"],
    "license": "CC0-1.0",
}
NUMBERS = {
    "o0.baseline.value": "21",
    "o0.baseline.date": "2025-11",
    "o0.baseline.n": "300",
    "o0.actual.value": "12.6",
    "o0.actual.date": "2026-09",
    "o0.actual.n": "310",
    "setting.level": "city",
    "setting.populationBand": "10k-49k",
    "setting.country": "US",
    "fidelity": "adapted",
    "changed": "Scanned drawings are still taken at the counter.",
}
"""What Riverton reports: the same indicator, its own numbers."""
LESSON = "Begin with the ten reasons that return most applications."
PRACTICES = (
    Written(
        PERMITS,
        MAREK,
        _PERMITS,
        (Reported(ANA, NUMBERS),),
        (Adapted(TOM, COUNTERS, "Permits that are complete on the first day", LESSON),),
        is_reviewed=True,
    ),
    Written(COUNTERS, DEE, _QUIET_HOUR),
)


async def publish(reader: Reader, written: Written) -> Page:
    """Make a draft of the file, choose the forum, publish; answers the practice's page."""
    browser = reader.browser
    file = json.dumps(written.record, ensure_ascii=False)
    draft = await browser.submit("/practices/new", "/practices/new", file=file, action="import")
    forum = choice(draft, (await browser.open(f"/f/{written.forum.partition('/')[2]}")).title)
    return await browser.submit(draft.path, f"{draft.path}/publish", forum=forum)


def choice(draft: Page, title: str) -> str:
    """The value of the option with these words."""
    for option in draft.root.find("option"):
        if option.text == title:
            return option.get("value")
    raise Unexpected(f"The draft at {draft.path} cannot be published in {title}.")


async def report(reader: Reader, path: str, fields: dict[str, str]) -> Page:
    """Fill in the form that reports what came of the practice at `path`."""
    form = f"/p/{number(path)}/replicate"
    return await reader.browser.submit(form, form, **fields)


async def adapt(reader: Reader, path: str, adapted: Adapted) -> Page:
    """Adapt the practice at `path`, and publish that in a forum of the reader's own agency."""
    browser = reader.browser
    draft = await browser.submit(path, f"/p/{number(path)}/adapt")
    for section, fields in (
        ("about", {"name": adapted.title}),
        ("lessons", {"lessons": adapted.lessons}),
    ):
        page = f"{draft.path}/{section}"
        await browser.submit(page, page, **fields, action="save")
    title = (await browser.open(f"/f/{adapted.forum.partition('/')[2]}")).title
    forum = choice(await browser.open(draft.path), title)
    return await browser.submit(draft.path, f"{draft.path}/publish", forum=forum)


def number(path: str) -> str:
    """The number of a post in the path of its page."""
    return path.split("/")[2]
