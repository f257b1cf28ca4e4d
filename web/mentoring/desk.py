# SPDX-License-Identifier: Apache-2.0
"""The desk of a programme's stewards."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from server.mentoring import desk, matching, profiles, terms
from web.forms import submit
from web.mentoring.numbers import numbered
from web.mentoring.reading import read_here
from web.visits import arrive


async def show(request: Request) -> Response:
    """Who looks for what, totals, and reports."""
    visit = await arrive(request)
    number = numbered(request, "programme")
    async with visit.instance.reading() as session:
        page = await desk.page(session, visit.instance, visit.member, number)
    await read_here(visit)
    return visit.page(
        "mentoring/desk.html", page=page, terms=terms, most=matching.MOST, least=desk.LEAST
    )


async def propose(request: Request) -> Response:
    """Propose a mentor to somebody."""
    visit, form = await submit(request)
    number = numbered(request, "programme")
    need, card = profiles.number_of(form["need"]), profiles.number_of(form["card"])
    async with visit.instance.transaction() as tx:
        await desk.propose(tx, visit.member, number, need, card)
    return visit.go(f"/mentoring/programmes/{number}/desk", "mentor_proposed")


routes = [
    Route("/mentoring/programmes/{programme}/desk", show),
    Route("/mentoring/programmes/{programme}/desk", propose, methods=["POST"]),
]
