# SPDX-License-Identifier: Apache-2.0
"""Files of resources, served so that none can act as a page of ours."""

from datetime import timedelta

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from server.errors import NotFound, Unavailable
from server.hub import files
from server.hub.files import Asked, Counted
from server.instance import Instance
from server.media import SignedFiles
from server.peers import Wanted
from server.resources.names import clean_name
from server.rows import StoredFile
from server.viewers import Viewer
from web import limits, media
from web.limits import address_of, spend
from web.spots import identifier, post_id
from web.templates import path_of
from web.visits import Visit, arrive

TRY_AGAIN_AFTER = timedelta(minutes=1)


async def download(request: Request) -> Response:
    """A file: from our shelf, or fetched from its home first, for members."""
    visit = await arrive(request)
    asked = await asked_for(request, visit.instance, visit.viewer)
    if asked.held is None:
        if asked.author.is_local:
            raise NotFound("The bytes of this file are lost here: ask its author to add it again.")
        return await _from_home(visit, asked)
    await _counted(visit, asked)
    name = clean_name(asked.file.name)
    return _elsewhere(visit, asked.held, name) or await sent(request, asked)


async def asked_for(request: Request, instance: Instance, viewer: Viewer) -> Asked:
    """The file that an address names, if this viewer may have it; NotFound otherwise."""
    version, position = (identifier(request.path_params[name]) for name in ("edition", "position"))
    if version is None or position is None or max(version, position) > 1_000_000:
        raise NotFound
    async with instance.reading() as session:
        return await files.asked(session, viewer, post_id(request), version, position)


async def sent(request: Request, asked: Asked) -> Response:
    """The bytes, to be saved and not to be shown; NotFound where they are not here."""
    if asked.held is None:
        raise NotFound
    return await media.sent(request, asked.held, asked.file.name)


async def preview(request: Request) -> Response:
    """The picture of a file that the viewer may have; made by us, pixel by pixel."""
    visit = await arrive(request)
    asked = await asked_for(request, visit.instance, visit.viewer)
    async with visit.instance.reading() as session:
        held = await files.preview_of(session, asked.file)
    return _elsewhere(visit, held, "") or await media.shown(request, held)


def _elsewhere(visit: Visit, held: StoredFile, name: str) -> Response | None:
    """The way to the origin of media, where there is one."""
    settings = visit.instance.settings
    if not settings.media_origin:
        return None
    signed = SignedFiles(visit.instance.vault, settings.media_origin)
    address = signed.address(held.sha256, name, visit.instance.clock.now())
    return RedirectResponse(address, 303, headers={"Cache-Control": "no-store"})


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
    came = await visit.lookup.file(Wanted(file.url, file.sha256, file.size, clean_name(file.name)))
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
