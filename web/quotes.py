# SPDX-License-Identifier: Apache-2.0
"""Where a member's post is quoted elsewhere, and allowing that no longer."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from server import quotes
from server.errors import NotFound
from server.posts import pages
from web.forms import submit
from web.spots import identifier, post_id
from web.visits import arrive


async def index(request: Request) -> Response:
    """The posts elsewhere that may show it."""
    visit = await arrive(request)
    async with visit.instance.reading() as session:
        page = await quotes.page(session, visit.viewer, post_id(request))
    return visit.page("posts/quotes.html", page=page)


async def take_back(request: Request) -> Response:
    """One of them may no longer."""
    visit, form = await submit(request)
    member, number = visit.member, identifier(form["quote"])
    async with visit.instance.reading() as session:
        post, _ = await pages.locate(session, visit.viewer, post_id(request))
    async with visit.instance.transaction() as tx:
        if number is None:
            raise NotFound
        await quotes.take_back(tx, member, post, number)
    return visit.go(f"/p/{post.id}/quotes", "quote_taken_back")


routes = [
    Route("/p/{id}/quotes", index),
    Route("/p/{id}/quotes", take_back, methods=["POST"]),
]
