# SPDX-License-Identifier: Apache-2.0
"""The door of the inboxes: a delivery, read within its bounds and answered."""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from functools import lru_cache
from typing import Any

from starlette.requests import ClientDisconnect

from federation.inbox import ACCEPTED, LARGEST, Answer
from federation.station import Station
from web.activitypub.requests import Headers, Scope, headers_of, signed_request

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
RECEIVING_SECONDS = 10.0
TOO_LARGE = Answer(413, "The activity is larger than 1 MB.")
TOO_SLOW = Answer(408, "The activity came too slowly.")


class InboxDoor:
    """Takes deliveries; which inbox one came to makes no difference.

    Bare ASGI: a request object and a response object would cost as much as the signature.
    """

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        station: Station = scope["app"].state.wire
        headers = headers_of(scope)
        try:
            body = await _bounded_body(headers, receive)
        except ClientDisconnect:
            return
        except TimeoutError:
            body = TOO_SLOW
        if isinstance(body, Answer):
            # What is still to come is not read.
            await _answer(send, body, ((b"connection", b"close"),))
            return
        await _answer(
            send, await station.inbox.accept(signed_request(scope, headers, station, body))
        )


async def _answer(send: Send, answer: Answer, extra: tuple[tuple[bytes, bytes], ...] = ()) -> None:
    headers, body = _ACCEPTED if answer is ACCEPTED else written(answer, extra)
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


@lru_cache(maxsize=64)
def written(
    answer: Answer, extra: tuple[tuple[bytes, bytes], ...]
) -> tuple[tuple[tuple[bytes, bytes], ...], bytes]:
    """The headers and the body of an answer."""
    body = f"{answer.sentence}\n".encode()
    if answer.retry_after is not None:
        extra = (*extra, (b"retry-after", str(answer.retry_after).encode()))
    headers = (
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"content-length", str(len(body)).encode()),
        (b"vary", b"Accept, Signature"),
        *extra,
    )
    return headers, body


_ACCEPTED = written(ACCEPTED, ())


async def _bounded_body(headers: Headers, receive: Receive) -> bytes | Answer:
    """The body, or a refusal as soon as it is known to be too large."""
    for name, declared in headers:
        if name == "content-length" and declared.isdecimal() and int(declared) > LARGEST:
            return TOO_LARGE
    # Most come whole. How long the beginning may take is the connection's affair.
    body, more = await _part(receive)
    if not more:
        return body if len(body) <= LARGEST else TOO_LARGE
    async with asyncio.timeout(RECEIVING_SECONDS):
        parts, size = [body], len(body)
        while more and size <= LARGEST:
            part, more = await _part(receive)
            size += len(part)
            parts.append(part)
    return b"".join(parts) if size <= LARGEST else TOO_LARGE


async def _part(receive: Receive) -> tuple[bytes, bool]:
    """What has come of the body, and whether there is more."""
    message = await receive()
    if message["type"] == "http.disconnect":
        raise ClientDisconnect
    return message.get("body", b""), message.get("more_body", False)
