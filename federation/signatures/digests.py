# SPDX-License-Identifier: Apache-2.0
"""Digests of a request's body, made and compared."""

import base64
import binascii
import hashlib
import hmac
from functools import lru_cache

import http_sf

from federation.signatures.errors import SignatureRefused, malformed
from federation.signatures.request import Request

_MOST_PARTS = 8


# One body goes to many; the hash of its bytes is kept by the bytes themselves.
@lru_cache(maxsize=8)
def digest_header(body: bytes) -> str:
    """The value of a `Digest` header (RFC 3230) over `body`."""
    return "SHA-256=" + base64.b64encode(hashlib.sha256(body).digest()).decode()


@lru_cache(maxsize=8)
def content_digest_header(body: bytes) -> str:
    """The value of a `Content-Digest` header (RFC 9530) over `body`."""
    return "sha-256=:" + base64.b64encode(hashlib.sha256(body).digest()).decode() + ":"


def _listed_in_digest(value: str) -> list[bytes]:
    parts = value.split(",")
    if len(parts) > _MOST_PARTS:
        raise malformed("The Digest header lists too many digests.")
    listed = []
    for part in parts:
        name, equals, encoded = part.strip().partition("=")
        if not equals:
            raise malformed("The Digest header cannot be read.")
        if name.lower() == "sha-256":
            try:
                listed.append(base64.b64decode(encoded, validate=True))
            except ValueError as error:
                raise malformed("The Digest header cannot be read.") from error
    return listed


def _listed_in_content_digest(value: str) -> list[bytes]:
    unreadable = malformed("The Content-Digest header cannot be read.")

    def refuse_duplicate(key: str, context: str) -> None:
        raise unreadable

    try:
        members = http_sf.parse(
            value.encode("ascii"), tltype="dictionary", on_duplicate_key=refuse_duplicate
        )
    except ValueError as error:
        raise unreadable from error
    if not isinstance(members, dict) or len(members) > _MOST_PARTS:
        raise unreadable
    if "sha-256" not in members:
        return []
    member = members["sha-256"]
    digest = member[0] if isinstance(member, tuple) else member
    if not isinstance(digest, bytes):
        raise unreadable
    return [digest]


# How each is read, and what stands around a digest where it is the only one.
_HEADERS = (
    ("digest", _listed_in_digest, "SHA-256=", ""),
    ("content-digest", _listed_in_content_digest, "sha-256=:", ":"),
)


def must_match_body(request: Request) -> None:
    """Refuse a request any of whose digest headers differs from its body.

    Covered by the signature or not, every digest header must hold SHA-256 digests of the very
    bytes received: a second, unsigned one must not vouch for another body.
    """
    actual = hashlib.sha256(request.body or b"").digest()
    written = binascii.b2a_base64(actual, newline=False).decode()
    for name, listed_in, before, after in _HEADERS:
        value = request.single(name)
        if value is None or value == before + written + after:
            continue
        listed = listed_in(value)
        if not listed:
            raise SignatureRefused(f"The header {name} has no SHA-256 digest.")
        if not all(hmac.compare_digest(digest, actual) for digest in listed):
            raise SignatureRefused(f"The header {name} does not match the body.")
