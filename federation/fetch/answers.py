# SPDX-License-Identifier: Apache-2.0
"""What a peer answered: media type, waiting time, body."""

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import aiohttp
from multidict import CIMultiDict, CIMultiDictProxy

from federation.errors import BadAnswer, Busy, Refused, StatusError

Headers = Mapping[str, str]
Sink = Callable[[bytes], Awaitable[None]]

ACTIVITY_JSON = "application/activity+json"
ACTIVITY_STREAMS = "https://www.w3.org/ns/activitystreams"
ACCEPT_ACTIVITY = f'{ACTIVITY_JSON}, application/ld+json; profile="{ACTIVITY_STREAMS}"'

# A server that says "not you" or "not now" may have it right the next time: keys and rules travel.
_TRANSIENT = frozenset({401, 403, 408, 425, 429})
_LONGEST_WAIT = 86_400.0
_MEDIA_TYPE = re.compile(r"\s*([^\s;,\"]+)\s*")
_PARAMETER = re.compile(r";\s*(?:([^\s;,=\"]+)=(?:\"([^\"\\]*)\"|([^\s;,\"]+))\s*)?")


@dataclass(frozen=True)
class Response:
    """An answer in full: `url` is the address finally asked, `headers` ignore case in names.

    A header sent several times is one value with commas (RFC 9110, 5.3).
    """

    status: int
    url: str
    headers: Headers
    body: bytes


@dataclass(frozen=True)
class Document:
    """An ActivityStreams document; its authority is the origin of `url`, and nothing in `data`."""

    url: str
    raw: bytes
    data: dict[str, Any]


def is_activity_json(content_type: str) -> bool:
    """Tell whether a Content-Type is one ActivityPub allows (ActivityPub, 3.2).

    A bare `application/ld+json` or `application/json` is not: whoever may upload a file to a
    server could otherwise speak for everyone on it.
    """
    media = _MEDIA_TYPE.match(content_type)
    if media is None:
        return False
    name, at, profiles = media[1].lower(), media.end(), ""
    while at < len(content_type):
        parameter = _PARAMETER.match(content_type, at)
        if parameter is None:
            return False
        if (parameter[1] or "").lower() == "profile":
            profiles = parameter[2] or parameter[3] or ""
        at = parameter.end()
    if name == "application/ld+json":
        return ACTIVITY_STREAMS in profiles.split()
    return name == ACTIVITY_JSON


def retry_after(headers: Headers) -> float | None:
    """Return the seconds a peer asks to wait (RFC 9110, 10.2.3), at most a day, or None.

    A point in time is counted from the Date of the same answer, so that no clocks are compared.
    """
    value = headers.get("Retry-After", "").strip()
    if re.fullmatch(r"[0-9]{1,9}", value):
        return min(float(value), _LONGEST_WAIT)
    until, sent = _moment(value), _moment(headers.get("Date", ""))
    if until is None or sent is None:
        return None
    return min(max((until - sent).total_seconds(), 0.0), _LONGEST_WAIT)


def _moment(value: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(value)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


def status_error(response: Response) -> StatusError:
    """Return the error an unwelcome status stands for: Busy where asking again makes sense."""
    passing = response.status >= 500 or response.status in _TRANSIENT
    kind = Busy if passing else Refused
    return kind(response.status, retry_after=retry_after(response.headers))


async def whole_body(answer: aiohttp.ClientResponse, cap: int, into: Sink | None = None) -> bytes:
    """Read the body, counted as decompressed; raises BadAnswer beyond `cap` bytes.

    With `into` it is handed on as it comes, and nothing is returned.
    """
    if (answer.content_length or 0) > cap:
        raise BadAnswer("The other server's answer is too large.")
    body, size = bytearray(), 0
    async for chunk in answer.content.iter_any():
        size += len(chunk)
        if size > cap:
            raise BadAnswer("The other server's answer is too large.")
        if into is not None:
            await into(chunk)
        else:
            body += chunk
    return bytes(body)


def merged_headers(headers: CIMultiDictProxy[str]) -> Headers:
    """Join what was sent under one name several times, and keep names free of case."""
    if len(set(map(str.lower, headers))) == len(headers):
        return headers
    merged: CIMultiDict[str] = CIMultiDict()
    for name in dict.fromkeys(map(str.lower, headers)):
        merged[name] = ", ".join(headers.getall(name))
    return CIMultiDictProxy(merged)
