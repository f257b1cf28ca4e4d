# SPDX-License-Identifier: Apache-2.0
"""What a member looks for, the mentors that suit it, and asking one."""

from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from server.errors import Invalid, NotAllowed
from server.mentoring import asks, matching, needs, profiles, programmes, terms
from web.forms import submit
from web.mentoring.numbers import numbered
from web.mentoring.reading import read_here
from web.visits import Visit, arrive

BEGUN = {"languages": "en", "hours": "2"}


async def write(request: Request) -> Response:
    """The form of a request within a programme, and what it sends."""
    number = numbered(request, "programme")
    if request.method == "GET":
        visit = await arrive(request)
        return await _form(visit, number, None)
    visit, form = await submit(request)
    try:
        draft = needs.read(form.values, visit.instance.settings)
        async with visit.instance.transaction() as tx:
            need = await needs.keep(tx, visit.member, number, draft)
    except Invalid as error:
        return await _form(visit, number, form.values, error)
    return visit.go(f"/mentoring/requests/{need.id}", "need_kept")


async def _form(
    visit: Visit, number: int, typed: Mapping[str, str] | None, error: Invalid | None = None
) -> Response:
    async with visit.instance.reading() as session:
        page = await programmes.page(session, visit.member, number)
        if not page.programme.is_open:
            raise NotAllowed("This programme takes nobody at the moment.")
        if typed is None and page.need is not None:
            need, _ = await needs.own(session, visit.member, page.need)
            typed = needs.typed_of(need, visit.instance.settings)
    return visit.page(
        "mentoring/need_form.html",
        422 if error else 200,
        page=page,
        typed=BEGUN if typed is None else typed,
        terms=terms,
        zones=sorted(profiles.zones()),
        faults=error.fields if error else {},
        sentence=error.sentence if error else "",
    )


async def show(request: Request) -> Response:
    """A request with the mentors that suit it, the best first."""
    visit = await arrive(request)
    response = await _page(visit, numbered(request, "need"))
    await read_here(visit)
    return response


async def _page(
    visit: Visit, number: int, error: Invalid | None = None, card: str = "", message: str = ""
) -> Response:
    async with visit.instance.reading() as session:
        page = await needs.page(session, visit.instance, visit.member, number)
    return visit.page(
        "mentoring/need.html",
        422 if error else 200,
        page=page,
        terms=terms,
        most=matching.MOST,
        card=card,
        message=message,
        faults=error.fields if error else {},
        sentence=error.sentence if error else "",
    )


async def change(request: Request) -> Response:
    """Ask a mentor, take it back, or close the request."""
    visit, form = await submit(request)
    member, number = visit.member, numbered(request, "need")
    action = form["action"]
    chosen = profiles.number_of(form["card"] or form["match"])
    try:
        async with visit.instance.transaction() as tx:
            await needs.own(tx.session, member, number)
            if action == "ask":
                await asks.ask(tx, member, number, chosen, form["message"])
            elif action == "withdraw":
                await asks.withdraw(tx, member, chosen)
            elif action == "close":
                await asks.close_need(tx, member, number)
            else:
                raise NotAllowed("This form cannot be read: reload the page and try again.")
    except Invalid as error:
        return await _page(visit, number, error, form["card"], form["message"])
    if action == "close":
        return visit.go("/mentoring", "need_closed")
    said = "mentor_asked" if action == "ask" else "ask_withdrawn"
    return visit.go(f"/mentoring/requests/{number}", said)


routes = [
    Route("/mentoring/programmes/{programme}/request", write, methods=["GET", "POST"]),
    Route("/mentoring/requests/{need}", show),
    Route("/mentoring/requests/{need}", change, methods=["POST"]),
]
