# SPDX-License-Identifier: Apache-2.0
"""Signing up for an event, and giving the place back."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from server.calendar import joining
from server.calendar.pages import read
from server.rows import GuestState
from web.forms import submit
from web.spots import post_id
from web.templates import path_of

_SAID = {
    GuestState.GOING: "place_taken",
    GuestState.WAITING: "place_waiting",
    GuestState.ASKED: "place_asked",
}


async def join(request: Request) -> Response:
    """Take a place, or ask the organiser's agency for one."""
    visit, _ = await submit(request)
    member = visit.member
    async with visit.instance.reading() as session:
        found = await read(session, visit.viewer, post_id(request))
    async with visit.instance.transaction() as tx:
        guest = await joining.sign_up(tx, member, found.post)
        said = _SAID[GuestState(guest.state)]
    return visit.go(f"{path_of(found.post)}#signing-up", said)


async def leave(request: Request) -> Response:
    """Give a place back."""
    visit, _ = await submit(request)
    member = visit.member
    async with visit.instance.reading() as session:
        found = await read(session, visit.viewer, post_id(request))
    async with visit.instance.transaction() as tx:
        await joining.take_back(tx, member, found.post)
    return visit.go(f"{path_of(found.post)}#signing-up", "place_given_back")


routes = [
    Route("/p/{id}/join", join, methods=["POST"]),
    Route("/p/{id}/leave", leave, methods=["POST"]),
]
