# SPDX-License-Identifier: Apache-2.0
"""Stored files, served so that none can act as a page of ours."""

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from server import pictures, remote_pictures
from server.errors import NotFound, Refusal
from server.instance import Instance
from server.peers import Lookup
from server.remote_pictures import Pictures

# What we made ourselves, pixel by pixel, may be shown; anything else is only downloaded.
SHOWN = frozenset({"image/webp"})
UNREAD = "application/octet-stream"
# So that a browser runs nothing of a file, wherever it comes to lie.
INERT = {
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "X-Content-Type-Options": "nosniff",
}


async def stored(request: Request) -> Response:
    """One file by the SHA-256 of its bytes; it never changes, so it may be kept for good."""
    return await _file(request, request.path_params["sha256"])


async def remote(request: Request) -> Response:
    """A picture elsewhere: fetched at the first view, made anew, and kept."""
    instance: Instance = request.app.state.instance
    url = Pictures(instance.vault).url(request.path_params["mac"], request.path_params["encoded"])
    if url is None:
        raise NotFound
    async with instance.reading() as session:
        found = await remote_pictures.held(session, url)
    if found is not None and found.sha256 is not None:
        return await _file(request, found.sha256)
    now = instance.clock.now()
    if found is not None and now - found.fetched < remote_pictures.TRY_AGAIN_AFTER:
        raise NotFound
    return await _file(request, await _fetched(request, instance, url))


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


async def _file(request: Request, sha256: str) -> Response:
    etag = f'"{sha256}"'
    instance = request.app.state.instance
    async with instance.reading() as session:
        found = await instance.files.read(session, sha256)
    if found is None:
        raise NotFound
    row, pieces = found
    headers = {
        **INERT,
        "Cache-Control": "public, max-age=31536000, immutable",
        "Cross-Origin-Resource-Policy": "cross-origin",
        "ETag": etag,
    }
    shown = row.media_type in SHOWN
    if not shown:
        headers["Content-Disposition"] = "attachment"
    if request.headers.get("if-none-match") == etag:
        return Response(status_code=304, headers=headers)
    headers["Content-Length"] = str(row.size)
    # Whatever was uploaded is nobody's page or activity on this host.
    media_type = row.media_type if shown else UNREAD
    return StreamingResponse(pieces, media_type=media_type, headers=headers)


routes = [
    Route("/media/{sha256}", stored),
    Route("/media/remote/{mac}/{encoded}", remote),
]
