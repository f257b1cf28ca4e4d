# SPDX-License-Identifier: Apache-2.0
"""The Signature header of draft-cavage, read and composed."""

import binascii
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from federation.signatures.errors import SignatureRefused, malformed
from federation.signatures.request import DraftSignature, Request

_PARAMETER = re.compile(
    r'[ \t]*([A-Za-z][A-Za-z0-9_-]*)[ \t]*=[ \t]*(?:"([^"\\]*)"|([0-9]+(?:\.[0-9]+)?))[ \t]*(,|$)'
)
_PLAIN_SIGNATURE = re.compile(r'[A-Za-z0-9+/]{1,2048}={0,2}"')
_TIME = re.compile(r"[0-9]{1,12}(?:\.[0-9]{1,9})?")
_COMPONENT = re.compile(r"\([a-z-]+\)|[a-z0-9!#$%&'*+.^_`|~-]+")
_MOST_PARAMETERS = 16
_MOST_COMPONENTS = 32
_UNREADABLE = "The Signature header cannot be read."


def header_of(request: Request) -> str | None:
    """The Signature header, or what `Authorization: Signature` holds; None without either.

    Some libraries (apsig) send the same one in both places; two that differ are refused.
    """
    value = request.single("signature")
    authorization = request.single("authorization")
    if authorization is None or authorization[:10].lower() != "signature ":
        return value
    if value is not None and value != authorization[10:].strip(" \t"):
        raise malformed("The request is signed twice.")
    return authorization[10:]


@dataclass(frozen=True, slots=True)
class _Terms:
    """All that a header says but the signature itself."""

    key_id: str
    algorithm: str | None
    covered: tuple[str, ...]
    created: str | None
    expires: str | None


def _terms(found: dict[str, str]) -> _Terms:
    covered = _covered(found.get("headers", "(created)"))
    created, expires = found.get("created"), found.get("expires")
    if not all(_TIME.fullmatch(time) for time in (created, expires) if time is not None):
        raise malformed(_UNREADABLE)
    if "keyId" not in found:
        raise malformed(_UNREADABLE)
    algorithm = found.get("algorithm")
    lower = None if algorithm is None else algorithm.lower()
    return _Terms(found["keyId"], lower, covered, created, expires)


# The same in everything that one actor sends; a refusal is not kept.
@lru_cache(maxsize=1024)
def _terms_before(before: str) -> _Terms:
    """What is said before the signature at the end of a header.

    It can be read by itself, so what follows it is a parameter too.
    """
    found = _read(before)
    if "signature" in found or len(found) == _MOST_PARAMETERS:
        raise malformed(_UNREADABLE)
    return _terms(found)


def _read(value: str) -> dict[str, str]:
    found: dict[str, str] = {}
    position, separator = 0, ","
    while separator == ",":
        match = _PARAMETER.match(value, position)
        if match is None or match[1] in found or len(found) == _MOST_PARAMETERS:
            raise malformed(_UNREADABLE)
        found[match[1]] = match[3] if match[2] is None else match[2]
        position, separator = match.end(), match[4]
    return found


@lru_cache(maxsize=128)
def _covered(listed: str) -> tuple[str, ...]:
    covered = tuple(listed.lower().split())
    if len(covered) > _MOST_COMPONENTS or len(set(covered)) < len(covered):
        raise malformed(_UNREADABLE)
    if not all(_COMPONENT.fullmatch(name) for name in covered):
        raise malformed(_UNREADABLE)
    return covered


def of(request: Request) -> DraftSignature:
    """What a request's Signature header says, read once; SignatureRefused without one."""
    if request.draft is None:
        header = header_of(request)
        if header is None:
            raise SignatureRefused("The request is not signed.")
        request.draft = parse(header)
    return request.draft


def parse(value: str) -> DraftSignature:
    """Read a Signature header's value; SignatureRefused (400) if that is not possible."""
    before, comma, last = value.rpartition(',signature="')
    if comma and _PLAIN_SIGNATURE.fullmatch(last):
        terms, written = _terms_before(before), last[:-1]
    else:
        found = _read(value)
        terms, written = _terms(found), found.get("signature", "?")
    try:
        signature = binascii.a2b_base64(written, strict_mode=True)
    except ValueError as error:
        raise malformed(_UNREADABLE) from error
    return DraftSignature(
        terms.key_id, terms.algorithm, terms.covered, signature, terms.created, terms.expires
    )


def signing_string(lines: Iterable[tuple[str, str]]) -> bytes:
    """The bytes that are signed, from pairs of covered name and value (draft-cavage 2.3)."""
    return encoded("\n".join([f"{name}: {value}" for name, value in lines]))


def encoded(text: str) -> bytes:
    """A signing string as bytes; SignatureRefused where no header could hold it."""
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError as error:
        raise malformed("A signed header cannot be read.") from error


def _value(request: Request, signature: DraftSignature, name: str) -> str:
    if name == "(created)":
        value = signature.created
    elif name == "(expires)":
        value = signature.expires
    else:
        value = request.joined(name)
    if value is None:
        raise SignatureRefused(f"The signature covers {name}, which the request does not have.")
    return value


def signed_strings(request: Request, signature: DraftSignature) -> tuple[bytes, ...]:
    """What the sender may have signed, likeliest first.

    Some software signs a GET's path without its query. That reading is offered for GET alone: it
    lets a query be changed, which must never be possible for a request that does something.
    """
    method = request.method.lower()
    signed = _signed_string(request, signature, f"{method} {request.target}")
    if method != "get" or "?" not in request.target:
        return (signed,)
    target = request.target.partition("?")[0]
    return signed, _signed_string(request, signature, f"{method} {target}")


def _signed_string(request: Request, signature: DraftSignature, target: str) -> bytes:
    lines = [
        f"{name}: {target if name == '(request-target)' else _value(request, signature, name)}"
        for name in signature.covered
    ]
    return encoded("\n".join(lines))
