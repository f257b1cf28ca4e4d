# SPDX-License-Identifier: Apache-2.0
"""The least a server written for ASGI can do: answer."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Message = MutableMapping[str, Any]

PAGES = {"/tiny": b"ok", "/page": b"<p>practice commons</p>\n" * 640}


async def app(
    scope: Message,
    receive: Callable[[], Awaitable[Message]],
    send: Callable[[Message], Awaitable[None]],
) -> None:
    """GET /tiny (2 bytes), GET /page (15 KB), POST anything (the body is read)."""
    if scope["type"] != "http":
        return
    status, body = 200, PAGES.get(scope["path"], b"")
    if scope["method"] == "POST":
        status, more = 202, True
        while more:
            message = await receive()
            more = message.get("more_body", False)
    headers = [(b"content-type", b"text/html"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
