# SPDX-License-Identifier: Apache-2.0
"""The Signature header of draft-cavage, read and composed."""

import base64
import re
from collections.abc import Iterable, Mapping
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


def _parameters(value: str) -> Mapping[str, str]:
    """The parameters of a header by name.

    All but the signature at the end are the same in everything that one actor sends: they are
    read once. What is before it can be read by itself, so what follows is a parameter too.
    """
    before, comma, last = value.rpartition(',signature="')
    if not comma or not _PLAIN_SIGNATURE.fullmatch(last):
        return _read(value)
    others = _read_before(before)
    if "signature" in others or len(others) == _MOST_PARAMETERS:
        raise malformed(_UNREADABLE)
    return {**others, "signature": last[:-1]}


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


_read_before = lru_cache(maxsize=1024)(_read)


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
    parameters = _parameters(value)
    covered = _covered(parameters.get("headers", "(created)"))
    for name in ("created", "expires"):
        if not _TIME.fullmatch(parameters.get(name, "0")):
            raise malformed(_UNREADABLE)
    try:
        signature = base64.b64decode(parameters["signature"], validate=True)
        key_id = parameters["keyId"]
    except (KeyError, ValueError) as error:
        raise malformed(_UNREADABLE) from error
    algorithm = parameters.get("algorithm")
    return DraftSignature(
        key_id=key_id,
        algorithm=None if algorithm is None else algorithm.lower(),
        covered=covered,
        signature=signature,
        created=parameters.get("created"),
        expires=parameters.get("expires"),
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
    match name:
        case "(created)":
            value = signature.created
        case "(expires)":
            value = signature.expires
        case _:
            lines = request.lines(name)
            value = ", ".join(lines) if lines else None
    if value is None:
        raise SignatureRefused(f"The signature covers {name}, which the request does not have.")
    return value


def signed_strings(request: Request, signature: DraftSignature) -> tuple[bytes, ...]:
    """What the sender may have signed, likeliest first.

    Some software signs a GET's path without its query. That reading is offered for GET alone: it
    lets a query be changed, which must never be possible for a request that does something.
    """
    method = request.method.lower()
    lines = [
        (name, "" if name == "(request-target)" else _value(request, signature, name))
        for name in signature.covered
    ]
    targets = [request.target]
    if method == "get" and "?" in request.target:
        targets.append(request.target.partition("?")[0])
    return tuple(
        [
            signing_string(
                [
                    (name, f"{method} {target}" if name == "(request-target)" else value)
                    for name, value in lines
                ]
            )
            for target in targets
        ]
    )
