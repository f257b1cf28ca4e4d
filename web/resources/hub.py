# SPDX-License-Identifier: Apache-2.0
"""The hub's own pages: browsing, and what licences allow."""

import json

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from server.hub import catalog, lists
from server.hub.lists import FACETS
from server.practices.keeping import library
from server.resources import licences, terms
from web.paging import place
from web.visits import arrive

LONGEST = 200
Options = list[tuple[str, str]]


async def browse(request: Request) -> Response:
    """Resources by what is chosen."""
    visit = await arrive(request)
    asked = request.query_params
    chosen = {
        facet: asked[facet].strip()[:LONGEST] for facet in FACETS if asked.get(facet, "").strip()
    }
    before = place(request)
    async with visit.instance.reading() as session:
        kept = await library(session)
        found = await lists.browse(session, visit.viewer, chosen, before=before)
    fields: list[tuple[str, str, Options]] = [
        ("kind", "Kind", list(terms.KINDS.items())),
        ("topic", "Topic", list(kept.topics)),
        ("license", "Licence", [(one.spdx, one.name) for one in licences.LICENCES.values()]),
        ("agency", "Agency", [(agency, agency) for agency in found.agencies]),
    ]
    return visit.page(
        "resources/hub.html",
        found=found,
        chosen=chosen,
        library=kept,
        fields=fields,
        first=before is None,
        terms=terms,
        licences=licences,
    )


async def allowed(request: Request) -> Response:
    """What one can, must and cannot do under each licence."""
    visit = await arrive(request)
    return visit.page("resources/licences.html", licences=licences.LICENCES)


async def catalogue(request: Request) -> Response:
    """The hub for other portals: the same for everybody, whoever asks."""
    visit = await arrive(request)
    async with visit.instance.reading() as session:
        document = await catalog.catalog(session, visit.instance.settings, place(request))
    headers = {"Access-Control-Allow-Origin": "*", "Cache-Control": "public, max-age=300"}
    body = json.dumps(document, ensure_ascii=False)
    return Response(body, media_type="application/ld+json", headers=headers)


routes = [
    Route("/catalog.jsonld", catalogue),
    Route("/resources", browse),
    Route("/resources/licences", allowed),
]
