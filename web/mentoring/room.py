# SPDX-License-Identifier: Apache-2.0
"""The front page of the mentoring room."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from server.mentoring import room, terms
from web.visits import arrive


async def index(request: Request) -> Response:
    """Programmes, one's card, requests and pairs, and what waits for an answer."""
    visit = await arrive(request)
    async with visit.instance.reading() as session:
        page = await room.page(session, visit.member)
    return visit.page("mentoring/index.html", page=page, terms=terms)


routes = [Route("/mentoring", index)]
