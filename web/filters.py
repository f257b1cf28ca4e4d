# SPDX-License-Identifier: Apache-2.0
"""Words that a member would rather not meet: the list, and adding to it."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from server import filters
from server.errors import Invalid, NotFound
from server.filters import Action, Context, FilterDraft, Phrase
from web.forms import Form, submit
from web.mutes import LASTING
from web.spots import identifier
from web.visits import Visit, arrive

PLACES = {
    Context.HOME: "On my home page",
    Context.PUBLIC: "In forums and under tags",
    Context.THREAD: "In replies",
}
_PLACES_OF_APPS = (Context.NOTIFICATIONS, Context.ACCOUNT)


async def index(request: Request) -> Response:
    """The member's filters, and a form for one more."""
    visit = await arrive(request)
    typed = {"title": "", "words": "", "action": str(Action.WARN), "lasting": ""}
    return await _page(visit, typed, list(PLACES))


async def _page(
    visit: Visit, typed: dict[str, str], chosen: list[Context], error: Invalid | None = None
) -> Response:
    async with visit.instance.reading() as session:
        held = await filters.held(session, visit.member)
    faults = error.fields if error is not None else {}
    return visit.page(
        "filters/index.html",
        200 if error is None else 422,
        held=held,
        typed=typed,
        chosen=chosen,
        places=PLACES,
        lasting=LASTING,
        faults={_FIELDS.get(name, name): fault for name, fault in faults.items()},
        sentence=error.sentence if error is not None else "",
    )


_FIELDS = {"keywords": "words", "filter_action": "action", "context": f"at_{Context.HOME}"}


async def change(request: Request) -> Response:
    """Add a filter, or remove one."""
    visit, form = await submit(request)
    member = visit.member
    if form["action_of_form"] == "remove":
        number = identifier(form["filter"])
        if number is None:
            raise NotFound
        async with visit.instance.transaction() as tx:
            await filters.remove(tx, await filters.one(tx.session, member, number))
        return visit.go("/me/filters", "filter_removed")
    try:
        await _add(visit, form)
    except Invalid as error:
        typed = {name: form[name] for name in ("title", "words", "action", "lasting")}
        return await _page(visit, typed, _chosen(form), error)
    return visit.go("/me/filters", "filter_added")


def _chosen(form: Form) -> list[Context]:
    return [one for one in PLACES if form[f"at_{one}"] == "yes"]


async def _add(visit: Visit, form: Form) -> None:
    chosen = _chosen(form)
    # What is not met at home is not met in notices either; the pages say no more than that.
    contexts = (*chosen, *(_PLACES_OF_APPS if Context.HOME in chosen else ()))
    seconds = int(form["lasting"]) if form["lasting"] in LASTING and form["lasting"] else 0
    draft = FilterDraft(form["title"], contexts, form["action"], seconds)
    phrases = [Phrase(line) for line in form["words"].split("\n") if line.strip()]
    if not phrases:
        filters.check(draft)
        raise Invalid({"keywords": "Enter at least one word or phrase."})
    async with visit.instance.transaction() as tx:
        await filters.create(tx, visit.member, draft, phrases)


routes = [
    Route("/me/filters", index),
    Route("/me/filters", change, methods=["POST"]),
]
