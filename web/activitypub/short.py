# SPDX-License-Identifier: Apache-2.0
"""The short way in: deliveries that came whole, without ASGI."""

import re
from collections.abc import Awaitable, Callable, Iterable
from functools import lru_cache

from starlette.requests import Request
from starlette.responses import Response

from federation.inbox import ACCEPTED, Answer
from federation.signatures.request import Request as SignedRequest
from federation.station import Station
from web.activitypub.arriving import written
from web.exchanges import Head, Headers, fixed_head

# What is spelled otherwise is read by those who read all addresses.
_AN_INBOX = re.compile(rb"(?:/[uf]/[A-Za-z0-9._-]+)?/inbox")
Bug = Callable[[Request, Exception], Awaitable[Response]]
Dress = Callable[[Iterable[tuple[bytes, bytes]]], Headers]


class InboxWay:
    """What `InboxDoor` behind the guard does, for requests that are wholly there.

    The scope, the messages, and what hands them on take as long as twice the check of a
    signature. `dress` puts the security headers on an answer.
    """

    def __init__(self, app: object, station: Station, dress: Dress, bug: Bug) -> None:
        self._app = app
        self._inbox = station.inbox
        settings = station.instance.settings
        self._own = settings.host
        self._host = settings.host.encode()
        self._scheme = "https" if settings.is_https else "http"
        self._dress = dress
        self._bug = bug
        self._put_together = lru_cache(maxsize=64)(self._dressed)
        self._accepted = self._dressed(ACCEPTED)

    def takes(self, url: bytes, headers: Headers) -> bool:
        """Whether this goes to an inbox of ours; of other hosts the guard knows what to say."""
        if url != b"/inbox" and not _AN_INBOX.fullmatch(url):
            return False
        for name, value in headers:
            if name == b"host":
                return value == self._host
        return False

    async def answer(self, url: bytes, headers: Headers, body: bytes) -> tuple[Head, bytes]:
        """The answer to a delivery; a bug is told as anywhere."""
        try:
            request = SignedRequest.of_wire(
                "POST", url.decode(), self._own, self._scheme, headers, body
            )
            answer = await self._inbox.accept(request)
        except Exception as error:  # whatever it is, the sender is to come again
            return await self._broken(url, headers, error)
        return self._accepted if answer is ACCEPTED else self._put_together(answer)

    def _dressed(self, answer: Answer) -> tuple[Head, bytes]:
        headers, body = written(answer, ())
        return _head(answer.status, self._dress(headers)), body

    async def _broken(self, url: bytes, headers: Headers, error: Exception) -> tuple[Head, bytes]:
        scope = {
            "type": "http",
            "method": "POST",
            "scheme": self._scheme,
            "path": url.decode(),
            "query_string": b"",
            "headers": headers,
            "app": self._app,
        }
        response = await self._bug(Request(scope), error)
        return _head(response.status_code, response.raw_headers), bytes(response.body)


def _head(status: int, headers: Headers) -> Head:
    head = fixed_head(status, tuple(headers))
    if head is None:
        raise ValueError("our own headers are sound, and tell how long the body is")
    return head
