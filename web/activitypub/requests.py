# SPDX-License-Identifier: Apache-2.0
"""A request as its signature is checked against it."""

from collections.abc import MutableMapping
from typing import Any

from federation.signatures.request import Request as SignedRequest
from federation.station import Station

Scope = MutableMapping[str, Any]
Headers = tuple[tuple[str, str], ...]


def headers_of(scope: Scope) -> Headers:
    """The header lines as they came."""
    return tuple(
        [(name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]]
    )


def signed_request(
    scope: Scope, headers: Headers, station: Station, body: bytes | None
) -> SignedRequest:
    """The request as the signature is checked against; the origin setting gives the scheme."""
    query = scope["query_string"].decode("latin-1")
    raw_path = scope.get("raw_path") or scope["path"].encode()
    path = raw_path.decode("latin-1").partition("?")[0]
    host = ""
    for name, value in headers:
        if name == "host":
            host = value
            break
    return SignedRequest(
        method=scope["method"],
        target=f"{path}?{query}" if query else path,
        host=host,
        scheme="https" if station.instance.settings.is_https else "http",
        headers=headers,
        body=body,
    )
