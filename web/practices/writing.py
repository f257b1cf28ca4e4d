# SPDX-License-Identifier: Apache-2.0
"""Writing a practice a section at a time, without losing what is typed."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy.ext.asyncio import AsyncSession
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from server.errors import Invalid, NotAllowed, NotFound, Refusal, TooFast
from server.library import drafts
from server.library.drafts import Open, Saved
from server.practices.keeping import Library, library
from server.practices.merging import Clash
from server.practices.typed import part_keys, record_of
from web.errors import STATUS
from web.forms import Form, submit_writing
from web.practices.sections import (
    HEADINGS,
    ONE_OF,
    Field,
    Section,
    part_fields,
    sections,
)
from web.spots import identifier
from web.visits import Visit, arrive

SIGNED_OUT = "You were signed out meanwhile: sign in in another tab, then save again."
STALE = "You signed in again since this form was opened. Please press the button once more."


def draft_id(request: Request) -> int:
    """The draft that the address names; NotFound where it is no id."""
    found = identifier(request.path_params["draft"])
    if found is None:
        raise NotFound
    return found


@dataclass(frozen=True)
class Place:
    """Where in the form somebody is: a section, or one step or outcome (`key`) of it."""

    section: Section
    key: str = ""
    fields: tuple[Field, ...] = ()
    following: str = ""

    def path(self, draft: int) -> str:
        """The address of the page."""
        below = f"/{self.key}" if self.key else ""
        return f"/practices/drafts/{draft}/{self.section.name}{below}"


def place_of(request: Request, kept: Library, typed: Mapping[str, str]) -> Place:
    """The section, and the part of it, that the address names."""
    form = sections(kept.topics)
    names = [section.name for section in form]
    wanted = request.path_params["section"]
    if wanted not in names:
        raise NotFound
    at = names.index(wanted)
    section = form[at]
    following = names[at + 1] if at + 1 < len(names) else ""
    key = request.path_params.get("key", "")
    if not key:
        return Place(section, "", section.fields, following)
    if not section.parts or key not in part_keys(typed, section.parts):
        raise NotFound
    return Place(section, key, part_fields(section.parts, key), following)


def faults_of(typed: Mapping[str, str]) -> dict[str, str]:
    """What keeps a draft from being published, by field."""
    try:
        record_of(typed)
    except Invalid as error:
        return error.fields
    return {}


@dataclass(frozen=True)
class Shown:
    """What a page of the form shows besides its draft."""

    values: Mapping[str, str]
    base: Mapping[str, str]
    faults: Mapping[str, str] = field(default_factory=dict)
    clashes: Mapping[str, Clash] = field(default_factory=dict)
    aside: Mapping[str, str] = field(default_factory=dict)
    by: str = ""
    error: Refusal | None = None

    @property
    def status(self) -> int:
        if self.clashes:
            return 409
        if self.error is not None:
            return STATUS.get(type(self.error), 400)
        return 422 if self.faults else 200


async def edit(request: Request) -> Response:
    """One section of a draft, or one step or outcome of it."""
    visit = await arrive(request)
    async with visit.instance.reading() as session:
        found, kept = await _open(session, visit, draft_id(request))
    place = place_of(request, kept, found.typed)
    held = _held(found.typed, place)
    aside = drafts.set_aside(found.typed, visit.member)
    mine = {one.name: aside[one.name] for one in place.fields if one.name in aside}
    return _page(visit, found, place, Shown(held, held, aside=mine))


async def _open(session: AsyncSession, visit: Visit, number: int) -> tuple[Open, Library]:
    found = await drafts.opened(session, visit.member, number)
    return found, await library(session)


def _held(typed: Mapping[str, str], place: Place) -> dict[str, str]:
    return {one.name: typed.get(one.name, "") for one in place.fields}


def _page(visit: Visit, found: Open, place: Place, shown: Shown) -> Response:
    section = place.section
    lines = []
    if section.parts and not place.key:
        told = faults_of(found.typed)
        lines = [_line(found.typed, section.parts, key, told) for key in _keys(found, section)]
    response = visit.page(
        "practices/section.html",
        shown.status,
        draft=found.draft,
        others=[person for person in found.others if person.id != visit.member.id],
        place=place,
        section=section,
        one=ONE_OF.get(section.parts, ""),
        lines=lines,
        values=shown.values,
        base=json.dumps(dict(shown.base), ensure_ascii=False),
        faults=dict(shown.faults),
        clashes=shown.clashes,
        aside=shown.aside,
        by=shown.by,
        sentence=shown.error.sentence if shown.error else "",
        here="practices",
    )
    if isinstance(shown.error, TooFast):
        response.headers["Retry-After"] = str(shown.error.retry_after)
    return response


def _keys(found: Open, section: Section) -> list[str]:
    return part_keys(found.typed, section.parts)


@dataclass(frozen=True)
class PartLine:
    """A step or an outcome in the list of them; `lacking` when it needs another look."""

    key: str
    title: str
    lacking: bool


def _line(typed: Mapping[str, str], what: str, key: str, told: Mapping[str, str]) -> PartLine:
    prefix = f"{what}.{key}."
    title = typed.get(prefix + HEADINGS[what], "")
    return PartLine(key, title, any(name.startswith(prefix) for name in told))


async def save(request: Request) -> Response:
    """Keep what was typed, and go on; or add, move or take out a step or an outcome."""
    visit, sent = await submit_writing(request)
    if visit.viewer.member is None:
        return _signed_out(visit, sent)
    number = draft_id(request)
    async with visit.instance.reading() as session:
        found, kept = await _open(session, visit, number)
    place = place_of(request, kept, found.typed)
    action = sent["action"]
    if place.section.parts and not place.key:
        return await _arrange(visit, found, place, action, stale=sent.stale)
    values = {one.name: sent[one.name].strip("\n") for one in place.fields}
    base = _base(sent["base"], place)
    is_autosave = action == "autosave"
    if sent.stale:
        refusal = NotAllowed(STALE)
        return _refused(visit, found, place, Shown(values, base, error=refusal), is_autosave)
    try:
        async with visit.instance.transaction() as tx:
            saved = await drafts.save(tx, visit.member, number, base, values)
    except Invalid as error:
        return _refused(visit, found, place, Shown(values, base, error=error), is_autosave)
    return await _saved(visit, place, saved, values, action)


def _refused(visit: Visit, found: Open, place: Place, shown: Shown, is_autosave: bool) -> Response:
    if is_autosave:
        return JSONResponse({"error": shown.error.sentence if shown.error else ""}, shown.status)
    return _page(visit, found, place, shown)


def _base(sent: str, place: Place) -> dict[str, str]:
    """What the fields held when the form was shown, as the form itself tells."""
    try:
        found = json.loads(sent)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise Invalid(message="This form cannot be read: reload the page and try again.")
    return {
        one.name: value if isinstance(value := found.get(one.name, ""), str) else ""
        for one in place.fields
    }


async def _saved(
    visit: Visit, place: Place, saved: Saved, values: Mapping[str, str], action: str
) -> Response:
    """Where a save leads: on, back to the form with what is wrong, or to a choice."""
    number = draft_id(visit.request)
    by = saved.by.name if saved.by else ""
    if action == "autosave":
        if saved.clashes:
            return JSONResponse({"by": by}, 409)
        return JSONResponse({"base": saved.values})
    async with visit.instance.reading() as session:
        found, _ = await _open(session, visit, number)
    held = _held(found.typed, place)
    if saved.clashes:
        is_mine = saved.by is not None and saved.by.id == visit.member.id
        other = "" if is_mine else by
        shown = Shown({**held, **saved.values}, held, clashes=saved.clashes, by=other)
        return _page(visit, found, place, shown)
    told = faults_of(found.typed)
    mine = {one.name: told[one.name] for one in place.fields if one.name in told}
    if mine and action == "continue":
        return _page(visit, found, place, Shown(held, held, mine))
    said = "section_saved" if all(held[n] == v for n, v in values.items()) else "section_merged"
    return visit.go(_next(place, number, action), said)


def _next(place: Place, number: int, action: str) -> str:
    whole = f"/practices/drafts/{number}"
    if action != "continue":
        return whole
    if place.key:
        return f"{whole}/{place.section.name}"
    return f"{whole}/{place.following}" if place.following else whole


async def _arrange(
    visit: Visit, found: Open, place: Place, action: str, *, stale: bool
) -> Response:
    """Add, move or take out a step or an outcome."""
    number, what = found.draft.id, place.section.parts
    held = Shown({}, {})
    if stale:
        return _page(visit, found, place, Shown({}, {}, error=NotAllowed(STALE)))
    verb, _, key = action.partition(":")
    back = place.path(number)
    try:
        async with visit.instance.transaction() as tx:
            if verb == "add":
                key = await drafts.add_part(tx, visit.member, number, what)
                return visit.go(f"{back}/{key}", "part_added")
            if verb in {"up", "down"}:
                by = -1 if verb == "up" else 1
                await drafts.move_part(tx, visit.member, number, what, key, by)
                return visit.go(back, "part_moved")
            if verb == "remove":
                await drafts.remove_part(tx, visit.member, number, what, key)
                return visit.go(back, "part_removed")
    except Invalid as error:
        return _page(visit, found, place, Shown({}, {}, error=error))
    if verb == "continue":
        return visit.go(_next(place, number, action))
    return _page(visit, found, place, held)


def _signed_out(visit: Visit, sent: Form) -> Response:
    """What was typed, once more, for somebody whose session ended; it tells nothing else."""
    kept = {name: v for name, v in sent.values.items() if name not in {"csrf", "action", "base"}}
    return visit.page(
        "practices/kept.html", 403, kept=kept, base=sent["base"], sentence=SIGNED_OUT, faults={}
    )


routes = [
    Route("/practices/drafts/{draft}/{section}", edit),
    Route("/practices/drafts/{draft}/{section}", save, methods=["POST"]),
    Route("/practices/drafts/{draft}/{section}/{key}", edit),
    Route("/practices/drafts/{draft}/{section}/{key}", save, methods=["POST"]),
]
