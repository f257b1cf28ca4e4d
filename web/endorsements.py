# SPDX-License-Identifier: Apache-2.0
"""The button that endorses a post, and takes it back."""

from collections.abc import Awaitable, Callable
from functools import partial

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from server import endorsements
from server.posts import pages
from web.forms import submit
from web.spots import Spot, post_id


async def _toggle(request: Request, *, deed: Callable[..., Awaitable[bool]], said: str) -> Response:
    visit, form = await submit(request)
    member = visit.member
    async with visit.instance.reading() as session:
        post, _ = await pages.locate(session, visit.viewer, post_id(request))
    async with visit.instance.transaction() as tx:
        await deed(tx, member, post)
    spot = Spot.read(form["on"]) or Spot(post.id)
    return visit.go(spot.path(post.id), said)


routes = [
    Route(
        "/p/{id}/endorse",
        partial(_toggle, deed=endorsements.endorse, said="endorsed"),
        methods=["POST"],
    ),
    Route(
        "/p/{id}/withdraw",
        partial(_toggle, deed=endorsements.withdraw, said="withdrawn"),
        methods=["POST"],
    ),
]
