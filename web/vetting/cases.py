# SPDX-License-Identifier: Apache-2.0
"""The stewards' board, and the review that they keep."""

import asyncio
import json
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from server.errors import Invalid, NotFound, Refusal
from server.practices.rendering import rendered
from server.reviews import notices, rubric, words
from server.transaction import Transaction
from server.vetting import cases, lists, pages
from server.vetting.pages import Case
from web.errors import STATUS
from web.forms import Form, submit
from web.paging import place
from web.practices.showing import of_record
from web.spots import identifier
from web.visits import Visit, arrive

SAID = {
    "member": "reviewer_asked",
    "agency": "reviewer_asked",
    "mask": "review_masking",
    "release": "reviewer_released",
    "decide": "review_decided",
    "revoke": "review_revoked",
}


async def board(request: Request) -> Response:
    """All reviews in the forums that a steward looks after."""
    visit = await arrive(request)
    before = place(request)
    async with visit.instance.reading() as session:
        lines = await lists.board(session, visit.member, before=before)
    older = min(line.review.id for line in lines) if len(lines) == lists.PAGE else None
    return visit.page(
        "reviews/board.html", lines=lines, states=words.STATES, older=older, first=before is None
    )


def _number(request: Request) -> int:
    found = identifier(request.path_params["case"])
    if found is None:
        raise NotFound
    return found


async def show(request: Request) -> Response:
    """One review, for the stewards of its forum."""
    visit = await arrive(request)
    return await _page(visit, _number(request), {})


async def _case(visit: Visit, number: int) -> Case:
    instance = visit.instance
    async with instance.reading() as session:
        mode = instance.settings.federates
        partners = await pages.partners(session, mode, instance.clock.now())
        return await pages.case_page(session, visit.member, number, partners)


async def _page(
    visit: Visit, number: int, typed: dict[str, str], error: Refusal | None = None
) -> Response:
    case = await _case(visit, number)
    if visit.notices:
        async with visit.instance.transaction() as tx:
            await notices.mark_read(tx, visit.member, f"/reviews/cases/{number}")
    shown: dict[str, Any] = {}
    if case.record is not None:
        parts = json.loads(await asyncio.to_thread(rendered, case.record))
        shown = of_record(case.record, parts, "")
    return visit.page(
        "reviews/case.html",
        STATUS.get(type(error), 400) if error else 200,
        case=case,
        typed=typed,
        faults=error.fields if isinstance(error, Invalid) else {},
        sentence=error.sentence if error else "",
        rubric=rubric,
        states=words.STATES,
        seat_states=words.SEATS,
        **shown,
    )


async def act(request: Request) -> Response:
    """Invite, release, decide."""
    visit, form = await submit(request)
    number, action = _number(request), form["action"]
    await _case(visit, number)
    try:
        async with visit.instance.transaction() as tx:
            await _do(tx, visit, number, form)
    except (NotFound, KeyError):
        raise NotFound from None
    except Refusal as error:
        return await _page(visit, number, dict(form.values), error)
    return visit.go(f"/reviews/cases/{number}", SAID[action])


async def _do(tx: Transaction, visit: Visit, number: int, form: Form) -> None:
    member, action = visit.member, form["action"]
    if action == "member":
        due = cases.due_of(tx, form["due"])
        await cases.invite_member(tx, member, number, form["invite"], due)
    elif action == "agency":
        due = cases.due_of(tx, form["due"])
        await cases.invite_agency(tx, member, number, form["invite"], due)
    elif action == "mask":
        await cases.set_masked(tx, member, number, is_masked=form["masked"] != "no")
    elif action == "release":
        await cases.withdraw_seat(tx, member, number, identifier(form["seat"]) or 0)
    elif action == "decide":
        await cases.decide(tx, member, number, form["decision"], form["letter"])
    elif action == "revoke":
        await cases.revoke(tx, member, number, form["letter"])
    else:
        raise NotFound


routes = [
    Route("/reviews/board", board),
    Route("/reviews/cases/{case}", show),
    Route("/reviews/cases/{case}", act, methods=["POST"]),
]
