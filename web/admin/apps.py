# SPDX-License-Identifier: Apache-2.0
"""Apps that members use, and which of them may be used."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from server.apps import clients
from server.errors import NotFound
from server.rows import AppState
from web.admin.door import enter, enter_with_form
from web.spots import identifier


async def index(request: Request) -> Response:
    """Every app that registered here, the latest first."""
    visit = await enter(request)
    async with visit.instance.reading() as session:
        lines = await clients.page(session)
    return visit.page("admin/apps.html", lines=lines, setting=visit.instance.settings.apps)


async def judge(request: Request) -> Response:
    """Allow an app, or block it."""
    visit, form = await enter_with_form(request)
    number = identifier(form["app"])
    if number is None or form["state"] not in {AppState.ALLOWED, AppState.BLOCKED}:
        raise NotFound
    async with visit.instance.transaction() as tx:
        await clients.judge(tx, visit.member, number, AppState(form["state"]))
    return visit.go("/admin/apps", "app_judged")


routes = [
    Route("/admin/apps", index),
    Route("/admin/apps", judge, methods=["POST"]),
]
