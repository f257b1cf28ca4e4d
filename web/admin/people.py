# SPDX-License-Identifier: Apache-2.0
"""Accounts of this agency, and inviting more."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from server.errors import Invalid
from server.members import accounts
from web.admin.door import enter, enter_with_form
from web.visits import Visit


async def index(request: Request) -> Response:
    """Everybody who has an account, and the invitations still open."""
    return await _page(await enter(request))


async def invite(request: Request) -> Response:
    """Make a link and show it, this once: only its hash is kept."""
    visit, form = await enter_with_form(request)
    try:
        async with visit.instance.transaction() as tx:
            token = await accounts.invite(tx, visit.member, form["note"])
    except Invalid as error:
        return await _page(visit, note=form["note"], error=error)
    link = f"{visit.instance.settings.origin}/invitation/{token}"
    return await _page(visit, link, form["note"])


async def _page(
    visit: Visit, link: str = "", note: str = "", error: Invalid | None = None
) -> Response:
    async with visit.instance.reading() as session:
        members = await accounts.page(session)
        invitations = await accounts.open_invitations(session, visit.instance.clock.now())
    return visit.page(
        "admin/people.html",
        422 if error else 200,
        members=members,
        invitations=invitations,
        link=link,
        note=note,
        faults=error.fields if error else {},
    )


routes = [
    Route("/admin/people", index),
    Route("/admin/people", invite, methods=["POST"]),
]
