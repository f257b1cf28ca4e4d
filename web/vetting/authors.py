# SPDX-License-Identifier: Apache-2.0
"""Where the review of one's own practice stands, and asking for one."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from server.errors import Invalid, Refusal
from server.reviews import notices, rubric, words
from server.vetting import authors, cases, requests
from web.errors import STATUS
from web.forms import submit
from web.spots import post_id
from web.visits import Visit, arrive


async def show(request: Request) -> Response:
    """Where it stands, for its author alone."""
    visit = await arrive(request)
    return await _page(visit, post_id(request))


async def _page(
    visit: Visit, number: int, note: str = "", error: Refusal | None = None
) -> Response:
    async with visit.instance.reading() as session:
        page = await authors.author_page(session, visit.member, number)
    await _seen(visit, number)
    return visit.page(
        "reviews/author.html",
        STATUS.get(type(error), 400) if error else 200,
        page=page,
        note=note,
        faults=error.fields if isinstance(error, Invalid) else {},
        sentence=error.sentence if error else "",
        rubric=rubric,
        states=words.STATES,
        ours=visit.instance.settings.agency_name,
    )


async def _seen(visit: Visit, number: int) -> None:
    if visit.notices:
        async with visit.instance.transaction() as tx:
            await notices.mark_read(tx, visit.member, f"/p/{number}/review")


async def act(request: Request) -> Response:
    """Ask for a review, or take that back."""
    visit, form = await submit(request)
    member, number = visit.member, post_id(request)
    async with visit.instance.reading() as session:
        page = await authors.author_page(session, member, number)
    path = f"/p/{number}/review"
    is_here = page.forum.is_local
    try:
        async with visit.instance.transaction() as tx:
            if form["action"] == "withdraw":
                await (cases.withdraw if is_here else requests.withdraw)(tx, member, page.post)
                return visit.go(path, "review_withdrawn")
            await (cases.submit if is_here else requests.ask)(tx, member, page.post, form["note"])
    except Refusal as error:
        return await _page(visit, number, form["note"], error)
    return visit.go(path, "review_asked")


routes = [
    Route("/p/{id}/review", show),
    Route("/p/{id}/review", act, methods=["POST"]),
]
