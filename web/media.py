# SPDX-License-Identifier: Apache-2.0
"""Stored files, served so that none can act as a page of ours."""

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from server import files, pictures, remote_pictures
from server.errors import NotFound, Refusal, Unavailable
from server.instance import Instance
from server.media import SignedFiles
from server.peers import Lookup
from server.remote_pictures import Pictures
from server.resources.names import disposition
from server.rows import StoredFile

# What we made ourselves, pixel by pixel, may be shown; anything else is only downloaded.
SHOWN = frozenset({"image/webp"})
UNREAD = "application/octet-stream"
# What programs of other makers open by its type; anything else is bytes to them. Nothing that a
# browser or another server would take for a page or an activity is among it.
TYPED = ("application/pdf", "application/vnd.", "application/zip", "image/", "text/csv", "video/")
FOR_GOOD = "public, max-age=31536000, immutable"
# So that a browser runs nothing of a file, wherever it comes to lie.
INERT = {
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "X-Content-Type-Options": "nosniff",
}


async def stored(request: Request) -> Response:
    """A picture that members show to everybody, by its SHA-256; it never changes.

    Files of the hub are not among them: who may have those is asked at their own addresses.
    """
    instance: Instance = request.app.state.instance
    sha256 = request.path_params["sha256"]
    async with instance.reading() as session:
        if not await files.is_shown(session, sha256):
            raise NotFound
    return await _picture(request, sha256)


async def remote(request: Request) -> Response:
    """A picture elsewhere: fetched at the first view, made anew, and kept."""
    instance: Instance = request.app.state.instance
    url = Pictures(instance.vault).url(request.path_params["mac"], request.path_params["encoded"])
    if url is None:
        raise NotFound
    async with instance.reading() as session:
        found = await remote_pictures.held(session, url)
    if found is not None and found.sha256 is not None:
        return await _picture(request, found.sha256)
    now = instance.clock.now()
    if found is not None and now - found.fetched < remote_pictures.TRY_AGAIN_AFTER:
        raise NotFound
    return await _picture(request, await _fetched(request, instance, url))


async def _fetched(request: Request, instance: Instance, url: str) -> str:
    """Fetch a picture and keep it; NotFound, and remembered, when it cannot be had."""
    lookup: Lookup = request.app.state.lookup
    new = None
    try:
        made = await pictures.fitted(await lookup.picture(url))
        new = await instance.files.write(made, pictures.MEDIA_TYPE)
    except (Refusal, pictures.NotAPicture):
        pass
    async with instance.transaction() as tx:
        await remote_pictures.keep(tx, url, new)
    if new is None:
        raise NotFound
    return new.sha256


async def signed(request: Request) -> Response:
    """A file or a preview at the origin of media, to whoever was given its address just now."""
    instance: Instance = request.app.state.instance
    until, seal, sha256, name = (
        request.path_params.get(part, "") for part in ("until", "seal", "sha256", "name")
    )
    if not SignedFiles(instance.vault).opens(until, seal, sha256, name, instance.clock.now()):
        raise NotFound("This address has run out: open the page of the file, and try again.")
    async with instance.reading() as session:
        held = await files.held(session, sha256)
    if held is None:
        raise NotFound
    return await (sent(request, held, name) if name else shown(request, held))


async def shown(
    request: Request, held: StoredFile, kept: str = "private, max-age=86400"
) -> Response:
    """A picture of ours, to be seen in a page; anything else is only downloaded."""
    headers = {
        **INERT,
        "Cache-Control": kept,
        "Cross-Origin-Resource-Policy": "cross-origin",
        "ETag": f'"{held.sha256}"',
    }
    if held.media_type in SHOWN:
        return await _answer(request, held, held.media_type, headers)
    # Whatever came here in another way is nobody's page or activity on this host.
    return await _answer(request, held, UNREAD, {**headers, "Content-Disposition": "attachment"})


async def sent(
    request: Request, held: StoredFile, name: str, kept: str = "private, no-cache"
) -> Response:
    """A file, to be saved under a name and not to be shown."""
    headers = {
        **INERT,
        "Cache-Control": kept,
        "Content-Disposition": disposition(name),
        "ETag": f'"{held.sha256}"',
        "X-Checksum-Sha256": held.sha256,
    }
    is_typed = held.media_type.startswith(TYPED) and held.media_type != "image/svg+xml"
    return await _answer(request, held, held.media_type if is_typed else UNREAD, headers)


async def _answer(
    request: Request, held: StoredFile, media_type: str, headers: dict[str, str]
) -> Response:
    if request.headers.get("if-none-match") == headers["ETag"]:
        return Response(status_code=304, headers=headers)
    shelf = request.app.state.instance.files.shelf
    if await shelf.size(held.sha256) != held.size:
        raise Unavailable("The file cannot be read at the moment: try again soon.")
    headers["Content-Length"] = str(held.size)
    return StreamingResponse(shelf.read(held.sha256), media_type=media_type, headers=headers)


async def _picture(request: Request, sha256: str) -> Response:
    instance: Instance = request.app.state.instance
    async with instance.reading() as session:
        held = await files.held(session, sha256)
    if held is None:
        raise NotFound
    return await shown(request, held, FOR_GOOD)


routes = [
    Route("/media/{sha256}", stored),
    Route("/media/remote/{mac}/{encoded}", remote),
    Route("/media/shown/{until}/{seal}/{sha256}", signed),
    Route("/media/files/{until}/{seal}/{sha256}/{name}", signed),
]
