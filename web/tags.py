# SPDX-License-Identifier: Apache-2.0
"""The page of a tag, which is also where a hashtag of ours leads."""

from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from server import tag_follows
from server.forums import tagged
from web.forms import submit
from web.paging import place
from web.visits import arrive


async def tag(request: Request) -> Response:
    """The threads that carry it."""
    visit = await arrive(request)
    before = place(request)
    async with visit.instance.reading() as session:
        page = await tagged.page(session, visit.viewer, request.path_params["tag"], before=before)
    return visit.page("forums/tag.html", page=page, first=before is None)


async def follow(request: Request) -> Response:
    """Have its threads on the home page, or no longer."""
    visit, form = await submit(request)
    member, name = visit.member, tag_follows.tidy(request.path_params["tag"])
    leaves = form["action"] == "leave"
    async with visit.instance.transaction() as tx:
        await (tag_follows.leave if leaves else tag_follows.follow)(tx, member, name)
    return visit.go(f"/tags/{quote(name)}", "tag_left" if leaves else "tag_followed")


routes = [
    Route("/tags/{tag}", tag),
    Route("/tags/{tag}", follow, methods=["POST"]),
]
