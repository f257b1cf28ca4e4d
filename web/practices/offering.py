# SPDX-License-Identifier: Apache-2.0
"""Offering a change back to the author of the original, and answering."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from server.errors import Invalid, NotAllowed, NotFound, Refusal
from server.library import offering
from server.library.offering import OfferDraft
from server.library.offers import OfferPage, offer_page
from server.library.pages import Read, read
from server.permissions import Permission, Standing, must
from server.practices import changes
from server.practices.comparing import Difference
from web.errors import STATUS
from web.forms import submit
from web.spots import identifier, post_id
from web.templates import path_of
from web.visits import Visit, arrive

OFFER_STATES = {
    "waiting": "Waiting for an answer",
    "taken": "Taken over",
    "declined": "Declined",
    "withdrawn": "Taken back",
}


@dataclass(frozen=True)
class Sides:
    """An adaptation and its original, with what differs and can be offered."""

    made: Read
    original: Read
    differs: list[Difference]


async def _sides(visit: Visit, request: Request) -> Sides:
    """Both, for the author of the adaptation."""
    must(Standing(visit.member), Permission.REPLY)
    async with visit.instance.reading() as session:
        made = await read(session, visit.viewer, post_id(request))
        if made.post.author_id != visit.member.id:
            raise NotAllowed("Only whoever made an adaptation offers something of it back.")
        number = await offering.original_of(session, made.practice)
        if number is None:
            raise NotFound
        original = await read(session, visit.viewer, number)
    names = changes.offerable(original.record, made.record)
    differs = await asyncio.to_thread(changes.shown, original.record, made.record, names)
    return Sides(made, original, differs)


async def form(request: Request) -> Response:
    """What differs, to choose from."""
    visit = await arrive(request)
    return _form(visit, await _sides(visit, request), {}, None)


def _form(visit: Visit, sides: Sides, typed: Mapping[str, str], error: Refusal | None) -> Response:
    return visit.page(
        "practices/offer_form.html",
        STATUS.get(type(error), 400) if error else 200,
        made=sides.made,
        original=sides.original,
        differs=sides.differs,
        typed=typed,
        faults=error.fields if isinstance(error, Invalid) else {},
        sentence=error.sentence if error else "",
    )


async def offer(request: Request) -> Response:
    """Offer what was chosen."""
    visit, sent = await submit(request)
    sides = await _sides(visit, request)
    chosen = tuple(one.name for one in sides.differs if sent[f"s.{one.name}"])
    try:
        async with visit.instance.transaction() as tx:
            draft = OfferDraft(chosen, sent["note"])
            row = await offering.offer(tx, visit.member, sides.made.post, draft)
    except (Invalid, NotAllowed) as error:
        return _form(visit, sides, sent.values, error)
    return visit.go(f"/practices/offers/{row.id}", "change_offered")


def _number(request: Request) -> int:
    found = identifier(request.path_params["offer"])
    if found is None:
        raise NotFound
    return found


async def show(request: Request) -> Response:
    """An offer, with what it would change."""
    visit = await arrive(request)
    async with visit.instance.reading() as session:
        page = await offer_page(session, visit.viewer, _number(request))
    return await _show(visit, page, {}, None)


async def _show(
    visit: Visit, page: OfferPage, typed: Mapping[str, str], error: Invalid | None
) -> Response:
    return visit.page(
        "practices/offer.html",
        422 if error else 200,
        page=page,
        line=page.line,
        differs=await asyncio.to_thread(page.differences),
        states=OFFER_STATES,
        typed=typed,
        faults=error.fields if error else {},
        sentence=error.sentence if error else "",
    )


async def answer(request: Request) -> Response:
    """Take it, decline it, or take one's own back."""
    visit, sent = await submit(request)
    member, number = visit.member, _number(request)
    async with visit.instance.reading() as session:
        page = await offer_page(session, visit.viewer, number)
    action = sent["action"]
    try:
        async with visit.instance.transaction() as tx:
            if action == "take":
                draft = await offering.take(tx, member, number)
                return visit.go(f"/practices/drafts/{draft.id}", "offer_taken")
            if action == "withdraw":
                await offering.withdraw(tx, member, number)
                return visit.go(path_of(page.post), "offer_withdrawn")
            await offering.decline(tx, member, number, sent["reason"])
    except Invalid as error:
        return await _show(visit, page, sent.values, error)
    return visit.go(path_of(page.post), "offer_declined")


routes = [
    Route("/p/{id}/offer", form),
    Route("/p/{id}/offer", offer, methods=["POST"]),
    Route("/practices/offers/{offer}", show),
    Route("/practices/offers/{offer}", answer, methods=["POST"]),
]
