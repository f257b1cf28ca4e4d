# SPDX-License-Identifier: Apache-2.0
"""The pages of a pair, for the two of it."""

from collections.abc import Mapping
from dataclasses import asdict

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from server.errors import Invalid, NotAllowed
from server.mentoring import (
    agreements,
    drafts,
    entries,
    invitations,
    meeting,
    pairs,
    profiles,
    terms,
)
from server.rows import Member
from server.transaction import Transaction
from web.forms import Form, submit
from web.mentoring.numbers import numbered
from web.paging import place
from web.visits import Visit, arrive

WRITTEN = ("message", "note", "session", "action", "goal", "check-in", "feedback", "report")
SAID = {
    "message": "message_sent", "session": "session_planned", "feedback": "feedback_given",
    "report": "pair_reported", "terms": "terms_proposed", "agree": "terms_agreed",
    "paused": "pair_paused", "resumed": "pair_resumed", "completed": "pair_completed",
    "end": "pair_ended",
}  # fmt: skip


async def show(request: Request) -> Response:
    """One pair, and all that the two have."""
    visit = await arrive(request)
    return await _page(visit, numbered(request, "pair"), before=place(request))


async def _page(
    visit: Visit,
    number: int,
    about: str = "",
    typed: Mapping[str, str] | None = None,
    error: Invalid | None = None,
    *,
    before: int | None = None,
) -> Response:
    async with visit.instance.reading() as session:
        page = await meeting.page(session, visit.member, number, before)
    if error is None and (page.is_fresh or visit.told):
        async with visit.instance.transaction() as tx:
            await meeting.seen(tx, visit.member, page)
    held = {name: str(value) for name, value in asdict(page.terms).items()} if page.terms else {}
    return visit.page(
        "mentoring/pair.html",
        422 if error else 200,
        page=page,
        first=before is None,
        terms=terms,
        about=about,
        typed=typed or {},
        agreed=(typed or {}) if about == "terms" else held,
        faults=error.fields if error else {},
        sentence=error.sentence if error else "",
    )


async def change(request: Request) -> Response:
    """Write something down, agree, pause, go on, complete, or part."""
    visit, form = await submit(request)
    number, action = numbered(request, "pair"), form["action"]
    try:
        async with visit.instance.transaction() as tx:
            await pairs.own(tx.session, visit.member, number)
            await _do(tx, visit.member, number, form)
    except Invalid as error:
        return await _page(visit, number, action, form.values, error)
    said = SAID.get(action, "entry_kept")
    return visit.go("/mentoring" if action == "end" else f"/mentoring/pairs/{number}", said)


async def _do(tx: Transaction, member: Member, number: int, form: Form) -> None:
    action = form["action"]
    if action in WRITTEN:
        zone = await meeting.zone_of(tx.session, member)
        draft = drafts.typed({"text": "", "day": "", "time": "", **form.values}, action, zone)
        if form["group"]:
            await entries.write_to_group(tx, member, number, draft)
        else:
            await entries.write(tx, member, number, draft, shared=bool(form["shared"]))
    elif action == "mark":
        entry = profiles.number_of(form["entry"])
        await entries.mark(tx, member, number, entry, form["state"])
    elif action == "terms":
        after = profiles.number_of(form["edition"])
        made = agreements.read(dict(form.values))
        await agreements.propose(tx, member, number, made, after=after)
    elif action == "agree":
        await agreements.agree(tx, member, number, profiles.number_of(form["edition"]))
    elif action in {agreements.PAUSED, agreements.RESUMED, agreements.COMPLETED}:
        await agreements.change(tx, member, number, action)
    elif action == "end":
        await pairs.end(tx, member, number)
    else:
        raise NotAllowed("This form cannot be read: reload the page and try again.")


async def entry(request: Request) -> Response:
    """Something that one wrote, to be changed or taken back."""
    visit = await arrive(request)
    return await _entry_page(visit, *_named(request))


def _named(request: Request) -> tuple[int, int]:
    return numbered(request, "pair"), numbered(request, "entry")


async def _entry_page(
    visit: Visit,
    number: int,
    entry_id: int,
    typed: Mapping[str, str] | None = None,
    error: Invalid | None = None,
) -> Response:
    async with visit.instance.reading() as session:
        page = await meeting.entry_page(session, visit.member, number, entry_id)
    return visit.page(
        "mentoring/entry.html",
        422 if error else 200,
        page=page,
        typed=page.typed if typed is None else typed,
        faults=error.fields if error else {},
        sentence=error.sentence if error else "",
    )


async def change_entry(request: Request) -> Response:
    """Change it, or take it back."""
    visit, form = await submit(request)
    number, entry_id = _named(request)
    removes = form["action"] == "remove"
    try:
        async with visit.instance.transaction() as tx:
            if removes:
                await entries.remove(tx, visit.member, number, entry_id)
            else:
                page = await meeting.entry_page(tx.session, visit.member, number, entry_id)
                made = {"text": "", "day": "", "time": "", **form.values}
                draft = drafts.typed(made, page.entry.kind, page.zone)
                after = profiles.number_of(form["revision"])
                await entries.change(tx, visit.member, (number, entry_id), draft, after=after)
    except Invalid as error:
        return await _entry_page(visit, number, entry_id, form.values, error)
    return visit.go(f"/mentoring/pairs/{number}", "entry_removed" if removes else "entry_kept")


async def invitation(request: Request) -> Response:
    """A session as a file for a calendar."""
    visit = await arrive(request)
    number = numbered(request, "pair")
    async with visit.instance.reading() as session:
        entry = await invitations.session_of(
            session, visit.member, number, numbered(request, "entry")
        )
        page = await meeting.page(session, visit.member, number)
    address = f"{visit.instance.settings.origin}/mentoring/pairs/{number}"
    made = invitations.written(entry, page.other, address, visit.instance.clock.now())
    headers = {
        "Content-Disposition": 'attachment; filename="session.ics"',
        "Cache-Control": "private, no-store",
    }
    return Response(made, media_type="text/calendar; charset=utf-8", headers=headers)


async def certificate(request: Request) -> Response:
    """What the two have done, on one page to print."""
    visit = await arrive(request)
    async with visit.instance.reading() as session:
        page = await meeting.certificate(session, visit.member, numbered(request, "pair"))
    return visit.page("mentoring/certificate.html", page=page, terms=terms)


routes = [
    Route("/mentoring/pairs/{pair}", show),
    Route("/mentoring/pairs/{pair}", change, methods=["POST"]),
    Route("/mentoring/pairs/{pair}/certificate", certificate),
    Route("/mentoring/pairs/{pair}/entries/{entry}", entry),
    Route("/mentoring/pairs/{pair}/entries/{entry}", change_entry, methods=["POST"]),
    Route("/mentoring/pairs/{pair}/sessions/{entry}", invitation),
]
