# SPDX-License-Identifier: Apache-2.0
"""The resources of the story, and sharing them as a person would."""

from dataclasses import dataclass

from web.demo.pages import Page
from web.demo.readers import Reader
from web.demo.visitor import Unexpected


@dataclass(frozen=True)
class Resource:
    """What is typed into the form of a resource, and its file."""

    title: str
    summary: str
    description: str
    file: str
    content: bytes


TEMPLATE = Resource(
    "Unified data platform",
    "A plan for one platform in place of nine registers: owners, interfaces, and the order.",
    "Fill in the registers you have, one a line, with whoever decides about each. The order of the"
    " work follows from the interfaces.\n\n1. List the registers.\n2. Name an owner for each.\n"
    "3. Agree on the interfaces before anything is moved.",
    "unified-data-platform.csv",
    b"Register,Owner,Interface,Move\nPeople,Revenue,REST,1\nPlaces,Survey,WFS,2\n",
)
ADAPTED = Resource(
    "Unified data platform for a health department",
    "The state's plan with what the law on health data adds: consent, and who may see what.",
    "As the state's, with a column for the legal base of each exchange.",
    "health-data-platform.csv",
    b"Register,Owner,Interface,Move,Legal base\nImmunisations,Public health,FHIR,1,Sec. 12\n",
)
CHECKLIST = Resource(
    "What makes a permit application complete",
    "The list our form asks for, one line a document, with the reason for each.",
    "Give it to applicants before they begin, and to whoever builds your form. Strike what your law"
    " does not ask for: every line costs somebody an afternoon.",
    "complete-application.csv",
    b"Document,Why,Can be sent later\nSite plan,Distances to neighbours,No\n"
    b"Proof of ownership,Who may build here,No\nEnergy certificate,State law,Yes\n",
)
LETTERS = Resource(
    "Letters that people understand at first reading",
    "Eight letters of our counters in plain words, each beside the one it replaced.",
    "Take them, put in your own rules, and read them aloud to somebody outside your office.",
    "plain-letters.md",
    b"# Your application is missing a document\n\nPlease send us the site plan by 15 May.\n",
)


@dataclass(frozen=True)
class Shared:
    """A resource, who shares it, and the title of the forum it is shared in."""

    author: str
    forum: str
    resource: Resource


SHARED = (
    Shared("lakeside/marek", "Permits and licensing", CHECKLIST),
    Shared("riverton/dee", "Service counters", LETTERS),
)


async def begin(reader: Reader, resource: Resource) -> str:
    """Begin a draft; answers its path."""
    page = await reader.browser.submit(
        "/resources/new", "/resources/new", kind="template", name=resource.title
    )
    return page.path


async def publish(
    reader: Reader, draft: str, resource: Resource | None, forum: str, *, note: str = ""
) -> Page:
    """Add the file, fill in the form and publish it; with `note`, as a new version as it stands."""
    browser = reader.browser
    typed = {"note": note} if note else {}
    if resource is not None:
        page = await browser.open(draft)
        typed |= {
            "name": resource.title,
            "summary": resource.summary,
            "description": resource.description,
            "license": "CC-BY-4.0",
            "language": "en",
            "forum": _choice(page, forum),
        }
        files = {resource.file: resource.content}
        await browser.upload(draft, draft, files, **typed, action="upload")
    else:
        typed["label"] = "2"
    return await browser.submit(draft, draft, **typed, action="publish")


def _choice(draft: Page, title: str) -> str:
    """The value of the option with these words, or with more behind them."""
    for option in draft.root.find("option"):
        if option.text.startswith(title):
            return option.get("value")
    raise Unexpected(f"The draft at {draft.path} cannot be published in {title}.")
