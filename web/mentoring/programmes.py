# SPDX-License-Identifier: Apache-2.0
"""The pages of mentoring programmes."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from server.errors import Invalid
from server.mentoring import programmes, terms
from server.mentoring.programmes import ProgrammeDraft
from server.permissions import Permission, Standing, must
from web.forms import Form, submit
from web.mentoring.numbers import numbered
from web.visits import Visit, arrive


def _typed(form: Form, *, is_open: bool) -> ProgrammeDraft:
    return ProgrammeDraft(
        form["title"],
        form["source"],
        form["format"],
        form["months"],
        form["meetings"],
        bool(form["with_agencies"]),
        is_open,
    )


async def show(request: Request) -> Response:
    """One programme, and the ways into it."""
    visit = await arrive(request)
    member = visit.member
    async with visit.instance.reading() as session:
        page = await programmes.page(session, member, numbered(request, "programme"))
    return visit.page("mentoring/programme.html", page=page, terms=terms)


async def new(request: Request) -> Response:
    """The form that opens a programme, and what it sends."""
    if request.method == "GET":
        visit = await arrive(request)
        must(Standing(visit.member), Permission.OPEN_PROGRAMME)
        return _form(visit, ProgrammeDraft())
    visit, form = await submit(request)
    typed = _typed(form, is_open=True)
    try:
        async with visit.instance.transaction() as tx:
            made = await programmes.create(tx, visit.member, typed)
    except Invalid as error:
        return _form(visit, typed, error)
    return visit.go(f"/mentoring/programmes/{made.id}", "programme_opened")


async def edit(request: Request) -> Response:
    """The form that changes a programme, and what it sends."""
    number = numbered(request, "programme")
    if request.method == "GET":
        visit = await arrive(request)
        async with visit.instance.reading() as session:
            programme = await programmes.must_steward(session, visit.member, number)
            stewards = await programmes.stewards(session, number)
        return _form(visit, programmes.draft_of(programme), number=number, stewards=stewards)
    visit, form = await submit(request)
    action = form["action"]
    typed = _typed(form, is_open=bool(form["is_open"]))
    try:
        async with visit.instance.transaction() as tx:
            if action in {"name", "remove"}:
                named = action == "name"
                await programmes.name_steward(
                    tx, visit.member, number, form["steward"], named=named
                )
            else:
                await programmes.change(tx, visit.member, number, typed)
    except Invalid as error:
        async with visit.instance.reading() as session:
            programme = await programmes.must_steward(session, visit.member, number)
            stewards = await programmes.stewards(session, number)
        shown = typed if action == "keep" else programmes.draft_of(programme)
        return _form(visit, shown, error, number=number, stewards=stewards)
    if action in {"name", "remove"}:
        return visit.go(f"/mentoring/programmes/{number}/edit", "people_changed")
    return visit.go(f"/mentoring/programmes/{number}", "programme_changed")


def _form(
    visit: Visit,
    typed: ProgrammeDraft,
    error: Invalid | None = None,
    *,
    number: int | None = None,
    stewards: object = (),
) -> Response:
    return visit.page(
        "mentoring/programme_form.html",
        422 if error else 200,
        typed=typed,
        number=number,
        stewards=stewards,
        terms=terms,
        faults=error.fields if error else {},
        sentence=error.sentence if error else "",
    )


routes = [
    Route("/mentoring/programmes/new", new, methods=["GET", "POST"]),
    Route("/mentoring/programmes/{programme}", show),
    Route("/mentoring/programmes/{programme}/edit", edit, methods=["GET", "POST"]),
]
