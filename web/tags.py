# SPDX-License-Identifier: Apache-2.0
"""The page of a tag, which is also where a hashtag of ours leads."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from server.forums import tagged
from web.paging import place
from web.visits import arrive


async def tag(request: Request) -> Response:
    """The threads that carry it."""
    visit = await arrive(request)
    before = place(request)
    async with visit.instance.reading() as session:
        page = await tagged.page(session, visit.viewer, request.path_params["tag"], before=before)
    return visit.page("forums/tag.html", page=page, first=before is None)


routes = [Route("/tags/{tag}", tag)]
