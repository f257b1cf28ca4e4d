# SPDX-License-Identifier: Apache-2.0
"""The form by which an author warns of a practice, or withdraws it."""

from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from server.errors import Invalid, Locked, TooFast
from server.forums.standing import standing
from server.library import warning
from server.library.pages import Read, read
from server.permissions import Permission, must
from server.practices import notices
from server.practices.notices import Notice
from web.errors import STATUS
from web.forms import submit
from web.spots import post_id
from web.templates import path_of
from web.visits import Visit, arrive


async def form(request: Request) -> Response:
    """The form, with the notice that stands."""
    visit = await arrive(request)
    found, stands = await _found(visit, request)
    typed = {"kind": stands.kind, "words": stands.words} if stands else {}
    return _page(visit, found, stands, typed, None)


async def _found(visit: Visit, request: Request) -> tuple[Read, Notice | None]:
    async with visit.instance.reading() as session:
        found = await read(session, visit.viewer, post_id(request))
        must(await standing(session, visit.member, found.forum), Permission.EDIT_POST, found.post)
        return found, await notices.of(session, found.post.uri)


def _page(
    visit: Visit,
    found: Read,
    stands: Notice | None,
    typed: Mapping[str, str],
    error: Invalid | Locked | TooFast | None,
) -> Response:
    return visit.page(
        "practices/warning.html",
        STATUS.get(type(error), 400) if error else 200,
        post=found.post,
        stands=stands,
        typed=typed,
        faults=error.fields if isinstance(error, Invalid) else {},
        sentence=error.sentence if error else "",
    )


async def warn(request: Request) -> Response:
    """Give a notice, or take the one that stands back."""
    visit, sent = await submit(request)
    found, stands = await _found(visit, request)
    lifts = sent["action"] == "lift"
    try:
        async with visit.instance.transaction() as tx:
            if lifts:
                await warning.lift(tx, visit.member, found.post)
            else:
                await warning.warn(tx, visit.member, found.post, sent["kind"], sent["words"])
    except (Invalid, Locked, TooFast) as error:
        return _page(visit, found, stands, sent.values, error)
    return visit.go(path_of(found.post), "practice_cleared" if lifts else "practice_warned")


routes = [
    Route("/p/{id}/notice", form),
    Route("/p/{id}/notice", warn, methods=["POST"]),
]
