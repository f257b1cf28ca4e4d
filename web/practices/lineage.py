# SPDX-License-Identifier: Apache-2.0
"""Drafts begun from something: another practice, a discussion, oneself."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from server.forums.standing import standing
from server.library import distilling, lineage, publishing
from server.library.pages import read
from server.permissions import Permission, Standing, must
from web.forms import submit
from web.spots import identifier, post_id
from web.templates import path_of
from web.visits import arrive


async def adapt(request: Request) -> Response:
    """Begin a practice of one's own from this one."""
    visit, _ = await submit(request)
    must(Standing(visit.member), Permission.REPLY)
    async with visit.instance.reading() as session:
        found = await read(session, visit.viewer, post_id(request))
    async with visit.instance.transaction() as tx:
        draft = await lineage.adapt(tx, visit.member, found.post)
    return visit.go(f"/practices/drafts/{draft.id}", "adapting")


async def revise(request: Request) -> Response:
    """Begin the next version, or go on with it."""
    visit, _ = await submit(request)
    async with visit.instance.reading() as session:
        found = await read(session, visit.viewer, post_id(request))
        stands = await standing(session, visit.member, found.forum)
        must(stands, Permission.EDIT_POST, found.post)
    async with visit.instance.transaction() as tx:
        draft = await lineage.revise(tx, visit.member, found.post)
    return visit.go(f"/practices/drafts/{draft.id}")


async def confirm(request: Request) -> Response:
    """Say that it was looked over and still holds."""
    visit, _ = await submit(request)
    member = visit.member
    async with visit.instance.reading() as session:
        found = await read(session, visit.viewer, post_id(request))
    async with visit.instance.transaction() as tx:
        await publishing.confirm(tx, member, found.post)
    return visit.go(path_of(found.post), "practice_confirmed")


async def choose(request: Request) -> Response:
    """The posts of a discussion to choose from."""
    visit = await arrive(request)
    must(Standing(visit.member), Permission.REPLY)
    async with visit.instance.reading() as session:
        page = await distilling.distil_page(session, visit.viewer, post_id(request))
    return visit.page("practices/distil.html", page=page, most=distilling.MOST_CHOSEN)


async def distil(request: Request) -> Response:
    """Begin a practice from what was chosen."""
    visit, form = await submit(request)
    must(Standing(visit.member), Permission.REPLY)
    chosen = {identifier(n.removeprefix("r")) or 0 for n in form.values if n.startswith("r")}
    async with visit.instance.reading() as session:
        page = await distilling.distil_page(session, visit.viewer, post_id(request))
    async with visit.instance.transaction() as tx:
        draft = await distilling.distil(tx, visit.member, page, chosen)
    return visit.go(f"/practices/drafts/{draft.id}", "distilled")


routes = [
    Route("/p/{id}/adapt", adapt, methods=["POST"]),
    Route("/p/{id}/revise", revise, methods=["POST"]),
    Route("/p/{id}/confirm", confirm, methods=["POST"]),
    Route("/p/{id}/distil", choose),
    Route("/p/{id}/distil", distil, methods=["POST"]),
]
