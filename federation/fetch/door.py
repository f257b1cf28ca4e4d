# SPDX-License-Identifier: Apache-2.0
"""Requests to peers, every one of them checked."""

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from ipaddress import ip_address
from types import MappingProxyType
from typing import Any, Self

import aiohttp
from aiohttp.abc import AbstractResolver
from multidict import CIMultiDict
from yarl import URL

from federation.errors import BadAnswer, Forbidden, Unreachable
from federation.fetch.allowance import about_to_ask, answered
from federation.fetch.answers import (
    ACCEPT_ACTIVITY,
    ACTIVITY_JSON,
    Document,
    Headers,
    Response,
    Sink,
    is_activity_json,
    merged_headers,
    status_error,
    whole_body,
)
from federation.fetch.failures import too_late, translated, within
from federation.fetch.lines import Lines, OpenLine
from federation.fetch.resolver import GuardedResolver, Named, guarded_connector
from federation.origins import HttpUrl, join_url, parse_url

# Given the method, the URL exactly as it is sent and the body, returns the headers to add.
Signer = Callable[[str, str, bytes | None], Headers | Awaitable[Headers]]

DOCUMENT_BYTES = 1_000_000
SECONDS = 10.0
REDIRECTS = 3

_REDIRECTING = frozenset({301, 302, 303, 307, 308})
_NONE: Headers = MappingProxyType({})


@dataclass(frozen=True)
class _Ask:
    """What stays the same from one hop of a GET to the next."""

    accept: str
    sign: Signer | None
    max_bytes: int = DOCUMENT_BYTES
    redirects: int = REDIRECTS
    headers: Headers = field(default_factory=dict)
    into: Sink | None = None
    method: str = "GET"
    is_read: bool = True


class Door:
    """The only way from this instance to another.

    Every address is checked before it is asked and every hop of a redirect again; names lead only
    to public addresses; proxies of the environment and cookies are not used. Hosts in `resolve`
    (exact host -> IP address, port or None for the URL's own) are reached there instead, are
    exempt from the address guard, and are the only ones that may be asked over plain http.
    `parse` reads a document's bytes and raises ValueError or a WireError for bad ones.
    """

    def __init__(
        self,
        *,
        resolve: Named,
        user_agent: str,
        parse: Callable[[bytes], dict[str, Any]],
        per_host: int = 16,
        look_up: AbstractResolver | None = None,
        connector: aiohttp.BaseConnector | None = None,
    ) -> None:
        """Open nothing yet; `look_up` replaces the system's, and its answers are guarded as well.

        Another `connector` replaces the guarded one for what is fetched. Both are closed with us.

        Raises ValueError where `resolve` names what is no IP address.
        """
        self._named: Named = {
            host.lower().strip("[]"): (str(ip_address(address)), port)
            for host, (address, port) in resolve.items()
        }
        self._user_agent = user_agent
        self._parse = parse
        self._per_host = per_host
        self._resolver = GuardedResolver(self._named, look_up)
        self._lines = Lines(self._named, self._resolver, user_agent=user_agent, per_host=per_host)
        self._connector = connector
        self._opened: aiohttp.ClientSession | None = None
        self._is_closed = False

    async def get(
        self,
        url: str,
        *,
        accept: str,
        sign: Signer | None = None,
        max_bytes: int = DOCUMENT_BYTES,
        redirects: int = REDIRECTS,
        deadline: float = SECONDS,
        headers: Headers = _NONE,
        into: Sink | None = None,
    ) -> Response:
        """Fetch a URL, following redirects; returns an answer of status 2xx or 304.

        Each hop is signed anew, and `headers` go only to the origin first asked. `max_bytes` count
        after decompression, `deadline` is for everything together, in seconds. With `into` the body
        is handed there as it comes. Raises Forbidden, Unreachable, BadAnswer, or Refused and Busy
        for other statuses.
        """
        target = self._admit(parse_url(url))
        async with within(deadline, target):
            ask = _Ask(accept, sign, max_bytes, redirects, headers, into)
            return await self._follow(target, ask)

    async def knock(self, url: str, *, method: str, deadline: float = SECONDS) -> None:
        """See whether anybody answers, as a stranger: unsigned, and nothing of a body is read.

        `method` is HEAD or GET. Raises as `get` does.
        """
        target = self._admit(parse_url(url))
        async with within(deadline, target):
            await self._follow(target, _Ask("*/*", None, method=method, is_read=False))

    async def document(
        self, url: str, *, sign: Signer | None, deadline: float = SECONDS
    ) -> Document:
        """Fetch an ActivityStreams document that names the very URL it came from as its `id`.

        An `id` elsewhere on the same origin is asked once in its turn; an `id` on another origin
        is never believed. Raises as `get` does, BadAnswer for a wrong media type or `id`.
        """
        target = self._admit(parse_url(url))
        async with within(deadline, target):
            found = await self._activity_json(target, sign)
            named = _id_of(found)
            if named.url != found.url and named.origin == parse_url(found.url).origin:
                found = await self._activity_json(self._admit(named), sign)
                named = _id_of(found)
        if named.url != found.url:
            raise BadAnswer("The document says that it belongs at another address.")
        return found

    async def key_document(
        self, url: str, *, sign: Signer | None, deadline: float = SECONDS
    ) -> Document:
        """Fetch the document a key's URL leads to, whatever its `id`, on the key's own origin.

        Some servers answer with a part of the actor, under the actor's `id` or the key's. What it
        says is to be believed only of the origin of `url`. Raises as `document` does.
        """
        target = self._admit(parse_url(url))
        async with within(deadline, target):
            found = await self._activity_json(target, sign)
        if parse_url(found.url).origin != target.origin:
            raise BadAnswer("The address of the key leads to another server.")
        return found

    async def post(
        self,
        url: str,
        *,
        body: bytes,
        sign: Signer,
        content_type: str = ACTIVITY_JSON,
        deadline: float = SECONDS,
    ) -> Response:
        """Deliver a body; returns the answer whatever its status, redirects included.

        Of the answer's body at most 8 KB are kept. Raises Forbidden, Unreachable where no status
        came, BadAnswer where it was no HTTP.
        """
        target = self._admit(parse_url(url))
        end = asyncio.get_running_loop().time() + deadline
        headers = await _signed(sign, "POST", target, body)
        try:
            return await self._lines.post(target, headers, content_type, body, end)
        except TimeoutError:
            raise too_late(target, deadline) from None

    def at_hand(self, url: str) -> OpenLine | None:
        """A connection that stands open to where a URL leads, to deliver over without waiting.

        None where one must be opened first, as `post` does. Raises Forbidden.
        """
        return self._lines.at_hand(self._admit(parse_url(url)))

    async def close(self) -> None:
        """Close every connection; none is opened any more."""
        self._is_closed = True
        await self._lines.close()
        if self._opened is not None:
            await self._opened.close()
        elif self._connector is not None:
            await self._connector.close()

    async def __aenter__(self) -> Self:
        """Return the door itself; leaving closes it."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close every connection."""
        await self.close()

    def _admit(self, target: HttpUrl) -> HttpUrl:
        """Return the target where it may be asked at all; raises Forbidden."""
        if target.host in self._named:
            return target
        if target.scheme != "https":
            raise Forbidden("Only https addresses are asked.")
        if target.literal:
            raise Forbidden("An address must name its host, not give an IP address.")
        if "." not in target.host:
            raise Forbidden("That host is not a name of the public internet.")
        if target.port != 443 and target.port < 1024:
            raise Forbidden("That port is kept for other services.")
        return target

    async def _follow(self, target: HttpUrl, ask: _Ask) -> Response:
        first = target.origin
        for _ in range(ask.redirects + 1):
            here = ask if target.origin == first else replace(ask, headers=_NONE)
            answer = await self._ask_once(target, here)
            location = answer.headers.get("Location")
            if answer.status not in _REDIRECTING or location is None:
                if answer.status == 304 or 200 <= answer.status < 300:
                    return answer
                raise status_error(answer)
            target = self._admit(join_url(target, location))
        raise BadAnswer("The other server sent us on too many times.")

    async def _ask_once(self, target: HttpUrl, ask: _Ask) -> Response:
        about_to_ask()
        headers = CIMultiDict(ask.headers)
        if ask.sign is not None:
            headers.update(await _signed(ask.sign, "GET", target, None))
        headers["Accept"] = ask.accept
        with translated(target):
            async with self._session().request(
                ask.method, URL(target.url, encoded=True), headers=headers, allow_redirects=False
            ) as answer:
                is_good = 200 <= answer.status < 300 and ask.is_read
                if not ask.is_read:
                    # What still comes is not waited for: the connection ends here.
                    answer.close()
                body = await whole_body(answer, ask.max_bytes, ask.into) if is_good else b""
        if answer.status != 304:
            # That nothing has changed costs neither reading nor work.
            answered(len(body))
        return Response(answer.status, target.url, merged_headers(answer.headers), body)

    async def _activity_json(self, target: HttpUrl, sign: Signer | None) -> Document:
        answer = await self._follow(target, _Ask(ACCEPT_ACTIVITY, sign))
        if not is_activity_json(answer.headers.get("Content-Type", "")):
            raise BadAnswer("The other server's answer is not marked as ActivityPub.")
        try:
            data = self._parse(answer.body)
        except ValueError:
            raise BadAnswer("The other server's answer is not the JSON it should be.") from None
        return Document(answer.url, answer.body, data)

    def _session(self) -> aiohttp.ClientSession:
        if self._is_closed:
            # Asked by what was still under way: a session opened now would be closed by nobody.
            raise Unreachable("We are stopping, and ask nobody any more.")
        if self._opened is None:
            if self._connector is None:
                self._connector = guarded_connector(self._named, self._per_host, self._resolver)
            self._opened = aiohttp.ClientSession(
                connector=self._connector,
                cookie_jar=aiohttp.DummyCookieJar(),
                trust_env=False,
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=None),
                headers={"User-Agent": self._user_agent, "Accept-Encoding": "gzip"},
            )
        return self._opened


async def _signed(sign: Signer, method: str, target: HttpUrl, body: bytes | None) -> Headers:
    added = sign(method, target.url, body)
    if type(added) is dict:
        return added
    return await added if inspect.isawaitable(added) else added


def _id_of(document: Document) -> HttpUrl:
    named = document.data.get("id")
    if not isinstance(named, str):
        raise BadAnswer("The document does not say which it is.")
    try:
        return parse_url(named)
    except Forbidden:
        raise BadAnswer("The document's id is not an address.") from None
