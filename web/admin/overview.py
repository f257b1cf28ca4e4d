# SPDX-License-Identifier: Apache-2.0
"""The first page of administrators."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from server import overview
from web.admin.door import enter


async def index(request: Request) -> Response:
    """What there is, what needs a hand, what to do next."""
    visit = await enter(request)
    async with visit.instance.reading() as session:
        page = await overview.page(session, visit.instance.clock.now())
    worker = getattr(request.app.state, "worker", None)
    return visit.page(
        "admin/overview.html",
        page=page,
        mode=visit.instance.settings.federates,
        working=None if worker is None else bool(worker.healthy),
    )


routes = [Route("/admin", index)]
