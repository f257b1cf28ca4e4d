# SPDX-License-Identifier: Apache-2.0
"""The first page of administrators."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from server import overview
from web.admin.door import enter

# What each loop of the worker does, for those who never read its code.
LOOPS = {
    "tell": "telling other agencies what is new",
    "receive": "taking in what other agencies sent",
    "deliver": "sending to other agencies",
    "renew": "keeping what this process works on for itself",
    "repair": "comparing copies of forums with their homes",
    "mentors": "fetching the cards of mentors elsewhere",
    "visits": "looking whether links still lead somewhere",
    "stamps": "asking for the stamps of quotes",
    "greet": "greeting the agencies we know",
    "describe": "asking other sites what they run",
    "keep": "sending letters and clearing away what has run out",
    "sweep": "removing files that nothing shows, and checking the record",
    "watch": "noticing what other processes have stored",
}


async def index(request: Request) -> Response:
    """What there is, what needs a hand, what to do next."""
    visit = await enter(request)
    async with visit.instance.reading() as session:
        page = await overview.page(session, visit.instance.clock.now())
    worker = getattr(request.app.state, "worker", None)
    return visit.page(
        "admin/overview.html",
        page=page,
        crashed_at=LOOPS.get(page.crash.loop, page.crash.loop) if page.crash else "",
        mode=visit.instance.settings.federates,
        working=None if worker is None else bool(worker.healthy),
    )


routes = [Route("/admin", index)]
