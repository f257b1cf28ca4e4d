# SPDX-License-Identifier: Apache-2.0
"""The library's own pages: browsing, and two or three side by side."""

import asyncio
import re

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from server import text
from server.library import lists
from server.practices import evidence, prose, terms
from server.practices.facets import FACETS
from server.practices.keeping import Library, library
from web.paging import place
from web.practices.figures import figures
from web.spots import identifier
from web.visits import arrive

LONGEST = 200
Options = list[tuple[str, str]]


async def browse(request: Request) -> Response:
    """Practices by what is chosen; `?like=us` chooses what our own agency is like."""
    visit = await arrive(request)
    asked = request.query_params
    chosen = {
        facet: asked[facet].strip()[:LONGEST] for facet in FACETS if asked.get(facet, "").strip()
    }
    before = place(request)
    async with visit.instance.reading() as session:
        kept = await library(session)
        is_like_us = asked.get("like") == "us" and visit.viewer.is_member and bool(_like_us(kept))
        looked_for = {**chosen, **(_like_us(kept) if is_like_us else {})}
        found = await lists.browse(session, visit.viewer, looked_for, before=before)
    return visit.page(
        "practices/library.html",
        found=found,
        chosen=chosen,
        like_us=is_like_us,
        library=kept,
        fields=_fields(kept, found.agencies, found.countries),
        query=_query({**chosen, **({"like": "us"} if is_like_us else {})}),
        first=before is None,
        terms=terms,
        steps=list(evidence.Step),
    )


def _like_us(kept: Library) -> dict[str, str]:
    """The facets of our own profile; a place like ours is one with the same level and size."""
    profile = kept.profile
    found = {"level": profile.level, "population": profile.population_band}
    return {facet: value for facet, value in found.items() if value}


def _fields(
    kept: Library, agencies: list[str], countries: list[str]
) -> list[tuple[str, str, Options]]:
    """What can be chosen: the facet, its name, its options."""
    ladder: Options = [(str(int(step)), step.label) for step in evidence.Step]
    return [
        ("topic", "Topic", list(kept.topics)),
        ("function", "Function (COFOG)", [(c, f"{c} {w}") for c, w in terms.FUNCTIONS.items()]),
        ("level", "Level of government", list(terms.LEVELS.items())),
        ("population", "Population", list(terms.BANDS.items())),
        ("area", "Kind of area", list(terms.AREAS.items())),
        ("country", "Country", [(country, country) for country in countries]),
        ("cost", "Cost", list(terms.COSTS.items())),
        ("stage", "Stage", list(terms.STAGES.items())),
        ("evidence", "Evidence", ladder),
        ("kind", "Kind", list(terms.KINDS.items())),
        ("agency", "Agency", [(agency, agency) for agency in agencies]),
    ]


def _query(chosen: dict[str, str]) -> dict[str, str]:
    """What a link to the next page carries along."""
    return {name: value for name, value in chosen.items() if value}


async def compare(request: Request) -> Response:
    """Two or three practices side by side; `?p=ID` for each."""
    visit = await arrive(request)
    asked = [identifier(value) for value in request.query_params.getlist("p")[:10]]
    async with visit.instance.reading() as session:
        found = await lists.compared(session, visit.viewer, [one for one in asked if one])
        kept = await library(session)
    columns = [
        {
            "post": one.post,
            "practice": one.practice,
            "record": one.record,
            "step": evidence.Step(one.practice.evidence),
            "figures": figures(one.record),
        }
        for one in found
    ]
    return visit.page(
        "practices/compare.html",
        columns=columns,
        too_many=len(asked) > lists.MOST_COMPARED,
        rows=await asyncio.to_thread(_rows, found),
        library=kept,
        terms=terms,
    )


def _rows(found: list[lists.Compared]) -> list[tuple[str, list[str]]]:
    """The sections: a title and the HTML of what each practice says; empty ones are left out."""
    texts: list[dict[str, str]] = [
        {section.name: section.text for section in prose.sections(one.record)} for one in found
    ]
    shown = prose.section_titles()
    for name in ("about", "outcomes", "use"):
        shown.pop(name)
    return [
        (title, [_cell(told.get(name, "")) for told in texts])
        for name, title in shown.items()
        if any(name in told for told in texts)
    ]


def _cell(words: str) -> str:
    """A section in a cell, where a heading would stand under none."""
    return text.render(re.sub(r"^### (.+)$", r"**\1**", words, flags=re.MULTILINE))


routes = [
    Route("/practices", browse),
    Route("/practices/compare", compare),
]
