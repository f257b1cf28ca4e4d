# SPDX-License-Identifier: Apache-2.0
"""Where a keyset page begins, as a link says it."""

from starlette.requests import Request


def place(request: Request, name: str = "before") -> int | None:
    """The id in `?before=`; None where there is none, or anything but an id."""
    value = request.query_params.get(name, "")
    if not value.isdecimal() or not value.isascii() or len(value) > 19:
        return None
    number = int(value)
    return number if number < 1 << 63 else None
