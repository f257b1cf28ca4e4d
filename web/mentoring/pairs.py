# SPDX-License-Identifier: Apache-2.0
"""The pages of a pair, for the two of it."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from server.errors import NotAllowed
from server.mentoring import pairs, terms
from web.forms import submit
from web.mentoring.numbers import numbered
from web.visits import arrive


async def show(request: Request) -> Response:
    """One pair."""
    visit = await arrive(request)
    async with visit.instance.reading() as session:
        page = await pairs.page(session, visit.member, numbered(request, "pair"))
    return visit.page("mentoring/pair.html", page=page, terms=terms)


async def change(request: Request) -> Response:
    """Part."""
    visit, form = await submit(request)
    number = numbered(request, "pair")
    async with visit.instance.transaction() as tx:
        await pairs.own(tx.session, visit.member, number)
        if form["action"] != "end":
            raise NotAllowed("This form cannot be read: reload the page and try again.")
        await pairs.end(tx, visit.member, number)
    return visit.go("/mentoring", "pair_ended")


routes = [
    Route("/mentoring/pairs/{pair}", show),
    Route("/mentoring/pairs/{pair}", change, methods=["POST"]),
]
