# SPDX-License-Identifier: Apache-2.0
"""What a member keeps for themselves, on the site as in their apps."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from server import bookmarks
from server.posts import pages
from server.timelines import lists, statuses
from server.timelines.spans import Span
from server.viewers import Viewer
from web.forms import submit
from web.paging import place
from web.spots import Spot, post_id
from web.visits import arrive

PAGE = 30


async def index(request: Request) -> Response:
    """Everything the member keeps, the latest first."""
    visit = await arrive(request)
    before = place(request)
    span = Span(PAGE, max_id=before)
    async with visit.instance.reading() as session:
        viewer = Viewer(visit.member)
        found = await lists.bookmarked(session, viewer, span)
        told = await statuses.told(session, viewer, [line.post for _, line in found])
        openers = {one.post.thread_id for one in told.values()}
        titles = {
            one.post.id: one.post.title for one in await pages.found(session, viewer, [*openers])
        }
    lines = [told[line.post] for _, line in found if line.post in told]
    older = found[-1][0] if len(found) == PAGE else None
    return visit.page("bookmarks/index.html", lines=lines, titles=titles, older=older)


async def keep(request: Request) -> Response:
    """Keep a post for oneself."""
    visit, form = await submit(request)
    member = visit.member
    async with visit.instance.reading() as session:
        post, _ = await pages.locate(session, visit.viewer, post_id(request))
    async with visit.instance.transaction() as tx:
        await bookmarks.keep(tx, member, post)
    spot = Spot.read(form["on"]) or Spot(post.id)
    return visit.go(spot.path(post.id), "kept")


async def drop(request: Request) -> Response:
    """Keep it no longer."""
    visit, _ = await submit(request)
    member = visit.member
    async with visit.instance.reading() as session:
        post, _ = await pages.locate(session, visit.viewer, post_id(request))
    async with visit.instance.transaction() as tx:
        await bookmarks.drop(tx, member, post)
    return visit.go("/me/kept", "kept_no_longer")


routes = [
    Route("/me/kept", index),
    Route("/p/{id}/keep", keep, methods=["POST"]),
    Route("/p/{id}/drop", drop, methods=["POST"]),
]
