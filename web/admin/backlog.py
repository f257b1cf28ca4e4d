# SPDX-License-Identifier: Apache-2.0
"""How much waits for a peer and from it."""

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from server import backlog
from web.admin.door import enter


async def page(request: Request) -> Response:
    """Two numbers."""
    visit = await enter(request)
    async with visit.instance.reading() as session:
        outstanding, unapplied = await backlog.backlog(session, request.path_params["host"])
    return HTMLResponse(
        f'<p data-outstanding="{outstanding}">{outstanding}</p>'
        f'<p data-unapplied="{unapplied}">{unapplied}</p>'
    )


routes = [Route("/admin/federation/peer/{host}", page)]
