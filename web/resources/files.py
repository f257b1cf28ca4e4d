# SPDX-License-Identifier: Apache-2.0
"""Files of resources, served so that none can act as a page of ours."""

from datetime import timedelta

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from server.errors import NotFound, Unavailable
from server.hub import files
from server.hub.files import Asked, Counted
from server.instance import Instance
from server.peers import Wanted
from server.resources.names import disposition
from server.viewers import Viewer
from web import limits
from web.limits import address_of, spend
from web.media import INERT, UNREAD
from web.spots import identifier, post_id
from web.templates import path_of
from web.visits import Visit, arrive

TRY_AGAIN_AFTER = timedelta(minutes=1)
# What programs of other makers open by its type; anything else is bytes to them. Nothing that a
# browser or another server would take for a page or an activity is among it.
TYPED = ("application/pdf", "application/vnd.", "application/zip", "image/", "text/csv", "video/")


async def download(request: Request) -> Response:
    """A file: from our shelf, or fetched from its home first, for members."""
    visit = await arrive(request)
    asked = await asked_for(request, visit.instance, visit.viewer)
    if asked.held is None:
        if asked.author.is_local:
            raise NotFound("The bytes of this file are lost here: ask its author to add it again.")
        return await _from_home(visit, asked)
    await _counted(visit, asked)
    return await sent(request, visit.instance, asked)


async def asked_for(request: Request, instance: Instance, viewer: Viewer) -> Asked:
    """The file that an address names, if this viewer may have it; NotFound otherwise."""
    version, position = (identifier(request.path_params[name]) for name in ("edition", "position"))
    if version is None or position is None or max(version, position) > 1_000_000:
        raise NotFound
    async with instance.reading() as session:
        return await files.asked(session, viewer, post_id(request), version, position)


async def sent(request: Request, instance: Instance, asked: Asked) -> Response:
    """The bytes, to be saved and not to be shown; NotFound where they are not here."""
    held, shelf = asked.held, instance.files.shelf
    if held is None:
        raise NotFound
    headers = {
        **INERT,
        "Cache-Control": "private, no-cache",
        "Content-Disposition": disposition(asked.file.name),
        "ETag": f'"{held.sha256}"',
        "X-Checksum-Sha256": held.sha256,
    }
    if request.headers.get("if-none-match") == headers["ETag"]:
        return Response(status_code=304, headers=headers)
    if await shelf.size(held.sha256) != held.size:
        raise Unavailable("The file cannot be read at the moment: try again soon.")
    headers["Content-Length"] = str(held.size)
    is_typed = held.media_type.startswith(TYPED) and held.media_type != "image/svg+xml"
    media_type = held.media_type if is_typed else UNREAD
    return StreamingResponse(shelf.read(held.sha256), media_type=media_type, headers=headers)


async def preview(request: Request) -> Response:
    """The picture of a file that the viewer may have; made by us, pixel by pixel."""
    visit = await arrive(request)
    asked = await asked_for(request, visit.instance, visit.viewer)
    async with visit.instance.reading() as session:
        held = await files.preview_of(session, asked.file)
    headers = {**INERT, "Cache-Control": "private, max-age=86400", "Content-Length": str(held.size)}
    pieces = visit.instance.files.shelf.read(held.sha256)
    return StreamingResponse(pieces, media_type=held.media_type, headers=headers)


async def _counted(visit: Visit, asked: Asked) -> None:
    """Count it, if it is a person's first of the day."""
    request = visit.request
    if request.method != "GET" or "prefetch" in request.headers.get("sec-purpose", ""):
        return
    state, now = request.app.state, visit.instance.clock.now()
    if not hasattr(state, "counted"):
        state.counted = Counted(visit.instance.vault.media_secret)
    counted: Counted = state.counted
    file = asked.file
    what = f"{file.post_id}/{file.version}/{file.position}"
    if counted.is_new(now.date(), address_of(request), request.headers.get("user-agent", ""), what):
        async with visit.instance.transaction() as tx:
            await files.count(tx, file.post_id, file.version)


async def _from_home(visit: Visit, asked: Asked) -> Response:
    """Fetch it, so that the next one has it at once; visitors are told where it is."""
    file = asked.file
    back = path_of(asked.post)
    if visit.viewer.member is None or not is_at_home(asked):
        return RedirectResponse(f"{back}#files", 303)
    now = visit.instance.clock.now()
    if file.failed is not None and now - file.failed < TRY_AGAIN_AFTER:
        raise Unavailable(f"{file.fault} Try again in a minute, or get it from its home.")
    spend(visit, limits.FETCH, f"member {visit.member.id}")
    came = await visit.lookup.file(Wanted(file.url, file.sha256, file.size))
    path = visit.request.url.path
    return visit.go(path) if came else visit.page("resources/coming.html", asked=asked, here=path)


def is_at_home(asked: Asked) -> bool:
    """Whether a file lies where its resource does: nobody sends us to fetch from others."""
    origin = "/".join(asked.post.uri.split("/")[:3])
    return asked.file.url.startswith(f"{origin}/")


routes = [
    Route("/p/{id}/preview/{edition}/{position}", preview),
    Route("/p/{id}/files/{edition}/{position}/{name}", download),
]
