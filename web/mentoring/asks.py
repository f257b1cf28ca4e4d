# SPDX-License-Identifier: Apache-2.0
"""What a mentor is asked, and their answer."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from server.errors import NotAllowed
from server.mentoring import asks, matching, terms
from web.forms import submit
from web.mentoring.numbers import numbered
from web.mentoring.reading import read_here
from web.visits import arrive


async def show(request: Request) -> Response:
    """Who asks, what for, and how it suits."""
    visit = await arrive(request)
    async with visit.instance.reading() as session:
        page = await asks.page(session, visit.member, numbered(request, "match"))
    await read_here(visit)
    return visit.page("mentoring/ask.html", page=page, terms=terms, most=matching.MOST)


async def answer(request: Request) -> Response:
    """Accept or decline."""
    visit, form = await submit(request)
    number = numbered(request, "match")
    action = form["action"]
    async with visit.instance.transaction() as tx:
        await asks.put_to(tx.session, visit.member, number)
        if action == "accept":
            await asks.accept(tx, visit.member, number)
        elif action == "decline":
            await asks.decline(tx, visit.member, number, form["reason"])
        else:
            raise NotAllowed("This form cannot be read: reload the page and try again.")
    return visit.go(
        f"/mentoring/asks/{number}", "mentee_taken" if action == "accept" else "mentee_declined"
    )


routes = [
    Route("/mentoring/asks/{match}", show),
    Route("/mentoring/asks/{match}", answer, methods=["POST"]),
]
