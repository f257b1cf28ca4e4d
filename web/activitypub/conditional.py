# SPDX-License-Identifier: Apache-2.0
"""Answers to those who hold a document already (RFC 9110, 13.1.2)."""

import hashlib

from starlette.requests import Request
from starlette.responses import Response


def body_tag(response: Response) -> str:
    """An ETag of the bytes."""
    return f'"{hashlib.sha256(response.body).hexdigest()[:32]}"'


def holds(request: Request, tag: str) -> bool:
    """Whether who asks names this ETag as one that they hold."""
    asked = request.headers.get("if-none-match", "")
    return tag in {part.strip().removeprefix("W/") for part in asked.split(",")}


def unless_held(request: Request, response: Response, tag: str) -> Response:
    """The document with its ETag, or 304 for those that hold it."""
    if response.status_code != 200:
        return response
    response.headers["ETag"] = tag
    if not holds(request, tag):
        return response
    kept = {name: response.headers[name] for name in ("ETag", "Vary", "Cache-Control")}
    return Response(status_code=304, headers=kept)
