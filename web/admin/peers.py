# SPDX-License-Identifier: Apache-2.0
"""One agency's server: how sharing with it fares, and what to do about it."""

from collections.abc import Awaitable, Callable
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from server import traffic
from server.errors import NotFound
from server.rows import Member, Peer
from server.traffic import PeerPage
from server.transaction import Transaction
from web.admin.door import enter, enter_with_form
from web.visits import Visit

Deed = Callable[[Transaction, Member | None, str], Awaitable[Peer]]
# What a button is called -> what it does, and what is said then.
DEEDS: dict[str, tuple[Deed, str]] = {
    "retry": (traffic.retry_now, "peer_retried"),
    "pause": (traffic.pause, "peer_paused"),
    "resume": (traffic.resume, "peer_resumed"),
    "forget": (traffic.forget, "peer_forgotten"),
}


async def show(request: Request) -> Response:
    """What it runs, what waits for it, what it said last."""
    visit = await enter(request)
    return visit.page("admin/peer.html", page=await _page(visit), most=traffic.MOST)


async def ask_to_forget(request: Request) -> Response:
    """What would be dropped, before it is."""
    visit = await enter(request)
    return visit.page("admin/forget.html", page=await _page(visit))


async def change(request: Request) -> Response:
    """Retry, pause, resume or forget."""
    visit, form = await enter_with_form(request)
    if form["action"] not in DEEDS:
        raise NotFound("There is no such button.")
    deed, said = DEEDS[form["action"]]
    async with visit.instance.transaction() as tx:
        peer = await deed(tx, visit.member, request.path_params["host"])
    visit.instance.wake()
    return visit.go(f"/admin/federation/peer/{quote(peer.host, safe=':')}", said)


async def _page(visit: Visit) -> PeerPage:
    instance, request = visit.instance, visit.request
    async with instance.reading() as session:
        return await traffic.peer_page(
            session, request.path_params["host"], instance.clock.now(), request.app.state.traffic
        )


routes = [
    Route("/admin/federation/peer/{host}", show),
    Route("/admin/federation/peer/{host}", change, methods=["POST"]),
    Route("/admin/federation/peer/{host}/forget", ask_to_forget),
]
