# SPDX-License-Identifier: Apache-2.0
"""The numbers that addresses of mentoring pages hold."""

from starlette.requests import Request

from server.errors import NotFound
from web import spots


def numbered(request: Request, name: str) -> int:
    """The id in an address; NotFound where it is none."""
    found = spots.identifier(request.path_params[name])
    if found is None:
        raise NotFound
    return found
