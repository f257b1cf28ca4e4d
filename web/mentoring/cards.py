# SPDX-License-Identifier: Apache-2.0
"""A member's own mentor card."""

from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from server.errors import Invalid
from server.forums import pages as forums
from server.mentoring import cards, posting, profiles, terms
from web.forms import submit
from web.templates import path_of
from web.visits import Visit, arrive

BEGUN = {"languages": "en", "zone": "", "hours": "3", "capacity": "1", "one-to-one": "yes"}


async def show(request: Request) -> Response:
    """The form of the card, as it is or as it may begin."""
    visit = await arrive(request)
    return await _page(visit, None)


async def keep(request: Request) -> Response:
    """Make or change the card, or be found by nobody for a while."""
    visit, form = await submit(request)
    action = form["action"]
    try:
        async with visit.instance.transaction() as tx:
            if action in {"pause", "resume"}:
                await cards.pause(tx, visit.member, paused=action == "pause")
            else:
                draft = cards.read(form.values, visit.instance.settings)
                await cards.keep(tx, visit.member, draft)
    except Invalid as error:
        return await _page(visit, form.values, error)
    said = {"pause": "card_paused", "resume": "card_resumed"}.get(action, "card_kept")
    return visit.go("/mentoring", said)


async def _page(
    visit: Visit, typed: Mapping[str, str] | None, error: Invalid | None = None
) -> Response:
    async with visit.instance.reading() as session:
        page = await cards.page(session, visit.member)
        places = await forums.open_to(session, visit.viewer) if page.card is not None else []
    if typed is None:
        held = page.card
        typed = cards.typed_of(held, visit.instance.settings) if held is not None else BEGUN
    return visit.page(
        "mentoring/card.html",
        422 if error else 200,
        page=page,
        places=places,
        typed=typed,
        terms=terms,
        zones=sorted(profiles.zones()),
        faults=error.fields if error else {},
        sentence=error.sentence if error else "",
    )


async def post(request: Request) -> Response:
    """Post the offer in a forum, because somebody chose to."""
    visit, form = await submit(request)
    try:
        async with visit.instance.transaction() as tx:
            made = await posting.post(tx, visit.member, profiles.number_of(form["forum"]))
    except Invalid as error:
        return await _page(visit, None, error)
    return visit.go(path_of(made), "posted")


routes = [
    Route("/mentoring/card", show),
    Route("/mentoring/card", keep, methods=["POST"]),
    Route("/mentoring/card/post", post, methods=["POST"]),
]
