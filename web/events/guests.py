# SPDX-License-Identifier: Apache-2.0
"""Who comes to an event: the organiser's list."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from server.calendar import attendance, certificates
from server.calendar.pages import guests_page
from server.events.details import KINDS
from web.forms import submit
from web.paging import place
from web.spots import identifier, post_id
from web.visits import arrive


async def guests(request: Request) -> Response:
    """Who has a place and who waits."""
    visit = await arrive(request)
    async with visit.instance.reading() as session:
        page = await guests_page(
            session, visit.viewer, post_id(request), after=place(request, "after")
        )
    now = visit.instance.clock.now()
    return visit.page(
        "events/guests.html",
        page=page,
        post=page.read.post,
        event=page.read.event,
        details=page.read.details,
        has_begun=page.read.event.starts <= now,
    )


async def note(request: Request) -> Response:
    """Say of a guest that they were there, or were not, or take their place back."""
    visit, sent = await submit(request)
    number = post_id(request)
    async with visit.instance.reading() as session:
        page = await guests_page(session, visit.viewer, number)
    async with visit.instance.transaction() as tx:
        await attendance.note(
            tx, visit.member, page.read.post, identifier(sent["guest"]) or 0, sent["action"]
        )
    return visit.go(f"/p/{number}/guests", "guest_noted")


async def certificate(request: Request) -> Response:
    """A certificate to print, for whoever has its address."""
    visit = await arrive(request)
    vault, ours = visit.instance.vault, visit.instance.settings.agency_name
    async with visit.instance.reading() as session:
        found = await certificates.certificate(
            session, vault, post_id(request), request.path_params["key"], ours
        )
    response = visit.page("events/certificate.html", found=found, KINDS=KINDS)
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


routes = [
    Route("/p/{id}/certificate/{key}", certificate),
    Route("/p/{id}/guests", guests),
    Route("/p/{id}/guests", note, methods=["POST"]),
]
