# SPDX-License-Identifier: Apache-2.0
"""How the library is kept: what admins decide of it."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from server.errors import Invalid
from server.permissions import Permission, Standing, must
from server.practices import keeping, terms
from server.practices.keeping import KeepingForm, library
from web.forms import submit
from web.visits import Visit, arrive

FIELDS = ("months", "country", "level", "population_band", "urban_rural", "has")


async def show(request: Request) -> Response:
    """The form, as things are kept now."""
    visit = await arrive(request)
    must(Standing(visit.member), Permission.KEEP_LIBRARY)
    return await _page(visit)


async def _page(
    visit: Visit, typed: KeepingForm | None = None, error: Invalid | None = None
) -> Response:
    async with visit.instance.reading() as session:
        kept = await library(session)
    return visit.page(
        "practices/keeping.html",
        422 if error else 200,
        typed=typed or keeping.form_of(kept),
        library=kept,
        terms=terms,
        faults=error.fields if error else {},
        sentence=error.sentence if error else "",
    )


async def keep(request: Request) -> Response:
    """Change the period and the profile, or the list of topics."""
    visit, form = await submit(request)
    admin = visit.member
    must(Standing(admin), Permission.KEEP_LIBRARY)
    typed = KeepingForm(**{name: form[name] for name in FIELDS})
    action = form["action"]
    try:
        async with visit.instance.transaction() as tx:
            if action == "list":
                await keeping.list_topic(tx, admin, form["label"])
            elif action == "unlist":
                await keeping.unlist_topic(tx, admin, form["topic"])
            else:
                await keeping.keep(tx, admin, typed)
    except Invalid as error:
        return await _page(visit, typed if action == "keep" else None, error)
    said = {"list": "topic_listed", "unlist": "topic_unlisted"}.get(action, "library_kept")
    return visit.go("/practices/keeping", said)


routes = [
    Route("/practices/keeping", show),
    Route("/practices/keeping", keep, methods=["POST"]),
]
