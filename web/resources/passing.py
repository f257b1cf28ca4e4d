# SPDX-License-Identifier: Apache-2.0
"""What members do with a resource: adapt it, revise it, say that they use it."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from server.errors import Gone, Invalid, Locked, NotAllowed, TooFast
from server.hub import lineage, uses
from server.hub.pages import read
from server.permissions import Permission, Standing, must
from server.resources.terms import VERDICTS
from web import repeats
from web.errors import STATUS
from web.forms import submit
from web.spots import post_id
from web.templates import path_of
from web.visits import Visit, arrive

KEEPS_THE_FORM = (Invalid, Locked, TooFast, Gone, NotAllowed)


async def adapt(request: Request) -> Response:
    """Begin a resource of one's own from this one."""
    visit, _ = await submit(request)
    must(Standing(visit.member), Permission.REPLY)
    async with visit.instance.reading() as session:
        found = await read(session, visit.viewer, post_id(request))
    async with visit.instance.transaction() as tx:
        draft = await lineage.adapt(tx, visit.member, found.post)
    return visit.go(f"/resources/drafts/{draft.id}", "adapting")


async def revise(request: Request) -> Response:
    """Begin the next version, or go on with it."""
    visit, _ = await submit(request)
    member = visit.member
    async with visit.instance.reading() as session:
        found = await read(session, visit.viewer, post_id(request))
    async with visit.instance.transaction() as tx:
        draft = await lineage.revise(tx, member, found.post)
    return visit.go(f"/resources/drafts/{draft.id}")


async def ask(request: Request) -> Response:
    """The form that says "we use this"."""
    visit = await arrive(request)
    must(Standing(visit.member), Permission.REPLY)
    return await _form(visit, {}, None)


async def _form(visit: Visit, typed: dict[str, str], error: Exception | None) -> Response:
    async with visit.instance.reading() as session:
        found = await read(session, visit.viewer, post_id(visit.request))
    is_invalid = isinstance(error, Invalid)
    return visit.page(
        "resources/use.html",
        STATUS.get(type(error), 200) if error else 200,  # type: ignore[arg-type]
        found=found,
        typed=typed,
        faults=error.fields if isinstance(error, Invalid) else {},
        sentence="" if error is None or is_invalid else str(error),
        verdicts=VERDICTS,
        once=repeats.new(visit),
        here="resources",
    )


async def say(request: Request) -> Response:
    """Say it."""
    visit, sent = await submit(request)
    member = visit.member
    async with visit.instance.reading() as session:
        found = await read(session, visit.viewer, post_id(request))
    try:
        async with repeats.turn(visit, sent["once"]) as turn:
            if turn.answer is None:
                async with visit.instance.transaction() as tx:
                    await uses.say(tx, member, found.post, sent.values)
                turn.answer = (f"{path_of(found.post)}#uses", "use_said")
            return visit.go(*turn.answer)
    except KEEPS_THE_FORM as error:
        return await _form(visit, dict(sent.values), error)


routes = [
    Route("/p/{id}/resource/adapt", adapt, methods=["POST"]),
    Route("/p/{id}/resource/revise", revise, methods=["POST"]),
    Route("/p/{id}/use", ask),
    Route("/p/{id}/use", say, methods=["POST"]),
]
