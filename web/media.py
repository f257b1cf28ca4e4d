# SPDX-License-Identifier: Apache-2.0
"""Stored files, served so that none can act as a page of ours."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from server import files
from server.errors import NotFound

# What we made ourselves, pixel by pixel, may be shown; anything else is only downloaded.
SHOWN = frozenset({"image/webp"})


async def stored(request: Request) -> Response:
    """One file by the SHA-256 of its bytes; it never changes, so it may be kept for good."""
    sha256 = request.path_params["sha256"]
    etag = f'"{sha256}"'
    instance = request.app.state.instance
    async with instance.reading() as session:
        found = await files.read(session, instance.settings.state, sha256)
    if found is None:
        raise NotFound
    row, data = found
    headers = {
        "Cache-Control": "public, max-age=31536000, immutable",
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "Cross-Origin-Resource-Policy": "cross-origin",
        "ETag": etag,
        "X-Content-Type-Options": "nosniff",
    }
    if row.media_type not in SHOWN:
        headers["Content-Disposition"] = "attachment"
    if request.headers.get("if-none-match") == etag:
        return Response(status_code=304, headers=headers)
    return Response(data, media_type=row.media_type, headers=headers)


routes = [Route("/media/{sha256}", stored)]
