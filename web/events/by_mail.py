# SPDX-License-Identifier: Apache-2.0
"""Signing up without an account: a form, and the page behind a letter's link."""

from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from server.calendar import by_mail
from server.calendar.pages import Read, guest_by_token, read
from server.errors import Invalid, NotAllowed, NotFound, Refusal
from server.viewers import VISITOR
from web import limits
from web.errors import STATUS
from web.forms import submit
from web.limits import Limit
from web.spots import post_id
from web.templates import path_of
from web.visits import Visit, arrive

BY_MAIL = Limit("by mail", 6, 3_600)


async def _open(request: Request, visit: Visit) -> Read:
    async with visit.instance.reading() as session:
        found = await read(session, VISITOR, post_id(request))
    if not by_mail.is_open(found.post, found.forum, found.author, found.event):
        raise NotFound
    return found


def _page(visit: Visit, found: Read, typed: Mapping[str, str], error: Refusal | None) -> Response:
    return visit.page(
        "events/by_mail.html",
        STATUS.get(type(error), 400) if error else 200,
        found=found,
        post=found.post,
        typed=typed,
        faults=error.fields if isinstance(error, Invalid) else {},
        sentence=error.sentence if error else "",
    )


async def form(request: Request) -> Response:
    """The empty form."""
    visit = await arrive(request)
    return _page(visit, await _open(request, visit), {}, None)


async def send(request: Request) -> Response:
    """Send a letter with a link."""
    visit, sent = await submit(request)
    found = await _open(request, visit)
    limits.spend(visit, BY_MAIL)
    try:
        async with visit.instance.transaction() as tx:
            await by_mail.ask(tx, found.post, sent["name"], sent["email"])
    except (Invalid, NotAllowed) as error:
        return _page(visit, found, sent.values, error)
    return visit.go(path_of(found.post), "place_letter")


async def place(request: Request) -> Response:
    """Where somebody stands, with a button: opening the page alone changes nothing."""
    visit = await arrive(request)
    token = request.path_params["token"]
    async with visit.instance.reading() as session:
        found, guest, number = await guest_by_token(session, VISITOR, post_id(request), token)
    response = visit.page(
        "events/place.html", found=found, post=found.post, guest=guest, number=number, token=token
    )
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


async def answer(request: Request) -> Response:
    """Take the place, or give it back."""
    visit, sent = await submit(request)
    token = request.path_params["token"]
    async with visit.instance.transaction() as tx:
        await by_mail.answer(tx, post_id(request), token, comes=sent["action"] == "take")
    return visit.go(request.url.path, "place_noted")


routes = [
    Route("/p/{id}/by-mail", form),
    Route("/p/{id}/by-mail", send, methods=["POST"]),
    Route("/p/{id}/place/{token}", place),
    Route("/p/{id}/place/{token}", answer, methods=["POST"]),
]
