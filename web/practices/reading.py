# SPDX-License-Identifier: Apache-2.0
"""A practice in other forms: its versions, one page to print, files."""

import asyncio
import json

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from server import text
from server.errors import NotFound
from server.library import exchange
from server.library.pages import Read, read, versions_page
from web.practices import citing
from web.practices.showing import of_record
from web.spots import post_id
from web.visits import arrive


def _number(request: Request, name: str) -> int | None:
    """A version in the query; None where there is none, NotFound for nonsense."""
    value = request.query_params.get(name, "")
    if not value:
        return None
    if not value.isascii() or not value.isdecimal() or len(value) > 6:
        raise NotFound
    return int(value)


async def versions(request: Request) -> Response:
    """Every version with its note, and what differs between two of them."""
    visit = await arrive(request)
    between = (_number(request, "old"), _number(request, "new"))
    async with visit.instance.reading() as session:
        page = await versions_page(session, visit.viewer, post_id(request), between)
    differs = await asyncio.to_thread(page.differences) if page.old != page.new else []
    return visit.page("practices/versions.html", page=page, differs=differs)


async def one_page(request: Request) -> Response:
    """The practice in short, to be printed."""
    visit = await arrive(request)
    async with visit.instance.reading() as session:
        found = await read(session, visit.viewer, post_id(request))
    parts = json.loads(found.practice.parts)
    return visit.page(
        "practices/print.html",
        found=found,
        citation=citing.citation(_cited(found, visit.instance.settings.agency_name)),
        excerpt_of=text.excerpt,
        **of_record(found.record, parts, found.practice.agency),
    )


def _cited(found: Read, ours: str) -> citing.Cited:
    return citing.Cited(
        record=found.record,
        agency=found.record.agency or found.practice.agency,
        url=found.post.url,
        version=found.practice.version,
        published=found.post.published,
        site=found.forum.agency or found.forum.peer or ours,
    )


async def as_file(request: Request) -> Response:
    """The practice as a file to keep, `.json` or `.md`."""
    visit = await arrive(request)
    async with visit.instance.reading() as session:
        found = await read(session, visit.viewer, post_id(request))
    is_json = request.url.path.endswith(".json")
    body = exchange.as_json(found) if is_json else exchange.as_markdown(found)
    kind = "json" if is_json else "md"
    return Response(
        body,
        media_type="application/json" if is_json else "text/markdown; charset=utf-8",
        headers={
            "Content-Disposition": f'attachment; filename="{found.post.slug or "practice"}.{kind}"',
            "Cache-Control": "private, no-cache",
        },
    )


routes = [
    Route("/p/{id}/versions", versions),
    Route("/p/{id}/print", one_page),
    Route("/p/{id}/practice.json", as_file),
    Route("/p/{id}/practice.md", as_file),
]
