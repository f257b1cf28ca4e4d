# SPDX-License-Identifier: Apache-2.0
"""What a member is still writing: kept, listed, previewed."""

import asyncio
import re
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from server import text
from server.errors import Invalid, SignInNeeded
from server.forums import pages as forums
from server.library import drafts as library
from server.posts import pages, reading
from server.posts.drafts import ThreadForm, check_body
from server.resources import drafts as hub
from web import polls, repeats
from web.forms import submit
from web.spots import identifier
from web.templates import path_of
from web.visits import Visit, arrive
from web.writing import keep_draft

_PLACE = re.compile(r"(forum|reply|edit|report):([0-9]{1,19})")


@dataclass(frozen=True)
class DraftLine:
    """A draft in the list; no path where its forum or post can no longer be seen."""

    place: str
    name: str
    path: str | None
    source: str
    updated: datetime


async def drafts(request: Request) -> Response:
    """Everything the member has begun."""
    visit = await arrive(request)
    async with visit.instance.reading() as session:
        lines = await _lines(session, visit)
        practices = await library.mine(session, visit.member)
        resources = await hub.mine(session, visit.member)
    return visit.page("posts/drafts.html", lines=lines, practices=practices, resources=resources)


async def _lines(session: AsyncSession, visit: Visit) -> list[DraftLine]:
    """The drafts with where they belong, in as many questions however many there are."""
    held = await reading.drafts(session, visit.member)
    asked = [_parts(draft.place)[1] for draft in held]
    known = {line.forum.id: line.forum for line in await forums.index(session, visit.viewer)}
    posts = {found.post.id: found for found in await pages.found(session, visit.viewer, asked)}
    lines = []
    for draft, about in zip(held, asked, strict=True):
        what, path = _parts(draft.place)[0], None
        name = "A draft whose place is gone"
        if what == "forum" and about in known:
            name = f"{draft.title or 'New thread'} (in {known[about].title})"
            path = f"{path_of(known[about])}/new"
        elif what == "report" and about in posts:
            name, path = f"Report on {posts[about].opener.title}", f"/p/{about}/replicate"
        elif what != "forum" and about in posts:
            subject = posts[about].opener.title or "a deleted thread"
            done = "Reply in" if what == "reply" else "Changes to"
            name, path = f"{done} {subject}", f"/p/{about}/{what}"
        # What was typed into the fields of a report is no text to read.
        words = "" if what == "report" else draft.source
        lines.append(DraftLine(draft.place, name, path, words, draft.updated))
    return lines


def _parts(place: str) -> tuple[str, int]:
    what, _, number = place.partition(":")
    return what, identifier(number) or 0


def _place(value: str) -> str:
    if not _PLACE.fullmatch(value):
        raise Invalid(message="This form cannot be read: reload the page and try again.")
    return value


async def drop(request: Request) -> Response:
    """Throw one draft away."""
    visit, form = await submit(request)
    async with visit.instance.transaction() as tx:
        await reading.drop_draft(tx, visit.member, _place(form["place"]))
    return visit.go("/me/drafts", "draft_dropped")


async def autosave(request: Request) -> Response:
    """Keep what is being written, every few seconds, without a page."""
    visit, form = await submit(request)
    place = _place(form["place"])
    if len(form["source"]) > text.MAX_SOURCE:
        check_body(form["source"])
    typed = ThreadForm(form["title"], form["source"], form["tags"], poll=polls.typed(form))
    if repeats.was_posted(visit, place, typed):
        # It comes late: as a draft, what was posted would seem to wait for being posted.
        return Response(status_code=204)
    await keep_draft(visit, place, typed)
    return Response(status_code=204)


async def preview(request: Request) -> Response:
    """What a text will look like, as a piece of a page."""
    visit, form = await submit(request)
    if not visit.viewer.is_member:
        raise SignInNeeded
    try:
        source = check_body(form["source"])
    except Invalid as error:
        return HTMLResponse(f"<p>{error.sentence}</p>", 422)
    return HTMLResponse(await asyncio.to_thread(text.render, source))


routes = [
    Route("/me/drafts", drafts),
    Route("/me/drafts", drop, methods=["POST"]),
    Route("/drafts", autosave, methods=["POST"]),
    Route("/preview", preview, methods=["POST"]),
]
