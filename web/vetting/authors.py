# SPDX-License-Identifier: Apache-2.0
"""Where the review of one's own practice stands, and asking for one."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from server.errors import Invalid, NotFound, Refusal
from server.forums import pages as forums
from server.reviews import notices, rubric, words
from server.transaction import Transaction
from server.vetting import authors, cases, drafts, pages, requests
from server.vetting.authors import AuthorPage
from web.errors import STATUS
from web.forms import Form, submit
from web.forums import in_a_list
from web.practices.writing import draft_id
from web.spots import identifier, post_id
from web.visits import Visit, arrive


async def show(request: Request) -> Response:
    """Where it stands, for its author alone."""
    visit = await arrive(request)
    try:
        return await _page(visit, request)
    except NotFound:
        if "draft" not in request.path_params:
            raise
        # What came of a draft has its own page.
        async with visit.instance.reading() as session:
            post = await authors.published_as(session, visit.member, draft_id(request))
        if post is None:
            raise
        return visit.go(f"/p/{post}/review")


async def _found(visit: Visit, request: Request) -> AuthorPage:
    async with visit.instance.reading() as session:
        if "draft" in request.path_params:
            return await authors.draft_page(session, visit.member, draft_id(request))
        return await authors.author_page(session, visit.member, post_id(request))


async def _page(
    visit: Visit, request: Request, note: str = "", error: Refusal | None = None
) -> Response:
    page = await _found(visit, request)
    if visit.notices:
        async with visit.instance.transaction() as tx:
            await notices.mark_read(tx, visit.member, page.path)
    return visit.page(
        "reviews/author.html",
        STATUS.get(type(error), 400) if error else 200,
        page=page,
        note=note,
        places=[] if page.post else await _places(visit),
        faults=error.fields if isinstance(error, Invalid) else {},
        sentence=error.sentence if error else "",
        rubric=rubric,
        states=words.STATES,
        ours=visit.instance.settings.agency_name,
    )


async def _places(visit: Visit) -> list[tuple[str, str]]:
    """The forums whose stewards can have a draft reviewed, here and elsewhere."""
    instance = visit.instance
    async with instance.reading() as session:
        places = await forums.open_to(session, visit.viewer)
        mode = instance.settings.federates
        taking_part = {
            peer.host for peer in await pages.partners(session, mode, instance.clock.now())
        }
    return [
        ("", "Choose one"),
        *(
            (str(one.id), in_a_list(one))
            for one in places
            if one.is_local or one.peer in taking_part
        ),
    ]


async def act(request: Request) -> Response:
    """Ask for a review, or take that back."""
    visit, form = await submit(request)
    page = await _found(visit, request)
    is_withdrawn = form["action"] == "withdraw"
    try:
        async with visit.instance.transaction() as tx:
            if page.post is None:
                await _of_draft(tx, visit, draft_id(request), form)
            elif is_withdrawn:
                by = cases.withdraw if page.post_is_here else requests.withdraw
                await by(tx, visit.member, page.post)
            else:
                ask = cases.submit if page.post_is_here else requests.ask
                await ask(tx, visit.member, page.post, form["note"])
    except Refusal as error:
        return await _page(visit, request, form["note"], error)
    return visit.go(page.path, "review_withdrawn" if is_withdrawn else "review_asked")


async def _of_draft(tx: Transaction, visit: Visit, number: int, form: Form) -> None:
    if form["action"] == "withdraw":
        await drafts.withdraw(tx, visit.member, number)
        return
    forum = identifier(form["forum"]) or 0
    await drafts.submit(tx, visit.member, number, forum, form["note"])


routes = [
    Route("/p/{id}/review", show),
    Route("/p/{id}/review", act, methods=["POST"]),
    Route("/reviews/drafts/{draft}", show),
    Route("/reviews/drafts/{draft}", act, methods=["POST"]),
]
