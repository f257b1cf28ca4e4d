# SPDX-License-Identifier: Apache-2.0
"""The home page, and the pages that explain the site."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from server import freshness
from server.forums import pages
from server.forums.pages import Place
from web.visits import arrive


async def home(request: Request) -> Response:
    """What is new in the forums a member follows; in public ones, for visitors."""
    visit = await arrive(request)
    after = Place.read(request.query_params.get("after", ""))
    async with visit.instance.reading(planned_once=True) as session:
        page = await pages.home(session, visit.viewer, after=after)
        if visit.viewer.member is None:
            scopes = freshness.of_home(line.forum.id for line in page.follows)
            visit.mark = await freshness.mark(session, scopes)
    fresh = sum(line.unread for line in page.threads)
    return visit.page("home/home.html", page=page, after=after, fresh=fresh)


async def about(request: Request) -> Response:
    """Help, privacy, accessibility."""
    visit = await arrive(request)
    return visit.page(f"home/{request.url.path.strip('/')}.html")


routes = [
    Route("/", home),
    Route("/help", about),
    Route("/privacy", about),
    Route("/accessibility", about),
]
