# SPDX-License-Identifier: Apache-2.0
"""Accounts of this agency, and inviting more."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from server.members import accounts
from web.admin.door import enter, enter_with_form
from web.visits import Visit


async def index(request: Request) -> Response:
    """Everybody who has an account, and the invitations still open."""
    return await _page(await enter(request))


async def invite(request: Request) -> Response:
    """Make a link and show it, this once: only its hash is kept."""
    visit, form = await enter_with_form(request)
    async with visit.instance.transaction() as tx:
        token = await accounts.invite(tx, visit.member, form["note"])
    link = f"{visit.instance.settings.origin}/invitation/{token}"
    return await _page(visit, link, form["note"])


async def _page(visit: Visit, link: str = "", note: str = "") -> Response:
    async with visit.instance.reading() as session:
        members = await accounts.page(session)
        invitations = await accounts.open_invitations(session, visit.instance.clock.now())
    return visit.page(
        "admin/people.html", members=members, invitations=invitations, link=link, note=note
    )


routes = [
    Route("/admin/people", index),
    Route("/admin/people", invite, methods=["POST"]),
]
